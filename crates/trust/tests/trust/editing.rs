//! What the editor refuses, renews and leaves alone.

use std::fs;

use moult_model::Index;
use moult_trust::sign::{Editor, Keys, SignError};

use crate::support::{Outcome, Site, TRIPLE, add_release, at, release, restore, signed, subject};

#[test]
fn a_commit_gives_new_versions_only_to_what_changed() -> Outcome {
    let site = Site::new()?;
    let mut editor = site.editor()?;
    assert!(editor.commit(at(0))?.written.is_empty());
    let index = editor.index(&subject("shell"), TRIPLE)?;
    editor.set_index(&index)?;
    assert!(
        editor.commit(at(0))?.written.is_empty(),
        "the same index is no change"
    );

    add_release(&mut editor, "w/moult/notes", "1.1.0")?;
    let written = editor.commit(at(0))?.written;
    assert!(written[0].starts_with("targets/w/moult/notes/"), "{written:?}");
    let rest = [
        "metadata/2.publisher-moult.json",
        "metadata/3.snapshot.json",
        "metadata/timestamp.json",
    ];
    assert_eq!(written[1..], rest);
    Ok(())
}

#[test]
fn snapshot_entries_carry_versions_only() -> Outcome {
    let site = Site::new()?;
    let files = site.files()?;
    for path in ["metadata/timestamp.json", "metadata/2.snapshot.json"] {
        let document = signed(&files, path)?;
        for (name, entry) in document["meta"].as_object().into_iter().flatten() {
            let fields: Vec<_> = entry
                .as_object()
                .into_iter()
                .flatten()
                .map(|(field, _)| field)
                .collect();
            assert_eq!(fields, ["version"], "{name}");
        }
    }
    Ok(())
}

#[test]
fn an_index_reads_back_as_it_was_set_committed_or_not() -> Outcome {
    let site = Site::new()?;
    let shell = subject("shell");
    let mut editor = site.editor()?;
    add_release(&mut editor, "shell", "1.10.0")?;
    add_release(&mut editor, "shell", "1.9.0")?;
    let versions = |index: &Index| -> Vec<String> {
        index
            .releases
            .iter()
            .map(|release| release.version.to_string())
            .collect()
    };
    let expected = ["1.10.0", "1.9.0", "1.0.0"];
    assert_eq!(versions(&editor.index(&shell, TRIPLE)?), expected);
    editor.commit(at(0))?;
    drop(editor);
    assert_eq!(versions(&site.editor()?.index(&shell, TRIPLE)?), expected);
    assert!(
        site.editor()?
            .index(&subject("w/moult/other"), TRIPLE)?
            .releases
            .is_empty()
    );
    Ok(())
}

#[test]
fn refuses_what_clients_would_refuse() -> Outcome {
    let site = Site::new()?;
    let mut editor = site.editor()?;
    let widget = subject("w/moult/notes");
    let mut large = Index::empty(widget.clone(), None);
    for number in 0..200 {
        large.releases.push(release(&widget, &format!("1.0.{number}"))?);
    }
    assert!(
        matches!(editor.set_index(&large), Err(SignError::Index { .. })),
        "over 64 KB"
    );
    let mut foreign = Index::empty(widget.clone(), None);
    foreign.releases.push(release(&subject("shell"), "1.0.0")?);
    assert!(
        matches!(editor.set_index(&foreign), Err(SignError::Index { .. })),
        "another's file"
    );
    let strange = Index::empty(subject("app"), Some("shell".to_owned()));
    assert!(
        matches!(editor.set_index(&strange), Err(SignError::Triple { .. })),
        "the shell's folder"
    );
    let unknown = Index::empty(subject("w/nobody/x"), None);
    assert!(matches!(
        editor.set_index(&unknown),
        Err(SignError::UnknownPublisher { .. })
    ));
    assert!(matches!(
        editor.add_publisher("../x"),
        Err(SignError::PublisherName { .. })
    ));
    assert!(editor.commit(at(0))?.written.is_empty(), "nothing of it is left");
    Ok(())
}

