//! Known vulnerabilities of Rust packages, from a folder in the format of the RustSec advisory database.

use std::path::Path;

use moult_model::Version;
use rustsec::advisory::Advisory;
use rustsec::database::Query;
use rustsec::{Collection, Database, Lockfile};

use super::{Fault, GateError, Rule};

/// What is known.
pub(crate) struct Known {
    database: Database,
    ignore: Vec<String>,
}

impl Known {
    /// Reads the database. Advisories named in `ignore` are left out.
    pub(crate) fn open(folder: &Path, ignore: &[String]) -> Result<Self, GateError> {
        // The library says its causes in its own text.
        let database = Database::open(folder).map_err(|error| GateError::Read {
            path: folder.to_owned(),
            source: error.to_string().into(),
        })?;
        Ok(Self {
            database,
            ignore: ignore.to_vec(),
        })
    }

    /// What is known of the packages in the lock file beside a manifest.
    pub(crate) fn in_lock_file(&self, manifest: &Path) -> Result<Vec<Fault>, GateError> {
        let path = manifest.with_file_name("Cargo.lock");
        let lock_file = Lockfile::load(&path).map_err(|error| GateError::Read {
            path: path.clone(),
            source: error.to_string().into(),
        })?;
        let mut faults = Vec::new();
        for package in &lock_file.packages {
            // A package of the workspace itself has no source, and a name that may be anybody's.
            if package.source.is_some() {
                faults.extend(self.of(package.name.as_str(), &package.version));
            }
        }
        Ok(faults)
    }

    /// What is known of a package in one version.
    pub(crate) fn of(&self, name: &str, version: &Version) -> Vec<Fault> {
        let Ok(package) = name.parse() else {
            return Vec::new();
        };
        let query = Query::new()
            .collection(Collection::Crates)
            .package_name(package)
            .package_version(version.clone())
            .withdrawn(false)
            .informational(false);
        self.database
            .query(&query)
            .into_iter()
            .filter(|advisory| !self.ignore.iter().any(|id| id == advisory.id().as_str()))
            .map(|advisory| fault(name, version, advisory))
            .collect()
    }
}

fn fault(name: &str, version: &Version, advisory: &Advisory) -> Fault {
    let patched = advisory.versions.patched().iter().map(ToString::to_string);
    let patched: Vec<_> = patched.collect();
    let mended = if patched.is_empty() {
        "no version mends it".to_owned()
    } else {
        format!("mended in {}", patched.join(", "))
    };
    Fault::new(
        Rule::Vulnerability,
        format!("{name} {version}"),
        format!(
            "{}, {}; {mended}",
            advisory.id(),
            advisory.title().trim_end_matches('.')
        ),
    )
}
