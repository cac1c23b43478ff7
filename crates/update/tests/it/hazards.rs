//! The attacks on artifacts that have a name and a folder: `tests/hazards/NAME/hazard.toml`. Each is served to a computer that has
//! nothing yet and to one that has the version before; nothing wrong is installed, and the next good check works.

use std::fs;
use std::path::{Path, PathBuf};

use moult_model::{Outcome, Subject};

use crate::support::server::{Fault, Server};
use crate::support::{Computer, Publisher, check_again, current, notes, settled};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hazards")
}

/// What is served in place of the full file of the shell.
fn attack(name: &str, good: &[u8], another: &[u8]) -> Vec<Vec<u8>> {
    match name {
        "artifact-bit-flipped" => (0..8_usize)
            .map(|part| {
                let mut bytes = good.to_vec();
                bytes[part * (good.len() - 1) / 7] ^= 1 << part;
                bytes
            })
            .collect(),
        "artifact-cut" => [good.len() / 2, good.len() - 1]
            .map(|length| good[..length].to_vec())
            .to_vec(),
        "artifact-longer" => vec![[good, b"x"].concat()],
        "artifact-empty" => vec![Vec::new()],
        "artifact-of-another" => {
            let mut bytes = another.to_vec();
            bytes.resize(good.len(), 0);
            vec![bytes]
        }
        other => panic!("nobody knows how to make {other}"),
    }
}

#[tokio::test]
async fn each_attack_on_an_artifact_is_refused_for_its_own_reason() {
    let publisher = Publisher::of_two_releases();
    let path = publisher.full_path(&Subject::Shell, "1.1.0");
    let read = |path: &str| fs::read(publisher.repository().join(path)).unwrap();
    let good = read(&path);
    let another = read(&publisher.full_path(&notes(), "1.1.0"));
    let mut met = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(text) = fs::read_to_string(entry.path().join("hazard.toml")) else {
            continue;
        };
        let hazard: toml::Table = text.parse().unwrap();
        if hazard["package"].as_str() != Some("moult-update") {
            continue;
        }
        assert_eq!(hazard["row"].as_integer(), Some(7), "{name}");
        for bytes in attack(&name, &good, &another) {
            for with_bundles in [false, true] {
                meet(&publisher, &name, &hazard, &path, &bytes, with_bundles).await;
            }
        }
        met += 1;
    }
    assert_eq!(met, 5);
}

async fn meet(
    publisher: &Publisher,
    name: &str,
    hazard: &toml::Table,
    path: &str,
    bytes: &[u8],
    with_bundles: bool,
) {
    let server = Server::start(publisher.repository()).await;
    server.fail(path, Fault::Replaced(bytes.to_vec()), u32::MAX);
    let computer = if with_bundles {
        // The patch is gone, so that the full file is asked for.
        let missing = publisher.patch_path(&Subject::Shell, "1.0.0", "1.1.0");
        server.fail(&missing, Fault::Status(404), u32::MAX);
        Computer::with_bundles(publisher, &server)
    } else {
        Computer::new(publisher, &server)
    };
    let (engine, picture) = settled(&computer).await;
    let what = format!("{name}, with bundles: {with_bundles}");
    let failed = picture
        .history
        .iter()
        .find(|entry| entry.subject == Subject::Shell)
        .unwrap_or_else(|| panic!("{what}: nothing is told of it"));
    assert_eq!(failed.outcome, Outcome::Failed, "{what}");
    let problem = failed.problems.last().unwrap();
    let code = serde_json::to_value(problem.code).unwrap();
    assert_eq!(
        code.as_str(),
        hazard["refused"].as_str(),
        "{what}: {}",
        problem.detail
    );
    assert!(
        problem.detail.contains(hazard["because"].as_str().unwrap()),
        "{what}: {}",
        problem.detail
    );
    assert_eq!(
        current(&picture, &Subject::Shell).as_deref(),
        with_bundles.then_some("1.0.0"),
        "{what}"
    );
    server.heal();
    let picture = check_again(&computer, &engine).await;
    assert_eq!(
        current(&picture, &Subject::Shell).as_deref(),
        Some("1.1.0"),
        "{what}: the next good check"
    );
    engine.shutdown().await;
}
