//! What an executable is made of, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, PackageId};

use super::{Part, SbomError, reference};

/// The packages that are built into what a manifest's workspace builds, for one target triple if there is one. Those for tests
/// alone are left out.
pub(super) fn parts(manifest: &Path, triple: Option<&str>) -> Result<Vec<Part>, SbomError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SbomError::Source {
        path: manifest.to_owned(),
        source,
    };
    let mut options = vec!["--locked".to_owned()];
    if let Some(triple) = triple {
        options.extend(["--filter-platform".to_owned(), triple.to_owned()]);
    }
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(options)
        .exec()
        .map_err(|error| failed(error.into()))?;
    let nodes = metadata
        .resolve
        .as_ref()
        .map(|resolve| resolve.nodes.as_slice())
        .unwrap_or_default();
    let needs: BTreeMap<&PackageId, Vec<&PackageId>> = nodes
        .iter()
        .map(|node| {
            let is_built = |dependency: &&cargo_metadata::NodeDep| {
                dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind != DependencyKind::Development)
            };
            let built = node.deps.iter().filter(is_built);
            (&node.id, built.map(|dependency| &dependency.pkg).collect())
        })
        .collect();
    let mut reached: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
    let mut next: Vec<_> = reached.iter().copied().collect();
    while let Some(id) = next.pop() {
        for needed in needs.get(id).into_iter().flatten() {
            if reached.insert(needed) {
                next.push(needed);
            }
        }
    }
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package))
        .collect();
    let checksums = checksums(metadata.workspace_root.as_std_path());
    let part = |id: &&PackageId| {
        let package = names.get(*id)?;
        let (name, version) = (package.name.to_string(), package.version.to_string());
        let needs = needs.get(*id).into_iter().flatten();
        let mut needs: Vec<_> = needs
            .filter_map(|id| names.get(id))
            .map(|needed| reference("cargo", &needed.name, &needed.version.to_string()))
            .collect();
        needs.sort();
        needs.dedup();
        Some(Part {
            kind: "cargo",
            sha256: checksums.get(&(name.clone(), version.clone())).cloned(),
            name,
            version,
            license: package.license.clone(),
            needs,
        })
    };
    Ok(reached.iter().filter_map(part).collect())
}

/// The checksums of a lock file. Without one there are none, and the bill goes without.
fn checksums(root: &Path) -> BTreeMap<(String, String), String> {
    let Ok(lock_file) = rustsec::Lockfile::load(root.join("Cargo.lock")) else {
        return BTreeMap::new();
    };
    let packages = lock_file.packages.into_iter();
    packages
        .filter_map(|package| {
            let checksum = package.checksum?;
            Some((
                (package.name.to_string(), package.version.to_string()),
                checksum.to_string(),
            ))
        })
        .collect()
}
