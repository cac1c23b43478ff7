//! What must hold before anything is published.

use serde::{Deserialize, Serialize};

/// What must hold before anything is published, and what is published with a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// Rules that are checked before any key is used.
    pub policy: Policy,
    /// What a release's bill of materials is made from. None: releases have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbom: Option<Sbom>,
}

/// Rules that are checked before any key is used. What is left out is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Which licences the dependencies may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licenses: Option<Licenses>,
    /// Known vulnerabilities of Rust packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisories: Option<Advisories>,
    /// Known vulnerabilities of npm packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npm_audit: Option<NpmAudit>,
    /// Secrets in what is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Secrets>,
}

/// Which licences the dependencies may have, by their SPDX names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Licenses {
    /// Those that may be. Empty: all that are not denied.
    pub allow: Vec<String>,
    /// Those that may not be.
    pub deny: Vec<String>,
    /// Packages that are not looked at, by name.
    pub except: Vec<String>,
}

/// Known vulnerabilities of Rust packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advisories {
    /// A folder with a copy of the RustSec advisory database: `crates/PACKAGE/ID.md`.
    pub database: String,
    /// Advisories that don't block, by id.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// Known vulnerabilities of npm packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NpmAudit {
    /// The file that `npm audit --json` was written to.
    pub report: String,
    /// The least severity that blocks: `info`, `low`, `moderate`, `high` or `critical`.
    #[serde(default = "moderate")]
    pub from: String,
    /// Packages that don't block, by name.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// Secrets in what is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Folders and files that are looked through besides what is published, such as the sources.
    pub also: Vec<String>,
    /// Files that are left out, by the end of their path.
    pub ignore: Vec<String>,
}

/// What a bill of materials is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sbom {
    /// The `Cargo.toml` of the package or workspace that the executable is built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cargo: Option<String>,
    /// The `package-lock.json` that the shell and the widgets are built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npm: Option<String>,
}

fn moderate() -> String {
    "moderate".to_owned()
}
