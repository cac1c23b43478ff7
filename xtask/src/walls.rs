//! The walls between crates: who may import whom, and what may never come near.
//!
//! The rules are data, below. A crate that is not in the table fails the check: whoever adds one
//! says where it stands.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::command::{cargo, command, quiet, root};

struct Wall {
    package: &'static str,
    /// The crates of this workspace that it may name; those of tests aside.
    may_import: &'static [&'static str],
    /// Packages that it may not depend on, not even through others.
    never: &'static [&'static str],
}

const NETWORK: &[&str] = &[
    "hyper",
    "reqwest",
    "tokio",
    "rustls",
    "aws-lc-rs",
    "sigstore-tuf",
    "tauri",
    "wry",
    "wasmtime",
];
const SCREEN: &[&str] = &["tauri", "wry", "gtk", "wasmtime"];

const WALLS: &[Wall] = &[
    Wall {
        package: "moult-model",
        may_import: &[],
        never: NETWORK,
    },
    Wall {
        package: "moult-durable",
        may_import: &[],
        never: NETWORK,
    },
    Wall {
        package: "moult-delta",
        may_import: &[],
        never: NETWORK,
    },
    Wall {
        package: "moult-containers",
        may_import: &["moult-delta"],
        never: NETWORK,
    },
    Wall {
        package: "moult-trust",
        may_import: &["moult-durable", "moult-model"],
        never: &["reqwest", "hyper", "tauri", "wry", "gtk", "wasmtime"],
    },
    // It must start when all of these are broken.
    Wall {
        package: "moult-boot",
        may_import: &["moult-durable", "moult-model"],
        never: NETWORK,
    },
    Wall {
        package: "moult-update",
        may_import: &[
            "moult-boot",
            "moult-delta",
            "moult-durable",
            "moult-model",
            "moult-trust",
        ],
        never: SCREEN,
    },
    // What it says to logic, not what runs it: the application must never hold an engine.
    Wall {
        package: "moult-sandbox",
        may_import: &["moult-durable", "moult-model"],
        never: NETWORK,
    },
    Wall {
        package: "moult-logic",
        may_import: &["moult-model", "moult-sandbox"],
        never: &["hyper", "reqwest", "tokio", "rustls", "tauri", "wry", "gtk"],
    },
    Wall {
        package: "moult-handover",
        may_import: &["moult-boot", "moult-durable", "moult-model"],
        never: NETWORK,
    },
    // It must start when every window is broken.
    Wall {
        package: "moult-rescue",
        may_import: &[
            "moult-boot",
            "moult-durable",
            "moult-model",
            "moult-trust",
            "moult-update",
        ],
        never: SCREEN,
    },
    Wall {
        package: "moult-publish",
        may_import: &[
            "moult-containers",
            "moult-delta",
            "moult-durable",
            "moult-model",
            "moult-sandbox",
            "moult-trust",
            "moult-update",
        ],
        never: SCREEN,
    },
    // What runs at the user's can't sign.
    Wall {
        package: "moult-app",
        may_import: &[
            "moult-boot",
            "moult-delta",
            "moult-durable",
            "moult-handover",
            "moult-model",
            "moult-sandbox",
            "moult-trust",
            "moult-update",
        ],
        never: &["moult-publish", "moult-tests", "minisign", "axum", "wasmtime"],
    },
    Wall {
        package: "moult-tests",
        may_import: &[
            "moult-boot",
            "moult-delta",
            "moult-durable",
            "moult-handover",
            "moult-model",
            "moult-publish",
            "moult-sandbox",
            "moult-trust",
            "moult-update",
        ],
        never: &["moult-app", "tauri", "wry"],
    },
    // Nobody else gets targets of any name.
    Wall {
        package: "moult-tuf-client",
        may_import: &["moult-durable", "moult-trust", "moult-update"],
        never: SCREEN,
    },
    Wall {
        package: "xtask",
        may_import: &[],
        never: NETWORK,
    },
];

/// Packages that only these crates name.
const OWNERS: &[(&str, &[&str])] = &[
    ("sigstore-tuf", &["moult-trust"]),
    ("aws-lc-rs", &["moult-trust"]),
    ("minisign", &["moult-trust"]),
    ("bsdiff", &["moult-delta"]),
    // Who writes a .deb packs it with what patches between two of them rebuild it with.
    ("liblzma", &["moult-containers", "moult-publish"]),
    ("miniz_oxide", &["moult-containers"]),
    ("object_store", &["moult-publish"]),
    ("reqwest", &["moult-app", "moult-update", "moult-tests"]),
    ("tauri", &["moult-app"]),
    ("rfd", &["moult-app"]),
    ("wasmtime", &["moult-logic"]),
];

/// Features that a crate is never built with, not even through others: crate, package, feature.
const FEATURES: &[(&str, &str, &str)] = &[
    ("moult-app", "moult-trust", "sign"),
    ("moult-update", "moult-trust", "sign"),
    ("moult-app", "moult-trust", "conformance"),
    ("moult-rescue", "moult-trust", "conformance"),
];

