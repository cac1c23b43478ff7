//! What is kept of widgets that are being written: in memory, and no longer than the switch is on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moult_model::board::{Board, Cell, Tile};
use moult_model::bundle::Size;
use moult_model::developer::{DeveloperView, PUBLISHER};
use moult_model::stage::SavedState;
use moult_model::{Bundle, Subject, WidgetId};
use moult_sandbox::Grants;

/// The columns of a board.
const COLUMNS: u16 = 12;

/// Tiles, states, grants and bundles beside those on the disk.
#[derive(Default)]
pub(crate) struct Session(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    tiles: Vec<Tile>,
    states: BTreeMap<String, SavedState>,
    decisions: Vec<(WidgetId, String, bool)>,
    bundles: BTreeMap<Subject, Arc<Bundle>>,
    troubles: BTreeMap<String, String>,
}

impl Session {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tiles(&self) -> Vec<Tile> {
        self.inner().tiles.clone()
    }

    pub(crate) fn has_tile(&self, instance: &str) -> bool {
        self.inner().tiles.iter().any(|tile| tile.instance == instance)
    }

    pub(crate) fn add(&self, tile: Tile) {
        let mut inner = self.inner();
        inner.tiles.retain(|found| found.instance != tile.instance);
        inner.tiles.push(tile);
    }

    /// Takes its own tiles out of a board, with where they stand now. One that is not there any more is forgotten.
    pub(crate) fn part(&self, mut board: Board) -> Board {
        let own: Vec<_> = board.tiles.extract_if(.., |tile| is_ones(&tile.widget)).collect();
        for tile in self.tiles() {
            if !own.iter().any(|found| found.instance == tile.instance) {
                self.remove(&tile.instance);
            }
        }
        let mut inner = self.inner();
        for tile in own {
            if let Some(found) = inner
                .tiles
                .iter_mut()
                .find(|found| found.instance == tile.instance)
            {
                *found = tile;
            }
        }
        board
    }

    pub(crate) fn remove(&self, instance: &str) {
        let mut inner = self.inner();
        let Some(place) = inner.tiles.iter().position(|tile| tile.instance == instance) else {
            return;
        };
        let widget = inner.tiles.remove(place).widget;
        inner.states.remove(instance);
        inner.troubles.remove(instance);
        if !inner.tiles.iter().any(|tile| tile.widget == widget) {
            inner.bundles.remove(&Subject::Widget(widget.clone()));
            inner.decisions.retain(|(of, ..)| *of != widget);
        }
    }

    pub(crate) fn state(&self, instance: &str) -> Option<SavedState> {
        self.inner().states.get(instance).cloned()
    }

    pub(crate) fn save_state(&self, instance: &str, state: SavedState) {
        self.inner().states.insert(instance.to_owned(), state);
    }

    /// The decisions of the user with those about its widgets. None of these is in a file, and what a file says of
    /// them, were it there, does not hold.
    pub(crate) fn over(&self, mut grants: Grants) -> Grants {
        for (widget, capability, allowed) in &self.inner().decisions {
            grants.decide(widget, capability, *allowed, String::new());
        }
        grants
    }

    pub(crate) fn decide(&self, widget: &WidgetId, capability: &str, allowed: bool) {
        let mut inner = self.inner();
        inner
            .decisions
            .retain(|(of, named, _)| of != widget || named != capability);
        inner
            .decisions
            .push((widget.clone(), capability.to_owned(), allowed));
    }

    /// From now on this bundle is what its widget is.
    pub(crate) fn run(&self, subject: &Subject, bundle: &Arc<Bundle>) {
        self.inner().bundles.insert(subject.clone(), Arc::clone(bundle));
    }

    pub(crate) fn bundle(&self, subject: &Subject) -> Option<Arc<Bundle>> {
        self.inner().bundles.get(subject).cloned()
    }

    pub(crate) fn subjects(&self) -> Vec<Subject> {
        self.inner().bundles.keys().cloned().collect()
    }

    pub(crate) fn trouble(&self, instance: &str, text: Option<String>) {
        let mut inner = self.inner();
        match text {
            Some(text) => inner.troubles.insert(instance.to_owned(), text),
            None => inner.troubles.remove(instance),
        };
    }

