//! What a bundle says of itself.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::settings::Setting;
use super::shadow::{ShadowRun, TrialRule};
use crate::Subject;

/// What a bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum BundleKind {
    /// A widget: untrusted, in an opaque-origin frame, with the permissions it was granted.
    Widget,
    /// The application's own frontend.
    Shell,
}

/// The manifest, `moult.json` at the top of a bundle's source folder and the first thing in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// What it is.
    pub kind: BundleKind,
    /// Its name in the repository: `shell` or `w/publisher/name`.
    pub id: Subject,
    /// Its version.
    #[ts(type = "string")]
    #[schemars(with = "String")]
    pub version: Version,
    /// The name a person reads.
    pub name: String,
    /// What it does, in one sentence.
    #[serde(default)]
    pub description: String,
    /// Where its parts begin.
    pub entry: EntryPoints,
    /// The hosts it runs in.
    pub host_api: HostApi,
    /// The state it keeps, if it keeps any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateSchema>,
    /// What it asks for, each with a reason that the user reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// The sizes it can be shown at; the first is the usual one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<Size>,
    /// Whether the widget takes the whole tile and draws its own header.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_tile: bool,
    /// What its user may set, for each instance on the board. The host draws the form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Setting>,
    /// The languages that it speaks, as BCP 47.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locales: Vec<String>,
    /// Its picture: the path of an SVG or PNG in the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What counts as failing while a version is on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialRule>,
    /// Whether new logic must run beside the live one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowRun>,
}

impl BundleManifest {
    /// One that asks for nothing and keeps nothing.
    pub fn new(
        kind: BundleKind,
        id: Subject,
        version: Version,
        name: impl Into<String>,
        ui: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            id,
            version,
            name: name.into(),
            description: String::new(),
            entry: EntryPoints {
                ui: ui.into(),
                logic: None,
            },
            host_api: HostApi { min: 1, max: 1 },
            state: None,
            permissions: Vec::new(),
            sizes: Vec::new(),
            whole_tile: false,
            settings: BTreeMap::new(),
            locales: Vec::new(),
            icon: None,
            trial: None,
            shadow: None,
        }
    }
}

/// Where a bundle's parts begin: paths inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct EntryPoints {
    /// The page that is loaded into the frame.
    pub ui: String,
    /// The WebAssembly component that holds its logic, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logic: Option<String>,
}

/// The versions of the host contract that a bundle was made for, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct HostApi {
    /// The oldest host it runs in.
    pub min: u32,
    /// The newest host it was tried in.
    pub max: u32,
}

impl HostApi {
    /// Whether a host of this version can run the bundle.
    pub fn admits(self, host: u32) -> bool {
        (self.min..=self.max).contains(&host)
    }
}

/// The state a bundle keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct StateSchema {
    /// The schema it writes.
    pub schema: u32,
    /// The oldest schema it can take over.
    pub reads_from: u32,
}

/// Something a bundle asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The capability, such as `system.figures`.
    pub capability: String,
    /// Why, in a sentence that the user reads.
    pub reason: String,
    /// `network`: the hosts that it may reach: `example.org`, `*.example.org`, `example.org:8443`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub hosts: Vec<String>,
    /// `bus`: the topics of its own that it publishes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub publishes: Vec<String>,
    /// `bus`: the topics that it listens to: `w/publisher/name:topic`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub listens: Vec<String>,
    /// `bus`: the topics of its own on which it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub answers: Vec<String>,
    /// `bus`: the topics that it asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub asks: Vec<String>,
    /// `shared`: the values of its own that it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub writes: Vec<String>,
    /// `shared`: the values that it reads: `w/publisher/name:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub reads: Vec<String>,
}

impl Permission {
    /// One without bounds.
    pub fn new(capability: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            capability: capability.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }
}

/// A size on the board's grid of 12 columns: `s` is 2 by 2, `m` 4 by 2, `l` 4 by 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// 2 columns, 2 rows.
    S,
    /// 4 columns, 2 rows.
    M,
    /// 4 columns, 4 rows.
    L,
}