/// Fails with a line for each import that goes through a wall.
pub(crate) fn check() -> Result<String> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .cargo_path(cargo())
        .no_deps()
        .exec()?;
    let mut broken = direct(&metadata);
    for package in metadata.workspace_packages() {
        let Some(wall) = WALLS.iter().find(|wall| *package.name == wall.package) else {
            continue;
        };
        broken.extend(through(wall, &tree(wall.package)?));
    }
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(format!("{} crates", WALLS.len()))
}

/// What the manifests name.
fn direct(metadata: &Metadata) -> Vec<String> {
    let packages = metadata.workspace_packages();
    let own: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut broken = Vec::new();
    for package in &packages {
        let name = package.name.as_str();
        let Some(wall) = WALLS.iter().find(|wall| wall.package == name) else {
            broken.push(format!(
                "{name} has no place in the table of walls (xtask/src/walls.rs)"
            ));
            continue;
        };
        for import in imports(package) {
            if own.contains(import) && !wall.may_import.contains(&import) {
                broken.push(format!("{name} may not import {import}"));
            }
            if let Some((_, owners)) = OWNERS.iter().find(|(owned, _)| *owned == import)
                && !owners.contains(&name)
            {
                broken.push(format!(
                    "{name} may not name {import}: that is for {}",
                    owners.join(" and ")
                ));
            }
        }
    }
    for wall in WALLS.iter().filter(|wall| !own.contains(wall.package)) {
        broken.push(format!(
            "the table of walls names {}, which is not there",
            wall.package
        ));
    }
    broken
}

/// What a manifest names, but for tests.
fn imports(package: &Package) -> BTreeSet<&str> {
    let kept = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    kept.map(|dependency| dependency.name.as_str()).collect()
}

/// A package in the tree of a crate, with the features that it is built with there.
struct Node {
    name: String,
    features: BTreeSet<String>,
}

/// All that a crate depends on when it is built by itself, on any system. `cargo metadata` can't
/// tell that: it joins the features that all crates of the workspace ask for.
fn tree(package: &str) -> Result<Vec<Node>> {
    let edges = [
        "--edges", "normal", "--target", "all", "--prefix", "none", "--format", "{p}\t{f}",
    ];
    let lines = quiet(&mut command(
        cargo(),
        &[&["tree", "--package", package], &edges[..]].concat(),
    ))?;
    let nodes = parse(&lines);
    match nodes.first() {
        Some(first) if first.name == package => Ok(nodes),
        _ => bail!("`cargo tree` did not begin with {package}"),
    }
}

/// Lines such as `name v1.2.3 (/path)<tab>feature,feature (*)`.
fn parse(lines: &str) -> Vec<Node> {
    let node = |line: &str| {
        let (package, features) = line.split_once('\t')?;
        let name = package.split_whitespace().next()?.to_owned();
        let features = features
            .split(',')
            .map(|feature| feature.trim_end_matches("(*)").trim().to_owned());
        Some(Node {
            name,
            features: features.collect(),
        })
    };
    lines.lines().filter_map(node).collect()
}

fn through(wall: &Wall, tree: &[Node]) -> Vec<String> {
    let never = wall
        .never
        .iter()
        .filter(|never| tree.iter().any(|node| node.name == **never));
    let never = never.map(|never| {
        format!(
            "{} may never depend on {never}, not even through others",
            wall.package
        )
    });
    let features = FEATURES.iter().filter(|(package, on, feature)| {
        *package == wall.package
            && tree
                .iter()
                .any(|node| node.name == *on && node.features.contains(*feature))
    });
    let features =
        features.map(|(package, on, feature)| format!("{package} may never have {on} with `{feature}`"));
    never.chain(features).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "a v0.1.0 (/project/a)\t\nmoult-trust v0.1.0 (/project/trust)\tdefault,sign\n\
                        tokio v1.0.0\tfs,net (*)\ntokio-util v0.7.0\t";

    #[test]
    fn a_package_behind_a_wall_is_found_by_its_whole_name() {
        let broken = |never: &'static [&'static str]| {
            through(
                &Wall {
                    package: "a",
                    may_import: &[],
                    never,
                },
                &parse(TREE),
            )
        };
        assert_eq!(
            broken(&["tokio"]),
            ["a may never depend on tokio, not even through others"]
        );
        assert!(broken(&["tok", "util", "tauri"]).is_empty());
    }

    #[test]
    fn a_forbidden_feature_is_found() {
        let with = |package| {
            through(
                &Wall {
                    package,
                    may_import: &[],
                    never: &[],
                },
                &parse(TREE),
            )
        };
        assert_eq!(
            with("moult-app"),
            ["moult-app may never have moult-trust with `sign`"]
        );
        assert!(with("moult-publish").is_empty());
    }

    #[test]
    fn what_a_crate_may_import_is_not_forbidden_and_never_goes_round_in_a_circle() {
        let names: Vec<_> = WALLS.iter().map(|wall| wall.package).collect();
        for (at, wall) in WALLS.iter().enumerate() {
            for import in wall.may_import {
                assert!(!wall.never.contains(import), "{} and {import}", wall.package);
                // The table goes from the ground up, so nobody imports what comes later.
                assert!(names[..at].contains(import), "{} and {import}", wall.package);
            }
        }
    }
}
