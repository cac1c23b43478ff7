//! Old states that are served again, to clients that have lost something, and files that are torn.

use std::fs;

use moult_model::ErrorCode::{MetadataInvalid, MetadataReplayed};
use moult_trust::{Anchor, Floor, FloorOrigin};
use serde_json::{Value, json};

use crate::support::{Computer, Files, Mirror, Outcome, Site, at, files_of, restore, verdict};

const APP: &str = "app";

/// What happened to the client's folder between seeing the new state and being served the old one.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Nothing,
    TimestampEmptied,
    MetadataDeleted,
    OlderMetadataRestored,
    FloorCopyTornAndMetadataDeleted(&'static str),
    FloorDeleted,
    FloorTornAndMetadataDeleted,
    Everything,
}

impl Loss {
    fn strike(self, computer: &Computer, older: &Files) -> Outcome {
        let directory = computer.directory();
        let metadata = directory.join("metadata");
        match self {
            Self::Nothing => {}
            Self::TimestampEmptied => fs::write(metadata.join("timestamp.json"), "")?,
            Self::MetadataDeleted => fs::remove_dir_all(metadata)?,
            Self::OlderMetadataRestored => {
                let older = older
                    .iter()
                    .filter_map(|(path, bytes)| Some((path.strip_prefix("metadata/")?, bytes)));
                restore(
                    &metadata,
                    &older
                        .map(|(path, bytes)| (path.to_owned(), bytes.clone()))
                        .collect(),
                )?;
            }
            Self::FloorCopyTornAndMetadataDeleted(copy) => {
                fs::remove_dir_all(metadata)?;
                fs::write(directory.join(copy), "{\"gen")?;
            }
            Self::FloorDeleted => {
                fs::remove_file(directory.join("floor.a"))?;
                fs::remove_file(directory.join("floor.b"))?;
            }
            Self::FloorTornAndMetadataDeleted => {
                fs::remove_dir_all(metadata)?;
                for copy in ["floor.a", "floor.b"] {
                    let bytes = fs::read(directory.join(copy))?;
                    fs::write(directory.join(copy), &bytes[..bytes.len() / 2])?;
                }
            }
            Self::Everything => fs::remove_dir_all(directory)?,
        }
        Ok(())
    }
}

/// An older and a newer state of one repository, with what was compiled into applications then.
struct History {
    what: &'static str,
    older: (Anchor, Files),
    newer: (Anchor, Files),
    newest: &'static str,
}

fn histories() -> Outcome<[History; 2]> {
    let site = Site::new()?;
    let older = (site.anchor()?, site.files()?);
    site.publish(APP, "1.1.0")?;
    site.publish(APP, "1.2.0")?;
    let newer = (site.anchor()?, site.files()?);
    let releases = History {
        what: "releases",
        older,
        newer,
        newest: "1.2.0",
    };

    // Only one version has risen, so only one floor can tell.
    let site = Site::new()?;
    let older = (site.anchor()?, site.files()?);
    site.editor()?.resign(at(1))?;
    let newer = (site.anchor()?, site.files()?);
    let renewal = History {
        what: "a renewed timestamp",
        older,
        newer,
        newest: "1.0.0",
    };
    Ok([releases, renewal])
}

