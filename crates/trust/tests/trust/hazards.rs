//! Each way to serve something false, and what the client makes of it.

use std::fs;

use moult_model::ErrorCode::{self, IndexInvalid, MetadataExpired, MetadataInvalid};
use moult_model::{Digest, Index};
use moult_trust::Client;
use serde_json::{Value, json};

use crate::support::{Computer, Files, Mirror, Outcome, Site, TRIPLE, at, release, signed, subject, verdict};

const APP: &str = "app";

#[tokio::test]
async fn refuses_a_repository_of_somebody_else() -> Outcome {
    let (site, other) = (Site::new()?, Site::new()?);
    let mirror = Mirror::serving(other.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    assert_eq!(verdict(computer.newest(APP).await), Err(MetadataInvalid));
    mirror.serve(site.files()?);
    assert_eq!(verdict(computer.newest(APP).await), Ok("1.0.0".to_owned()));
    Ok(())
}

#[tokio::test]
async fn refuses_one_changed_byte_in_any_file() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    site.replace_keys(&["root", "timestamp"])?;
    site.publish("w/moult/notes", "1.1.0")?;
    let files = site.files()?;

    // Which files matter, and to which subject, is what an honest client asks for.
    let mirror = Mirror::serving(files.clone());
    let mut needed = Vec::new();
    for text in [APP, "w/moult/notes"] {
        Computer::new(anchor.clone(), &mirror)?.newest(text).await?;
        let requests = mirror.take_requests();
        let bodies = requests
            .iter()
            .filter_map(|request| request.strip_suffix(" body"));
        needed.extend(bodies.map(|path| (text, path.to_owned())));
    }
    assert_eq!(needed.len(), 6 + 7, "{needed:?}");

    for (text, path) in needed {
        let length = files[&path].len();
        for place in [length / 5, length / 2, length - 20] {
            let mut computer = Computer::new(anchor.clone(), &mirror)?;
            mirror.serve(files.clone());
            mirror.edit(|files| {
                if let Some(byte) = files.get_mut(&path).and_then(|bytes| bytes.get_mut(place)) {
                    *byte ^= 1;
                }
            });
            let expected = if path.starts_with("targets/") {
                IndexInvalid
            } else {
                MetadataInvalid
            };
            assert_eq!(
                verdict(computer.newest(text).await),
                Err(expected),
                "{path} at {place}"
            );
            mirror.serve(files.clone());
            assert!(computer.newest(text).await.is_ok(), "{path} at {place} sticks");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_index_that_is_right_in_itself_but_not_the_signed_one_is_refused() -> Outcome {
    let site = Site::new()?;
    let files = site.files()?;
    let path = files
        .keys()
        .find(|path| path.starts_with(&format!("targets/app/{TRIPLE}/")));
    let path = path.cloned().ok_or("the executable has no index")?;
    let other = String::from_utf8(files[&path].clone())?
        .replace("\"1.0.0\"", "\"9.0.0\"")
        .into_bytes();
    assert_eq!(other.len(), files[&path].len());
    let mirror = Mirror::serving(files.clone());
    mirror.edit(|files| {
        files.insert(path, other.clone());
    });
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    assert_eq!(verdict(computer.newest(APP).await), Err(IndexInvalid));

    mirror.serve(files);
    computer.newest(APP).await?;
    for entry in fs::read_dir(computer.directory().join("indexes"))? {
        fs::write(entry?.path(), &other)?;
    }
    assert_eq!(
        verdict(computer.newest(APP).await),
        Ok("1.0.0".to_owned()),
        "in the client's cache"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_expired_is_refused_until_it_is_renewed() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest(APP).await?;
    let late = at(8);
    assert_eq!(
        computer.client.refresh(late).await.map_err(|error| error.code()),
        Err(MetadataExpired)
    );
    let index = computer.client.index(&subject(APP), TRIPLE, late).await;
    assert_eq!(
        index.map(|_| ()).map_err(|error| error.code()),
        Err(MetadataExpired)
    );
    site.editor()?.resign(late)?;
    mirror.serve(site.files()?);
    computer.client.refresh(late).await?;
    assert_eq!(
        computer
            .client
            .index(&subject(APP), TRIPLE, late)
            .await?
            .releases
            .len(),
        1
    );
    Ok(())
}

#[tokio::test]
async fn a_clock_that_was_once_ahead_locks_nobody_out() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest(APP).await?;
    for days in [20, 2000] {
        let ahead = computer.client.refresh(at(days)).await;
        assert_eq!(
            ahead.map_err(|error| error.code()),
            Err(MetadataExpired),
            "{days}"
        );
        assert!(computer.refresh().await.is_ok(), "{days}");
        computer.restart()?;
        assert_eq!(
            verdict(computer.newest(APP).await),
            Ok("1.0.0".to_owned()),
            "{days}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn parts_of_two_states_do_not_fit_together() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let old = site.files()?;
    site.replace_keys(&["app"])?;
    let new = site.files()?;
    let timestamp = |files: &Files| signed(files, "metadata/timestamp.json");
    let snapshot_of = |files: &Files| -> Outcome<String> {
        Ok(format!(
            "metadata/{}.snapshot.json",
            timestamp(files)?["meta"]["snapshot.json"]["version"]
        ))
    };
    let role_of = |files: &Files, role: &str| -> Outcome<String> {
        let snapshot = signed(files, &snapshot_of(files)?)?;
        Ok(format!(
            "metadata/{}.{role}.json",
            snapshot["meta"][format!("{role}.json")]["version"]
        ))
    };
    let table = [
        (
            "new timestamp, old snapshot",
            snapshot_of(&old)?,
            snapshot_of(&new)?,
        ),
        (
            "new snapshot, old targets",
            role_of(&old, "targets")?,
            role_of(&new, "targets")?,
        ),
        (
            "new snapshot, old app",
            role_of(&old, "app")?,
            role_of(&new, "app")?,
        ),
        (
            "one role in place of another",
            role_of(&new, "publishers-d")?,
            role_of(&new, "app")?,
        ),
    ];
    for (what, from, to) in table {
        assert_ne!(from, to, "{what}");
        let mut files = new.clone();
        files.insert(to, old[&from].clone());
        let mut computer = Computer::new(anchor.clone(), &Mirror::serving(files))?;
        assert_eq!(
            verdict(computer.newest(APP).await),
            Err(MetadataInvalid),
            "{what}"
        );
    }
    Ok(())
}

/// A signed index with these bytes, as a thief of the `app` key could make it.
fn with_app_index(site: &Site, bytes: &[u8]) -> Outcome<Files> {
    let (length, digest) = (bytes.len(), Digest::of(bytes).to_string());
    let path = subject(APP).index_path(TRIPLE);
    let mut files = site.forge(&[("app", &|role: &mut Value| {
        role["targets"][&path] = json!({ "length": length, "hashes": { "sha256": digest } });
    })])?;
    files.insert(
        format!("targets/app/{TRIPLE}/{digest}.index.json"),
        bytes.to_vec(),
    );
    Ok(files)
}

#[tokio::test]
async fn a_signed_index_is_still_checked() -> Outcome {
    let site = Site::new()?;
    let executable = subject(APP);
    let good = Index {
        releases: vec![release(&executable, "1.0.0")?],
        ..Index::empty(executable.clone(), Some(TRIPLE.to_owned()))
    };
    let with_path = |path: &str| {
        let mut index = good.clone();
        for release in &mut index.releases {
            path.clone_into(&mut release.full.path);
        }
        serde_json::to_vec(&index)
    };
    let large = Index::MAX_BYTES as usize + 1;
    let mut padded = serde_json::to_vec(&good)?;
    padded.resize(large, b' ');
    let mut at_the_limit = serde_json::to_vec(&good)?;
    at_the_limit.resize(large - 1, b' ');
    let table: [(&str, Vec<u8>, Result<String, ErrorCode>); 8] = [
        (
            "as it should be",
            serde_json::to_vec(&good)?,
            Ok("1.0.0".to_owned()),
        ),
        ("just small enough", at_the_limit, Ok("1.0.0".to_owned())),
        ("too large", padded, Err(IndexInvalid)),
        (
            "about the shell",
            serde_json::to_vec(&Index::empty(subject("shell"), None))?,
            Err(IndexInvalid),
        ),
        (
            "another target",
            serde_json::to_vec(&Index::empty(executable, Some("a-b-c".into())))?,
            Err(IndexInvalid),
        ),
        (
            "a foreign file",
            with_path("w/moult/notes/files/a.zst")?,
            Err(IndexInvalid),
        ),
        (
            "a way out",
            with_path(&format!("app/{TRIPLE}/files/../../../x"))?,
            Err(IndexInvalid),
        ),
        ("no index at all", b"{}".to_vec(), Err(IndexInvalid)),
    ];
    for (what, bytes, expected) in table {
        let mirror = Mirror::serving(with_app_index(&site, &bytes)?);
        let mut computer = Computer::new(site.anchor()?, &mirror)?;
        assert_eq!(verdict(computer.newest(APP).await), expected, "{what}");
        let fetched = mirror
            .take_requests()
            .iter()
            .any(|request| request.starts_with("targets/"));
        assert_eq!(fetched, what != "too large", "{what}");
        assert!(
            computer.index("w/moult/notes").await.is_ok(),
            "{what}: others are not affected"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_subject_that_nobody_lists_is_not_published() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    for text in ["w/moult/unknown", "w/nobody/notes"] {
        let code = computer
            .index(text)
            .await
            .map(|_| ())
            .map_err(|error| error.code());
        assert_eq!(code, Err(IndexInvalid), "{text}");
    }
    let other_target = computer
        .client
        .index(&subject(APP), "aarch64-apple-darwin", at(0))
        .await;
    assert_eq!(
        other_target.map(|_| ()).map_err(|error| error.code()),
        Err(IndexInvalid)
    );
    Ok(())
}

#[tokio::test]
async fn an_anchor_that_is_not_a_root_opens_nothing() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let folder = tempfile::tempdir()?;
    let mut anchor = site.anchor()?;
    anchor.root = site.files()?["metadata/timestamp.json"].clone();
    assert!(Client::open(&anchor, mirror, folder.path()).is_err());
    Ok(())
}
