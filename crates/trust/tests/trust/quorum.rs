//! Keys of which several must sign, keys on several computers, and clients that are versions behind.

use moult_trust::sign::{Editor, HeldKey, KeyChange, KeyPlace, Keys, SignError, Staged};

use crate::support::{Computer, Files, Mirror, Outcome, Site, add_release, at, restore, verdict};

type Change = fn(&mut serde_json::Value);

fn several(make: usize, threshold: usize) -> KeyChange {
    KeyChange {
        make,
        threshold,
        ..KeyChange::default()
    }
}

/// The files of the keys of a role, newest last.
fn key_files(keys: &Keys, role: &str) -> Outcome<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(keys.folder())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(&format!("{role}.")) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Takes the file of a key away, and gives it back.
fn take(keys: &Keys, role: &str, id: &str) -> Outcome<(std::path::PathBuf, Vec<u8>)> {
    let found = key_files(keys, role)?
        .into_iter()
        .find(|path| path.to_string_lossy().contains(&id[..16]));
    let path = found.ok_or("no such key")?;
    let bytes = std::fs::read(&path)?;
    std::fs::remove_file(&path)?;
    Ok((path, bytes))
}

#[tokio::test]
async fn two_of_three_root_keys_sign_and_one_may_be_lost() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let mirror = Mirror::serving(site.files()?);
    let mut old = Computer::new(anchor.clone(), &mirror)?;
    old.newest("app").await?;

    let mut editor = site.editor()?;
    let ids = editor.change_keys("root", &several(3, 2))?;
    editor.commit(at(0))?;
    drop(editor);

    // One is lost: the two that are left replace it.
    take(&site.keys, "root", &ids[0])?;
    let mut editor = site.editor()?;
    let kept = KeyChange {
        keep: ids[1..].to_vec(),
        make: 1,
        threshold: 2,
        ..KeyChange::default()
    };
    let new = editor.change_keys("root", &kept)?;
    editor.commit(at(0))?;
    drop(editor);

    // Two are lost: nobody can make a root any more, and everything else goes on.
    take(&site.keys, "root", &ids[1])?;
    take(&site.keys, "root", &new[0])?;
    let mut editor = site.editor()?;
    editor.replace_key("timestamp")?;
    assert!(matches!(
        editor.commit(at(0)),
        Err(SignError::TooFewKeys { role, needed: 2, found: 1 }) if role == "root"
    ));
    drop(editor);
    site.publish("app", "1.1.0")?;
    let resigned = site.editor()?.resign(at(300))?;
    assert!(resigned.left.contains_key("root"), "{resigned:?}");

    mirror.serve(site.files()?);
    assert_eq!(verdict(old.newest("app").await), Ok("1.1.0".to_owned()));
    assert_eq!(old.client.beliefs().root, Some(3));
    let mut fresh = Computer::new(anchor, &mirror)?;
    assert_eq!(verdict(fresh.newest("app").await), Ok("1.1.0".to_owned()));
    Ok(())
}

#[test]
fn a_set_of_keys_that_can_not_sign_is_refused() -> Outcome {
    let site = Site::new()?;
    let mut editor = site.editor()?;
    let public = "ab".repeat(32);
    let held = || HeldKey {
        public: public.clone(),
        place: KeyPlace::Elsewhere,
    };
    let table = [
        ("none must sign", several(2, 0)),
        ("more than there are", several(2, 3)),
        ("no keys", several(0, 1)),
        (
            "one that is not its own",
            KeyChange {
                keep: vec!["00".repeat(32)],
                threshold: 1,
                ..KeyChange::default()
            },
        ),
        (
            "one twice",
            KeyChange {
                held: vec![held(), held()],
                threshold: 2,
                ..KeyChange::default()
            },
        ),
    ];
    for (what, change) in table {
        let refused = editor.change_keys("root", &change);
        assert!(
            matches!(refused, Err(SignError::KeySet { .. })),
            "{what}: {refused:?}"
        );
    }
    for role in ["publishers-0", "publishers", "nobody", "publisher-nobody"] {
        assert!(
            matches!(
                editor.change_keys(role, &KeyChange::one()),
                Err(SignError::UnknownRole { .. })
            ),
            "{role}"
        );
    }
    assert!(editor.commit(at(0))?.written.is_empty());
    Ok(())
}

/// Three states of a repository in which a role's keys are replaced each time, and something is released.
fn rotations(site: &Site, role: &str, change: &KeyChange) -> Outcome<Vec<Files>> {
    let mut states = vec![site.files()?];
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        let mut editor = site.editor()?;
        editor.change_keys(role, change)?;
        for text in ["app", "w/moult/notes"] {
            add_release(&mut editor, text, version)?;
        }
        editor.commit(at(0))?;
        states.push(site.files()?);
    }
    Ok(states)
}