#[tokio::test]
async fn an_older_state_is_refused_whatever_was_lost() -> Outcome {
    use FloorOrigin::{Compiled, Lost, Stored};
    // What was lost, whether the application was replaced by one built since, and what comes of it.
    let table = [
        (Loss::Nothing, false, Stored, true),
        (Loss::TimestampEmptied, false, Stored, true),
        (Loss::MetadataDeleted, false, Stored, true),
        (Loss::OlderMetadataRestored, false, Stored, true),
        (
            Loss::FloorCopyTornAndMetadataDeleted("floor.a"),
            false,
            Stored,
            true,
        ),
        (
            Loss::FloorCopyTornAndMetadataDeleted("floor.b"),
            false,
            Stored,
            true,
        ),
        (Loss::FloorDeleted, false, Compiled, true),
        (Loss::FloorTornAndMetadataDeleted, true, Lost, true),
        (Loss::Everything, true, Compiled, true),
        // The limit: a computer that has forgotten everything, with an application from before.
        (Loss::Everything, false, Compiled, false),
    ];
    for History {
        what,
        older,
        newer,
        newest,
    } in histories()?
    {
        for (loss, rebuilt, origin, refused) in table {
            let mirror = Mirror::serving(older.1.clone());
            let mut computer = Computer::new(older.0.clone(), &mirror)?;
            computer.newest(APP).await?;
            let earlier = files_of(&computer.directory())?;
            mirror.serve(newer.1.clone());
            computer.newest(APP).await?;

            loss.strike(&computer, &earlier)?;
            if rebuilt {
                computer.anchor = newer.0.clone();
            }
            computer.restart()?;
            mirror.serve(older.1.clone());
            let expected = if refused {
                Err(MetadataReplayed)
            } else {
                Ok("1.0.0".to_owned())
            };
            assert_eq!(verdict(computer.newest(APP).await), expected, "{what}: {loss:?}");
            let beliefs = computer.client.beliefs();
            assert_eq!(beliefs.floor_origin, origin, "{what}: {loss:?}");
            assert_eq!(
                beliefs.floor_problem.is_some(),
                origin == Lost,
                "{what}: {loss:?}"
            );

            mirror.serve(newer.1.clone());
            assert_eq!(
                verdict(computer.newest(APP).await),
                Ok(newest.to_owned()),
                "{what}: {loss:?}"
            );
        }
    }
    Ok(())
}

type Damage = fn(&[u8]) -> Vec<u8>;

#[tokio::test]
async fn a_torn_file_of_the_client_is_mended_by_the_next_check() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    site.replace_keys(&["timestamp"])?;
    let mirror = Mirror::serving(site.files()?);
    let mut names = Computer::new(anchor.clone(), &mirror)?;
    names.newest("w/moult/notes").await?;
    let names = names.stored()?;
    assert!(names.len() >= 10, "{names:?}");
    let damages: [(&str, Damage); 4] = [
        ("empty", |_| Vec::new()),
        ("cut", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("garbage", |bytes| vec![0xff; bytes.len()]),
        // Still JSON with the right version: only the signature shows it.
        ("changed", |bytes| {
            String::from_utf8_lossy(bytes)
                .replace("\"sig\":\"", "\"sig\":\"00")
                .into_bytes()
        }),
    ];
    for name in names {
        for (damage, harm) in damages {
            let mut computer = Computer::new(anchor.clone(), &mirror)?;
            computer.newest("w/moult/notes").await?;
            let path = computer.directory().join(&name);
            fs::write(&path, harm(&fs::read(&path)?))?;
            computer.restart()?;
            let found = computer.newest("w/moult/notes").await;
            assert_eq!(verdict(found), Ok("1.0.0".to_owned()), "{name} {damage}");
            computer.restart()?;
            assert!(computer.newest("w/moult/notes").await.is_ok(), "{name} {damage}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_snapshot_may_not_lack_a_role_that_was_seen() -> Outcome {
    let site = Site::new()?;
    let without_app = site.forge(&[("snapshot", &|snapshot: &mut Value| {
        if let Some(meta) = snapshot["meta"].as_object_mut() {
            meta.remove("app.json");
        }
    })])?;
    let with_older_app = site.forge(&[("snapshot", &|snapshot: &mut Value| {
        snapshot["meta"]["app.json"]["version"] = json!(1);
    })])?;
    let table = [
        (&without_app, MetadataInvalid),
        (&with_older_app, MetadataReplayed),
    ];
    for (forged, expected) in table {
        for loss in [Loss::Nothing, Loss::TimestampEmptied, Loss::MetadataDeleted] {
            let mirror = Mirror::serving(site.files()?);
            let mut computer = Computer::new(site.anchor()?, &mirror)?;
            computer.anchor.floor = Floor::default();
            computer.restart()?;
            computer.newest(APP).await?;
            loss.strike(&computer, &Files::new())?;
            computer.restart()?;
            mirror.serve(forged.clone());
            assert_eq!(
                computer.refresh().await.map_err(|error| error.code()),
                Err(expected),
                "{loss:?}"
            );
            mirror.serve(site.files()?);
        }
    }
    Ok(())
}
