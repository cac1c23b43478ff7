//! Row 9: what is lost of the client's folder lowers nothing.

use std::fs;
use std::path::Path;

use moult_model::ErrorCode;

use super::assert_refused;
use crate::support::{Computer, Files, Mirror, Outcome, Site, files_of, restore};

/// What happens to the folder of a computer, given what it held when it was older.
type Loss = fn(&Path, &Files) -> Outcome;

/// A computer that has seen the newer of two states loses something and is served the older one.
async fn refused_after(name: &str, rebuilt: bool, losses: &[(&str, Loss)]) -> Outcome {
    for (what, lose) in losses {
        let site = Site::new()?;
        let (old_anchor, old) = (site.anchor()?, site.files()?);
        site.publish("app", "1.1.0")?;
        let (new_anchor, new) = (site.anchor()?, site.files()?);
        let mirror = Mirror::serving(old.clone());
        let mut computer = Computer::new(old_anchor, &mirror)?;
        computer.newest("app").await?;
        let older_folder = files_of(&computer.directory())?;
        mirror.serve(new.clone());
        computer.newest("app").await?;

        lose(&computer.directory(), &older_folder)?;
        if rebuilt {
            // The application that was built since carries the floor of then.
            computer.anchor = new_anchor;
        }
        computer.restart()?;
        mirror.serve(old);
        assert_refused(name, what, computer.newest("app").await)?;
        mirror.serve(new);
        assert_eq!(computer.newest("app").await?, "1.1.0", "{name}, {what}");
    }
    Ok(())
}

fn each_metadata_file(folder: &Path, damage: fn(&[u8]) -> Vec<u8>) -> Outcome {
    for (path, bytes) in files_of(&folder.join("metadata"))? {
        fs::write(folder.join("metadata").join(path), damage(&bytes))?;
    }
    Ok(())
}

#[tokio::test]
async fn metadata_deleted() -> Outcome {
    let losses: &[(&str, Loss)] = &[
        ("all of it", |folder, _| {
            Ok(fs::remove_dir_all(folder.join("metadata"))?)
        }),
        ("the timestamp", |folder, _| {
            Ok(fs::remove_file(folder.join("metadata/timestamp.json"))?)
        }),
    ];
    refused_after("metadata-deleted", false, losses).await
}

#[tokio::test]
async fn metadata_emptied() -> Outcome {
    let losses: &[(&str, Loss)] = &[
        ("all of it", |folder, _| {
            each_metadata_file(folder, |_| Vec::new())
        }),
        ("the timestamp", |folder, _| {
            Ok(fs::write(folder.join("metadata/timestamp.json"), "")?)
        }),
    ];
    refused_after("metadata-emptied", false, losses).await
}

#[tokio::test]
async fn metadata_torn() -> Outcome {
    let losses: &[(&str, Loss)] = &[
        ("cut", |folder, _| {
            each_metadata_file(folder, |bytes| bytes[..bytes.len() / 2].to_vec())
        }),
        ("garbage", |folder, _| {
            each_metadata_file(folder, |bytes| vec![0xff; bytes.len()])
        }),
    ];
    refused_after("metadata-torn", false, losses).await
}

#[tokio::test]
async fn older_copy_restored() -> Outcome {
    let losses: &[(&str, Loss)] = &[("the metadata", |folder, older| {
        let older = older
            .iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix("metadata/")?, bytes)));
        let older = older
            .map(|(path, bytes)| (path.to_owned(), bytes.clone()))
            .collect();
        restore(&folder.join("metadata"), &older)
    })];
    refused_after("older-copy-restored", false, losses).await
}

#[tokio::test]
async fn one_floor_copy_torn() -> Outcome {
    fn torn(folder: &Path, copy: &str) -> Outcome {
        fs::remove_dir_all(folder.join("metadata"))?;
        Ok(fs::write(folder.join(copy), "{\"gen")?)
    }
    let losses: &[(&str, Loss)] = &[
        ("floor.a", |folder, _| torn(folder, "floor.a")),
        ("floor.b", |folder, _| torn(folder, "floor.b")),
    ];
    refused_after("one-floor-copy-torn", false, losses).await
}

#[tokio::test]
async fn floor_deleted() -> Outcome {
    let losses: &[(&str, Loss)] = &[("both copies, the metadata is there", |folder, _| {
        fs::remove_file(folder.join("floor.a"))?;
        Ok(fs::remove_file(folder.join("floor.b"))?)
    })];
    refused_after("floor-deleted", false, losses).await
}

#[tokio::test]
async fn profile_restored() -> Outcome {
    let losses: &[(&str, Loss)] = &[
        ("from a backup", |folder, older| restore(folder, older)),
        ("deleted", |folder, _| Ok(fs::remove_dir_all(folder)?)),
        ("both copies of the floor torn", |folder, _| {
            fs::remove_dir_all(folder.join("metadata"))?;
            for copy in ["floor.a", "floor.b"] {
                let bytes = fs::read(folder.join(copy))?;
                fs::write(folder.join(copy), &bytes[..bytes.len() / 2])?;
            }
            Ok(())
        }),
    ];
    refused_after("profile-restored", true, losses).await
}

#[tokio::test]
async fn floor_not_written() -> Outcome {
    let site = Site::new()?;
    for copies in [&["floor.a", "floor.b"][..], &["floor.b"][..]] {
        let mirror = Mirror::serving(site.files()?);
        let mut computer = Computer::new(site.anchor()?, &mirror)?;
        // A folder that is not empty: nothing can be renamed over it.
        for copy in copies {
            fs::create_dir_all(computer.directory().join(copy).join("in-the-way"))?;
        }
        let what = copies.join(" and ");
        assert_refused("floor-not-written", &what, computer.newest("app").await)?;
        let index = computer
            .index("app")
            .await
            .map(|_| ())
            .map_err(|error| error.code());
        assert_eq!(index, Err(ErrorCode::FloorNotWritten), "{what}: and no index");
        for copy in copies {
            fs::remove_dir_all(computer.directory().join(copy))?;
        }
        assert_eq!(computer.newest("app").await?, "1.0.0", "{what}");
    }
    Ok(())
}
