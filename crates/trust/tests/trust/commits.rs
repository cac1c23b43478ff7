//! A commit that stops after any of its files: clients and the editor verify what they find.

use std::fs;

use moult_trust::sign::{Editor, SignError};

use crate::support::{Computer, Files, Mirror, Outcome, Site, add_release, at, files_of, restore, verdict};

type Change = fn(&mut Editor) -> Outcome;

#[tokio::test]
async fn stops_after_any_file_and_everybody_goes_on() -> Outcome {
    let table: [(&str, Change); 4] = [
        ("a release", |editor| add_release(editor, "app", "1.1.0")),
        ("a new publisher", |editor| {
            editor.add_publisher("new")?;
            add_release(editor, "app", "1.1.0")
        }),
        ("new online keys", |editor| {
            for role in ["timestamp", "snapshot", "targets"] {
                editor.replace_key(role)?;
            }
            add_release(editor, "app", "1.1.0")
        }),
        ("new root and app keys", |editor| {
            editor.replace_key("root")?;
            editor.replace_key("app")?;
            add_release(editor, "app", "1.1.0")
        }),
    ];
    for (what, change) in table {
        let site = Site::new()?;
        let (anchor, before) = (site.anchor()?, site.files()?);
        let public = site.keys.folder().join("public");
        let public_before = files_of(&public)?;
        let mut editor = site.editor()?;
        change(&mut editor)?;
        let written = editor.commit(at(0))?.written;
        drop(editor);
        let after = site.files()?;
        assert!(written.len() >= 4, "{what}: {written:?}");

        let mirror = Mirror::serving(before.clone());
        let mut witness = Computer::new(anchor.clone(), &mirror)?;
        for length in 0..=written.len() {
            let mut files = before.clone();
            files.extend(
                written[..length]
                    .iter()
                    .map(|path| (path.clone(), after[path].clone())),
            );
            let is_public = written[..length]
                .iter()
                .any(|path| path.ends_with("timestamp.json"));
            let expected = Ok(if is_public { "1.1.0" } else { "1.0.0" }.to_owned());
            mirror.serve(files.clone());
            let mut fresh = Computer::new(anchor.clone(), &mirror)?;
            assert_eq!(
                verdict(fresh.newest("app").await),
                expected,
                "{what}: fresh after {length}"
            );
            assert_eq!(
                verdict(witness.newest("app").await),
                expected,
                "{what}: witness after {length}"
            );

            go_on(&site, &files, &public, &public_before, &mut fresh)
                .await
                .map_err(|error| format!("{what}: the editor after {length} of {written:?}: {error}"))?;
        }
    }
    Ok(())
}

/// The publisher starts again from what the interrupted commit left, and publishes something else.
async fn go_on(
    site: &Site,
    files: &Files,
    public: &std::path::Path,
    public_before: &Files,
    client: &mut Computer,
) -> Outcome {
    restore(&site.repository(), files)?;
    restore(public, public_before)?;
    site.publish("app", "2.0.0")?;
    client.mirror.serve(site.files()?);
    assert_eq!(client.newest("app").await?, "2.0.0");
    Ok(())
}

#[test]
fn after_a_failed_write_the_editor_has_to_be_opened_anew() -> Outcome {
    let site = Site::new()?;
    let mut editor = site.editor()?;
    add_release(&mut editor, "app", "1.1.0")?;
    let in_the_way = site.repository().join("metadata/3.snapshot.json");
    fs::create_dir_all(in_the_way.join("x"))?;
    assert!(matches!(editor.commit(at(0)), Err(SignError::Write(_))));
    fs::remove_dir_all(&in_the_way)?;
    assert!(matches!(editor.commit(at(0)), Err(SignError::Interrupted { .. })));
    drop(editor);
    site.publish("app", "1.2.0")?;
    assert_eq!(
        site.editor()?
            .index(&crate::support::subject("app"), crate::support::TRIPLE)?
            .releases
            .len(),
        2
    );
    Ok(())
}
