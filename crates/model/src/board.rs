//! The board: which widgets stand where.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::WidgetId;

/// The columns and rows that a tile covers, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Cell {
    /// The first column.
    pub x: u16,
    /// The first row.
    pub y: u16,
    /// How many columns.
    pub w: u16,
    /// How many rows.
    pub h: u16,
}

/// A widget on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Tile {
    /// Names this instance for ever: state and settings belong to it.
    pub instance: String,
    /// Which widget it shows.
    pub widget: WidgetId,
    /// Where it stands, on a board of 12 columns.
    pub cell: Cell,
    /// What its user set: a value for each key that differs from the manifest's default.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The version that it is held on while others of its widget are updated; none follows the updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub pinned: Option<Version>,
}

/// What stands on the board, as saved in `board.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Board {
    /// The tiles, in reading order.
    pub tiles: Vec<Tile>,
}
