//! Checks the bills of what is out by what is known today.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use cyclonedx_bom::models::license::LicenseChoice;
use cyclonedx_bom::prelude::Bom;
use moult_model::{Index, Subject, Version};
use serde::Serialize;

use super::{SbomError, path};
use crate::PublishError;
use crate::config::Workspace;
use crate::gate::{Fault, Known, Licensed, banned};

/// What was found.
#[derive(Debug, Serialize)]
pub struct Rechecked {
    /// How many bills were checked.
    checked: usize,
    /// How many packages they list.
    packages: usize,
    releases: Vec<Faulty>,
    /// Releases that have no bill.
    without: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Faulty {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    version: Version,
    faults: Vec<Fault>,
}

impl Rechecked {
    /// How many faults were found.
    pub fn faults(&self) -> usize {
        self.releases.iter().map(|release| release.faults.len()).sum()
    }
}

/// Checks the bill of every release that is listed and was not recalled.
pub fn check(
    workspace: &Workspace,
    indexes: &[Index],
    database: Option<&Path>,
) -> Result<Rechecked, PublishError> {
    let policy = &workspace.config().publish.policy;
    let configured = policy
        .advisories
        .as_ref()
        .map(|rules| (workspace.resolve(&rules.database), rules.ignore.clone()));
    let place: Option<(PathBuf, Vec<String>)> = match (database, configured) {
        (Some(folder), Some((_, ignore))) => Some((folder.to_owned(), ignore)),
        (Some(folder), None) => Some((folder.to_owned(), Vec::new())),
        (None, configured) => configured,
    };
    let known = place
        .map(|(folder, ignore)| Known::open(&folder, &ignore))
        .transpose()?;
    let mut rechecked = Rechecked {
        checked: 0,
        packages: 0,
        releases: Vec::new(),
        without: Vec::new(),
    };
    let mut seen: BTreeMap<(String, String), Vec<Fault>> = BTreeMap::new();
    for index in indexes {
        let folder = index.subject.folder(index.triple.as_deref().unwrap_or_default());
        for release in &index.releases {
            if release.policy.recalled.is_some() {
                continue;
            }
            let place = workspace
                .repository()
                .join("targets")
                .join(path(&folder, &release.digest));
            if !place.is_file() {
                rechecked
                    .without
                    .push(format!("{} {}", index.subject, release.version));
                continue;
            }
            let packages = read(&place)?;
            rechecked.checked += 1;
            rechecked.packages += packages.len();
            let mut faults = Vec::new();
            if let Some(rules) = &policy.licenses {
                let packages: Vec<_> = packages.iter().map(|(_, package)| package.clone()).collect();
                faults.extend(banned(&packages, rules)?);
            }
            for (kind, package) in &packages {
                if kind == "cargo"
                    && let (Some(known), Ok(version)) = (&known, package.version.parse())
                {
                    let key = (package.name.clone(), package.version.clone());
                    let found = seen
                        .entry(key)
                        .or_insert_with(|| known.of(&package.name, &version));
                    faults.extend(found.iter().cloned());
                }
            }
            faults.sort();
            if !faults.is_empty() {
                rechecked.releases.push(Faulty {
                    subject: index.subject.clone(),
                    triple: index.triple.clone(),
                    version: release.version.clone(),
                    faults,
                });
            }
        }
    }
    if rechecked.releases.is_empty() {
        Ok(rechecked)
    } else {
        Err(SbomError::Found {
            rechecked: Box::new(rechecked),
        }
        .into())
    }
}

/// The packages of a bill, each with the kind of its address.
fn read(place: &Path) -> Result<Vec<(String, Licensed)>, SbomError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SbomError::Stored {
        path: place.to_owned(),
        source,
    };
    let bytes = std::fs::read(place).map_err(|error| failed(error.into()))?;
    let bom = Bom::parse_from_json(&bytes[..]).map_err(|error| failed(error.into()))?;
    let components = bom.components.map(|components| components.0).unwrap_or_default();
    let package = |component: cyclonedx_bom::prelude::Component| {
        let purl = component
            .purl
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let kind = purl.strip_prefix("pkg:").and_then(|rest| rest.split('/').next());
        let license = component.licenses.and_then(|licenses| {
            licenses.0.into_iter().find_map(|license| match license {
                LicenseChoice::Expression(expression) => Some(expression.to_string()),
                LicenseChoice::License(_) => None,
            })
        });
        let licensed = Licensed {
            name: component.name.to_string(),
            version: component
                .version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            license,
            place: "its bill of materials".to_owned(),
        };
        (kind.unwrap_or_default().to_owned(), licensed)
    };
    Ok(components.into_iter().map(package).collect())
}

impl fmt::Display for Rechecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for release in &self.releases {
            let triple = release.triple.iter().map(|triple| format!(" for {triple}"));
            let triple: String = triple.collect();
            writeln!(f, "{} {}{triple}", release.subject, release.version)?;
            for fault in &release.faults {
                writeln!(f, "  {fault}")?;
            }
        }
        for release in &self.without {
            writeln!(f, "{release} has no bill of materials")?;
        }
        let (checked, packages) = (self.checked, self.packages);
        write!(
            f,
            "checked {checked} bills with {packages} packages, {} faults",
            self.faults()
        )
    }
}