#[test]
fn opens_only_what_verifies_with_its_own_root() -> Outcome {
    let site = Site::new()?;
    let files = site.files()?;
    let snapshot = signed(&files, "metadata/2.snapshot.json")?;
    let pinned = snapshot["meta"].as_object().into_iter().flatten();
    let pinned = pinned.map(|(name, pin)| format!("metadata/{}.{name}", pin["version"]));
    let top = ["metadata/timestamp.json", "metadata/2.snapshot.json"].map(str::to_owned);
    let mut checked = 0;
    for path in pinned.chain(top) {
        let mut harmed = files.clone();
        if let Some(byte) = harmed.get_mut(&path).and_then(|bytes| bytes.get_mut(150)) {
            *byte ^= 1;
        }
        assert_ne!(harmed, files, "{path}");
        restore(&site.repository(), &harmed)?;
        let opened = Editor::open(&site.repository(), &site.keys);
        if path.contains("publisher-moult") {
            // A publisher is its own business: it can't be edited, everything else can.
            let mut editor = opened?;
            let refused = add_release(&mut editor, "w/moult/notes", "1.1.0");
            assert!(refused.is_err_and(|error| error.to_string().contains("publisher moult")));
            add_release(&mut editor, "app", "1.1.0")?;
            editor.commit(at(0))?;
            drop(editor);
            restore(&site.keys.folder().join("public"), &fresh_public(&site)?)?;
        } else if path.contains("publisher-hearth") {
            assert!(opened.is_ok());
        } else {
            assert!(matches!(opened, Err(SignError::Repository { .. })), "{path}");
        }
        checked += 1;
    }
    assert_eq!(checked, 23);
    let other = Site::new()?;
    restore(&site.repository(), &other.files()?)?;
    assert!(
        Editor::open(&site.repository(), &site.keys).is_err(),
        "somebody else's"
    );
    Ok(())
}

/// The public files as they were before anything was committed on top.
fn fresh_public(site: &Site) -> Outcome<crate::support::Files> {
    let mut files = crate::support::files_of(&site.keys.folder().join("public"))?;
    files.insert("floor.json".to_owned(), b"{\"roles\":{}}".to_vec());
    Ok(files)
}

#[test]
fn refuses_to_go_on_from_a_backup_that_is_older_than_what_was_published() -> Outcome {
    let site = Site::new()?;
    let backup = site.files()?;
    site.publish("app", "1.1.0")?;
    let current = site.files()?;
    restore(&site.repository(), &backup)?;
    assert!(matches!(
        Editor::open(&site.repository(), &site.keys),
        Err(SignError::Repository { .. })
    ));
    restore(&site.repository(), &current)?;
    assert!(site.editor().is_ok());
    Ok(())
}

#[test]
fn renews_what_is_due_and_reports_what_it_has_no_key_for() -> Outcome {
    let site = Site::new()?;
    let due = |days: i64| -> Outcome<Vec<String>> {
        let written = site.editor()?.resign(at(days))?.committed.written;
        Ok(written
            .into_iter()
            .map(|path| path.replace("metadata/", ""))
            .collect())
    };
    assert_eq!(due(1)?, ["timestamp.json"]);
    assert_eq!(due(16)?, ["2.rollout.json", "3.snapshot.json", "timestamp.json"]);
    let all = due(60)?;
    assert!(all.iter().any(|path| path.ends_with(".app.json")), "{all:?}");
    assert_eq!(all.len(), 2 + 16 + 2 + 1 + 2, "{all:?}");
    assert!(due(300)?.iter().any(|path| path == "2.root.json"));

    for entry in fs::read_dir(site.keys.folder())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("app.") || name.starts_with("root.") {
            fs::remove_file(path)?;
        }
    }
    let resigned = site.editor()?.resign(at(600))?;
    assert_eq!(resigned.left.keys().collect::<Vec<_>>(), ["app", "root"]);
    let mut editor = site.editor()?;
    add_release(&mut editor, "app", "2.0.0")?;
    assert!(matches!(editor.commit(at(600)), Err(SignError::KeyMissing { role, .. }) if role == "app"));
    Ok(())
}

#[test]
fn keys_are_for_their_owner_alone_and_are_not_overwritten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("keys");
    let keys = Keys::create(&path)?;
    assert!(matches!(Keys::create(&path), Err(SignError::Exists { .. })));
    assert_eq!(Keys::open(&path)?, keys);
    let repository = folder.path().join("repository");
    Editor::create(&repository, &keys, at(0))?;
    assert!(matches!(
        Editor::create(&repository, &keys, at(0)),
        Err(SignError::Exists { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &std::path::Path| -> Outcome<u32> { Ok(fs::metadata(path)?.permissions().mode() & 0o777) };
        assert_eq!(mode(&path)?, 0o700);
        let mut secrets = 0;
        for entry in fs::read_dir(&path)? {
            let entry = entry?.path();
            if entry.is_file() {
                assert_eq!(mode(&entry)?, 0o600, "{}", entry.display());
                secrets += 1;
            }
        }
        assert_eq!(secrets, 8);
    }
    Ok(())
}

#[test]
fn a_key_file_that_holds_another_key_is_refused() -> Outcome {
    let site = Site::new()?;
    let find = |role: &str| -> Outcome<std::path::PathBuf> {
        let mut entries = fs::read_dir(site.keys.folder())?
            .filter_map(Result::ok)
            .map(|entry| entry.path());
        let named = |path: &std::path::PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{role}.")))
        };
        Ok(entries.find(named).ok_or("no such key")?)
    };
    fs::copy(find("snapshot")?, find("timestamp")?)?;
    let mut editor = site.editor()?;
    assert!(matches!(editor.resign(at(1)), Err(SignError::KeyFile { .. })));
    Ok(())
}