#[tokio::test]
async fn clients_any_number_of_versions_behind_follow_new_keys_of_each_role() -> Outcome {
    let roles = [
        "root",
        "timestamp",
        "snapshot",
        "targets",
        "app",
        "rollout",
        "publisher-moult",
    ];
    for role in roles {
        for change in [KeyChange::one(), several(3, 2)] {
            let site = Site::new()?;
            let anchor = site.anchor()?;
            let states = rotations(&site, role, &change)?;
            for (behind, state) in states.iter().enumerate() {
                let mirror = Mirror::serving(state.clone());
                let mut computer = Computer::new(anchor.clone(), &mirror)?;
                for text in ["app", "w/moult/notes"] {
                    computer.newest(text).await?;
                }
                mirror.serve(site.files()?);
                for text in ["app", "w/moult/notes"] {
                    assert_eq!(
                        verdict(computer.newest(text).await),
                        Ok("1.3.0".to_owned()),
                        "{role}, {} keys, from state {behind}: {text}",
                        change.make
                    );
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_publisher_who_lost_its_key_gets_a_new_one_and_a_revoked_one_holds_nobody_up() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest("w/hearth/clock").await?;
    for path in key_files(&site.keys, "publisher-hearth")? {
        std::fs::remove_file(path)?;
    }
    let refused = site.publish("w/hearth/clock", "1.1.0");
    assert!(refused.is_err_and(|error| error.to_string().contains("no key that may sign")));
    site.replace_keys(&["publisher-hearth"])?;
    site.publish("w/hearth/clock", "1.1.0")?;
    mirror.serve(site.files()?);
    assert_eq!(
        verdict(computer.newest("w/hearth/clock").await),
        Ok("1.1.0".to_owned())
    );

    // Revoked while this computer holds the snapshot from before: it goes on with all others, from what it has and
    // from what is new.
    let mut editor = site.editor()?;
    editor.revoke_publisher("hearth")?;
    add_release(&mut editor, "app", "1.1.0")?;
    editor.commit(at(0))?;
    drop(editor);
    assert_eq!(computer.index("w/hearth/clock").await?.releases.len(), 2);
    mirror.serve(site.files()?);
    for restarted in [false, true] {
        if restarted {
            computer.restart()?;
        }
        assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));
        assert_eq!(
            verdict(computer.newest("w/moult/notes").await),
            Ok("1.0.0".to_owned())
        );
        assert!(computer.newest("w/hearth/clock").await.is_err());
    }
    Ok(())
}

/// A computer with some of the keys, and what is public.
fn partial(site: &Site, folder: &std::path::Path, roles: &[&str]) -> Outcome<Keys> {
    let all = crate::support::files_of(site.keys.folder())?;
    let kept = all.into_iter().filter(|(path, _)| {
        path.starts_with("public/") || roles.iter().any(|role| path.starts_with(&format!("{role}.")))
    });
    restore(folder, &kept.collect())?;
    Ok(Keys::open(folder)?)
}

#[tokio::test]
async fn a_release_is_staged_on_one_computer_and_signed_on_two_others() -> Outcome {
    let site = Site::new()?;
    let folder = tempfile::tempdir()?;
    let nobody = partial(&site, &folder.path().join("builder"), &[])?;
    let offline = partial(&site, &folder.path().join("offline"), &["app"])?;
    let online = partial(
        &site,
        &folder.path().join("online"),
        &["snapshot", "timestamp", "rollout"],
    )?;
    let path = folder.path().join("staged.json");

    let mut editor = Editor::open(&site.repository(), &nobody)?;
    add_release(&mut editor, "app", "1.1.0")?;
    assert!(matches!(editor.commit(at(0)), Err(SignError::KeyMissing { .. })));
    editor.stage(at(0))?.write(&path)?;
    drop(editor);

    let sign = |keys: &Keys| -> Outcome<Vec<String>> {
        let mut staged = Staged::read(&path)?;
        let editor = Editor::open(&site.repository(), keys)?;
        let signed = editor.sign_staged(&mut staged, &path)?;
        staged.write(&path)?;
        Ok(signed)
    };
    assert!(sign(&nobody)?.is_empty());
    assert_eq!(sign(&offline)?, ["app"]);
    assert!(sign(&offline)?.is_empty(), "once is enough");
    let early = Editor::open(&site.repository(), &offline)?.finish(&Staged::read(&path)?, &path);
    assert!(matches!(early, Err(SignError::TooFewKeys { .. })), "{early:?}");
    assert_eq!(sign(&online)?, ["snapshot", "timestamp"]);

    let staged = Staged::read(&path)?;
    assert!(staged.is_complete());
    assert_eq!(staged.indexes()[0].releases[0].version.to_string(), "1.1.0");
    let committed = Editor::open(&site.repository(), &online)?.finish(&staged, &path)?;
    assert_eq!(committed.timestamp_version, 3);
    assert!(
        committed
            .written
            .last()
            .is_some_and(|path| path.ends_with("timestamp.json"))
    );
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));

    let again = Editor::open(&site.repository(), &online)?.finish(&staged, &path);
    assert!(matches!(again, Err(SignError::Staged { .. })), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn root_keys_on_three_computers_sign_one_after_the_other() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let mut editor = site.editor()?;
    let ids = editor.change_keys("root", &several(3, 2))?;
    editor.commit(at(0))?;
    drop(editor);
    let taken: Vec<_> = ids
        .iter()
        .map(|id| take(&site.keys, "root", id))
        .collect::<Outcome<_>>()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("staged.json");

    let mut editor = site.editor()?;
    editor.replace_key("timestamp")?;
    let mut staged = editor.stage(at(0))?;
    drop(editor);
    let lacking = |staged: &Staged| {
        let documents = staged.documents();
        documents
            .into_iter()
            .find(|waiting| waiting.role == "root")
            .and_then(|waiting| waiting.lacks)
    };
    assert_eq!(lacking(&staged), Some((2, 0)));
    for (place, found) in [(2, Some((2, 1))), (0, None)] {
        let (file, bytes) = &taken[place];
        std::fs::write(file, bytes)?;
        let signed = site.editor()?.sign_staged(&mut staged, &path)?;
        assert_eq!(signed, ["root"]);
        assert_eq!(lacking(&staged), found);
        std::fs::remove_file(file)?;
    }
    site.editor()?.finish(&staged, &path)?;
    site.publish("app", "1.1.0")?;
    let mut computer = Computer::new(anchor, &Mirror::serving(site.files()?))?;
    assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));
    assert_eq!(computer.client.beliefs().root, Some(3));
    Ok(())
}

