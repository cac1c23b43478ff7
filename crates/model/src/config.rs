//! The publisher's configuration, `release.config.json`.

pub mod installer;
mod policy;
mod rollout;
mod store;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, WidgetId};
pub use policy::{Advisories, Licenses, NpmAudit, Policy, Publish, Sbom, Secrets};
pub use rollout::{HaltIf, Rollback, RolloutDefaults, Step, Strategy, Watch};
pub use store::{Keep, Store};

/// What is published, from where, and to where. Paths are relative to the configuration's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseConfig {
    /// The JSON schema, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The product.
    pub product: Product,
    /// Where the repository is written to and read from.
    pub repository: Repository,
    /// The folder that holds the signing keys. Never inside the repository.
    #[serde(default = "default_keys")]
    pub keys: String,
    /// The Rust target triples that the application is released for.
    pub targets: Vec<String>,
    /// The channels, most careful first. What is released on one is also offered on all after it.
    pub channels: Vec<Channel>,
    /// Patches.
    #[serde(default)]
    pub patches: Patches,
    /// The application's own files.
    pub app: App,
    /// The widgets and the folders that hold them, built, with `moult.json` at the top.
    #[serde(default)]
    pub widgets: BTreeMap<WidgetId, String>,
    /// Who gets a release when, unless the command says it.
    #[serde(default)]
    pub rollout: RolloutDefaults,
    /// What must hold before anything is published, and what is published with a release.
    #[serde(default)]
    pub publish: Publish,
    /// What `moult prune` leaves.
    #[serde(default)]
    pub keep: Keep,
    /// What installers are made from. None: `moult installer` makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installer: Option<installer::Installer>,
}

/// The product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The name a person reads.
    pub name: String,
    /// The reverse-domain identifier.
    pub identifier: String,
}

/// Where the repository is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The folder that the repository is written to.
    pub folder: String,
    /// The address that clients read it from, ending in `/`.
    pub url: String,
    /// Where the folder is brought to. None: whoever publishes copies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
}

/// Patches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Patches {
    /// From how many versions back patches are made to a new one.
    pub versions_back: usize,
    /// The folder that patches are made in before they are signed into the repository.
    pub folder: String,
}

/// The application's own files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The executable; `{target}` stands for the target triple.
    pub executable: String,
    /// The built shell, with `moult.json` at the top.
    pub shell: String,
}

fn default_keys() -> String {
    "keys".to_owned()
}

impl Default for Patches {
    fn default() -> Self {
        Self {
            versions_back: 3,
            folder: "patches/out".to_owned(),
        }
    }
}
