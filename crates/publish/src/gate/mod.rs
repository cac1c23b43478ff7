//! What must hold before any key is used: `publish.policy` of the configuration. It reads what is to be published and what it was
//! made from, and says where each fault is. It refuses to know keys and repositories.

mod advisories;
mod licenses;
mod npm_audit;
mod secrets;

use std::fmt;
use std::path::PathBuf;

use moult_model::Subject;
use serde::Serialize;

use crate::PublishError;
use crate::config::Workspace;
use crate::progress::Progress;
use crate::release::Artifact;

pub(crate) use advisories::Known;
pub(crate) use licenses::{Licensed, banned, npm_packages};

/// Why the rules could not be checked, or what broke them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// Rules are broken.
    #[error("`publish.policy` forbids this release: {}", crate::widget::check::count(faults.len(), "fault"))]
    Broken {
        /// What was found.
        faults: Vec<Fault>,
    },
    /// A file or folder that a rule needs can't be read.
    #[error("`{path}`, which `publish.policy` needs, can't be read")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A rule has a value that can't work.
    #[error("`{field}` has `{value}`: {problem}")]
    Rule {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A rule that is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The rule.
    rule: Rule,
    /// Where: a package, or a file with its line.
    place: String,
    /// What is wrong there.
    what: String,
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// `publish.policy.secrets`.
    Secret,
    /// `publish.policy.advisories` and `npm_audit`.
    Vulnerability,
    /// `publish.policy.licenses`.
    License,
}

impl Fault {
    pub(crate) fn new(rule: Rule, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            rule,
            place: place.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Rule::Secret => "secret",
            Rule::Vulnerability => "vulnerability",
            Rule::License => "licence",
        };
        write!(f, "{rule:<14} {}: {}", self.place, self.what)
    }
}

impl GateError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Broken { .. } => {
                "no key was used and nothing was written; mend what is said above, or change the rule in the configuration"
            }
            Self::Read { .. } => "correct the path in the configuration, or make the file",
            Self::Rule { .. } => "correct the configuration",
        }
        .to_owned()
    }

    /// What broke the rules.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Broken { faults } => faults,
            Self::Read { .. } | Self::Rule { .. } => &[],
        }
    }
}

/// Checks all rules, and tells all faults at once.
pub fn check(workspace: &Workspace, artifacts: &[Artifact], progress: &Progress) -> Result<(), PublishError> {
    let publish = &workspace.config().publish;
    let policy = &publish.policy;
    let sources = publish.sbom.clone().unwrap_or_default();
    let mut faults = Vec::new();
    if let Some(rules) = &policy.secrets {
        progress.stage("looking for secrets");
        for artifact in artifacts {
            faults.extend(secrets::in_artifact(artifact, rules));
        }
        for path in &rules.also {
            faults.extend(secrets::below(&workspace.resolve(path), path, rules)?);
        }
    }
    let has_app = artifacts
        .iter()
        .any(|artifact| artifact.subject == Subject::Executable);
    let has_bundle = artifacts
        .iter()
        .any(|artifact| artifact.subject != Subject::Executable);
    if let Some(rules) = &policy.licenses {
        progress.stage("reading licences");
        let mut packages = Vec::new();
        if let Some(cargo) = sources.cargo.as_ref().filter(|_| has_app) {
            packages.extend(licenses::of_cargo(&workspace.resolve(cargo))?);
        }
        if let Some(npm) = sources.npm.as_ref().filter(|_| has_bundle) {
            packages.extend(licenses::of_npm(&workspace.resolve(npm))?);
        }
        faults.extend(banned(&packages, rules)?);
    }
    if let Some(rules) = policy.advisories.as_ref().filter(|_| has_app) {
        progress.stage("looking for known vulnerabilities");
        let known = Known::open(&workspace.resolve(&rules.database), &rules.ignore)?;
        let manifest = sources.cargo.as_deref().unwrap_or("Cargo.toml");
        faults.extend(known.in_lock_file(&workspace.resolve(manifest))?);
    }
    if let Some(rules) = policy.npm_audit.as_ref().filter(|_| has_bundle) {
        faults.extend(npm_audit::check(&workspace.resolve(&rules.report), rules)?);
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.sort();
    faults.dedup();
    Err(GateError::Broken { faults }.into())
}