#[test]
fn what_was_staged_is_not_believed_because_it_is_there() -> Outcome {
    let site = Site::new()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("staged.json");
    let mut editor = site.editor()?;
    add_release(&mut editor, "app", "1.1.0")?;
    let staged = serde_json::to_value(editor.stage(at(0))?)?;
    drop(editor);
    let table: [(&str, Change); 7] = [
        ("a later format", |staged| staged["format"] = 2.into()),
        ("a way out of the repository", |staged| {
            staged["drafts"][0]["paths"][0] = "../outside.json".into();
        }),
        ("another's place", |staged| {
            staged["drafts"][0]["paths"][0] = "metadata/root.json".into();
        }),
        ("a role that is none", |staged| {
            staged["drafts"][0]["role"] = "../app".into();
        }),
        ("a version that is not next", |staged| {
            staged["drafts"][0]["signed"]["version"] = 9.into();
        }),
        ("a file that is no index", |staged| {
            staged["files"]["targets/app/x/index.json"] = "<html>".into();
        }),
        ("other contents, with the old signatures", |staged| {
            staged["drafts"][0]["signed"]["expires"] = "2099-01-01T00:00:00Z".into();
        }),
    ];
    let before = site.files()?;
    for (what, change) in table {
        let mut changed = staged.clone();
        change(&mut changed);
        std::fs::write(&path, serde_json::to_vec(&changed)?)?;
        let outcome = Staged::read(&path)
            .and_then(|staged| Editor::open(&site.repository(), &site.keys)?.finish(&staged, &path));
        assert!(outcome.is_err(), "{what}");
        assert_eq!(site.files()?, before, "{what}");
    }
    Ok(())
}

#[test]
fn says_what_ends_when_and_where_the_keys_are() -> Outcome {
    let site = Site::new()?;
    let editor = site.editor()?;
    let expiries = editor.expiries();
    assert_eq!(expiries.len(), 4 + 18 + 2);
    assert!(expiries.is_sorted_by_key(|expiry| expiry.expires));
    assert_eq!((expiries[0].role.as_str(), expiries[0].version), ("timestamp", 2));
    assert_eq!(expiries[0].left(at(0)).as_hours(), 7 * 24);
    assert_eq!(
        (expiries[0].due, expiries[0].expires),
        (at(3) + jiff::SignedDuration::from_hours(12), at(7))
    );
    drop(editor);
    for path in key_files(&site.keys, "root")? {
        std::fs::remove_file(path)?;
    }
    let states = site.editor()?.role_states();
    let root = states.iter().find(|state| state.expiry.role == "root");
    let places: Vec<_> = root
        .into_iter()
        .flat_map(|state| state.keys.values().cloned())
        .collect();
    assert_eq!(places, [KeyPlace::Elsewhere]);
    assert!(
        states
            .iter()
            .filter(|state| state.expiry.role != "root")
            .all(|state| state.keys.values().all(|place| *place == KeyPlace::Plain))
    );
    Ok(())
}