    pub(crate) fn view(&self) -> DeveloperView {
        let inner = self.inner();
        let tiles = inner.tiles.iter().map(|tile| {
            let trouble = inner.troubles.get(&tile.instance).cloned();
            (tile.instance.clone(), trouble)
        });
        DeveloperView {
            tiles: tiles.collect(),
        }
    }
}

/// Whether a widget is one that is being written.
pub(crate) fn is_ones(widget: &WidgetId) -> bool {
    widget.publisher() == PUBLISHER
}

/// The first place in reading order in which a tile of this size covers no other.
pub(crate) fn free_cell(tiles: &[Tile], size: Option<Size>) -> Cell {
    let (w, h) = match size {
        Some(Size::S) => (2, 2),
        Some(Size::L) => (4, 4),
        Some(Size::M) | None => (4, 2),
    };
    let overlaps = |one: &Cell, other: &Cell| {
        one.x < other.x + other.w
            && other.x < one.x + one.w
            && one.y < other.y + other.h
            && other.y < one.y + one.h
    };
    let mut y = 0;
    loop {
        for x in 0..=COLUMNS - w {
            let cell = Cell { x, y, w, h };
            if !tiles.iter().any(|tile| overlaps(&tile.cell, &cell)) {
                return cell;
            }
        }
        y += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tile(instance: &str, widget: &str, cell: (u16, u16, u16, u16)) -> anyhow::Result<Tile> {
        let (x, y, w, h) = cell;
        Ok(Tile {
            instance: instance.to_owned(),
            widget: widget.parse()?,
            cell: Cell { x, y, w, h },
            settings: serde_json::Map::new(),
            pinned: None,
        })
    }

    #[test]
    fn nothing_of_its_tiles_gets_to_the_board_that_is_saved() -> anyhow::Result<()> {
        let session = Session::default();
        session.add(tile("developer-a", "developer/a", (0, 0, 2, 2))?);
        let notes = tile("notes-1", "moult/notes", (2, 0, 4, 4))?;
        let moved = tile("developer-a", "developer/a", (8, 0, 2, 2))?;
        // One that is nowhere shown is not kept either: it can only be a mistake.
        let stray = tile("developer-b", "developer/b", (10, 0, 2, 2))?;
        let board = Board {
            tiles: vec![moved.clone(), notes.clone(), stray],
        };
        assert_eq!(session.part(board).tiles, std::slice::from_ref(&notes));
        assert_eq!(session.tiles(), [moved], "where the user put it");
        assert_eq!(
            session
                .part(Board {
                    tiles: vec![notes.clone()]
                })
                .tiles,
            [notes]
        );
        assert!(session.tiles().is_empty(), "the user took it off");
        Ok(())
    }

    #[test]
    fn with_its_tile_all_of_it_is_forgotten() -> anyhow::Result<()> {
        let session = Session::default();
        let id: WidgetId = "developer/a".parse()?;
        session.add(tile("developer-a", "developer/a", (0, 0, 2, 2))?);
        session.decide(&id, "network", true);
        session.save_state(
            "developer-a",
            SavedState {
                schema: 1,
                data: json!(1),
            },
        );
        assert!(session.over(Grants::default()).allows(&id, "network"));
        session.remove("developer-a");
        assert!(!session.over(Grants::default()).allows(&id, "network"));
        assert!(session.state("developer-a").is_none());
        assert!(session.view().tiles.is_empty());
        Ok(())
    }

    #[test]
    fn a_new_tile_covers_no_other() -> anyhow::Result<()> {
        let tiles = [
            tile("a", "m/a", (0, 0, 4, 2))?,
            tile("b", "m/b", (4, 0, 4, 4))?,
            tile("c", "m/c", (8, 0, 4, 4))?,
        ];
        let at = |size| {
            let cell = free_cell(&tiles, size);
            (cell.x, cell.y, cell.w, cell.h)
        };
        assert_eq!(at(Some(Size::S)), (0, 2, 2, 2));
        assert_eq!(at(None), (0, 2, 4, 2));
        assert_eq!(at(Some(Size::L)), (0, 2, 4, 4));
        Ok(())
    }
}
