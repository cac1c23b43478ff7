use super::*;

fn state(text: &str) -> SavedState {
    SavedState {
        schema: 1,
        data: serde_json::json!({ "text": text }),
    }
}

fn open(folder: &Path) -> anyhow::Result<Records> {
    let records = Records::read(folder)?;
    records.set_writing(true)?;
    Ok(records)
}

#[test]
fn settings_of_a_newer_version_leave_the_updater_its_repository_and_are_not_lost() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("settings.json");
    let newer = serde_json::json!({
        "repository": "https://example.org/", "mode": "whenever", "check_every_seconds": 77, "weather": { "unit": "K" },
    });
    fs::write(&path, serde_json::to_vec(&newer)?)?;
    let records = open(folder.path())?;
    assert_eq!(records.settings().repository, "https://example.org/");
    assert_eq!(records.settings().check_every_seconds, 77);
    let mut settings = records.settings();
    settings.check_every_seconds = 78;
    records.set_settings(&settings)?;
    let written: Value = serde_json::from_slice(&fs::read(&path)?)?;
    for (name, value) in [
        ("mode", &newer["mode"]),
        ("weather", &newer["weather"]),
        ("check_every_seconds", &serde_json::json!(78)),
    ] {
        assert_eq!(&written[name], value, "{name} in {written}");
    }
    Ok(())
}

#[test]
fn a_board_of_a_newer_version_neither_stops_the_start_nor_is_lost() -> anyhow::Result<()> {
    let tile = |instance: &str| serde_json::json!({ "instance": instance, "widget": "moult/notes", "cell": { "x": 0, "y": 0, "w": 4, "h": 4 } });
    let mut strange = tile("future-1");
    strange["cell"] = serde_json::json!("anywhere");
    let shapes = [
        (
            serde_json::json!({ "tiles": [tile("notes-1"), strange], "pages": 2 }),
            1,
        ),
        (serde_json::json!({ "pages": [{ "tiles": [] }] }), 0),
        (serde_json::json!([tile("notes-1")]), 0),
    ];
    for (newer, understood) in shapes {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("records"))?;
        records(folder.path(), "board").store(&newer)?;
        let opened = open(folder.path())?;
        assert_eq!(opened.board().tiles.len(), understood, "{newer}");
        opened.set_board(opened.board())?;
        let mut again = opened.board();
        again.tiles.extend(first_board().tiles.into_iter().take(1));
        opened.set_board(again)?;
        let written = records(folder.path(), "board").load()?.unwrap_or_default();
        let aside = fs::read(folder.path().join("records/board.unread.json")).unwrap_or_default();
        assert_eq!(written["pages"], newer["pages"]);
        let kept = written.to_string() + &String::from_utf8(aside)?;
        for name in ["future-1", "notes-1"] {
            assert_eq!(
                kept.contains(name),
                newer.to_string().contains(name),
                "{name} in {kept}"
            );
        }
        assert_eq!(open(folder.path())?.board().tiles.len(), understood + 1);
    }
    Ok(())
}

#[test]
fn a_state_of_another_shape_is_set_aside_before_a_new_one_is_written() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("state"))?;
    state_file(folder.path(), "notes-1").store(&serde_json::json!({ "schema": "seven", "lines": ["a"] }))?;
    let records = open(folder.path())?;
    assert_eq!(records.state("notes-1"), None);
    records.save_state("notes-1", state("new"))?;
    assert_eq!(open(folder.path())?.state("notes-1"), Some(state("new")));
    let aside = fs::read_to_string(folder.path().join("records/state.notes-1.unread.json"))?;
    assert!(aside.contains("seven"), "{aside}");
    Ok(())
}

#[test]
fn who_has_no_right_to_write_writes_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let records = Records::read(folder.path())?;
    assert!(records.save_state("notes-1", state("x")).is_err());
    assert!(records.set_board(first_board()).is_err());
    assert!(records.set_settings(&Settings::default()).is_err());
    assert!(
        records
            .decide(&"moult/system".parse()?, "system.figures", true)
            .is_err()
    );
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn a_widget_is_proven_in_the_version_that_was_loaded() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let notes: Subject = "w/moult/notes".parse()?;
    let (one, two): (Version, Version) = ("1.0.0".parse()?, "1.1.0".parse()?);
    open(folder.path())?.prove(&[(notes.clone(), one.clone())])?;
    let again = open(folder.path())?;
    assert!(again.is_proven(&notes, &one) && !again.is_proven(&notes, &two));
    assert!(!again.is_proven(&"w/moult/clock".parse()?, &one));
    Ok(())
}

#[test]
fn what_was_saved_is_there_after_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let records = open(folder.path())?;
    records.save_state("notes-1", state("kept"))?;
    records.decide(&"moult/system".parse()?, "system.figures", true)?;
    records.set_settings(&Settings {
        check_every_seconds: 60,
        ..Settings::default()
    })?;
    let again = open(folder.path())?;
    assert_eq!(again.state("notes-1"), Some(state("kept")));
    assert!(again.grants().allows(&"moult/system".parse()?, "system.figures"));
    assert_eq!(again.settings().check_every_seconds, 60);
    Ok(())
}

#[test]
fn state_of_a_tile_that_is_not_there_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let records = open(folder.path())?;
    assert!(records.save_state("../settings", state("x")).is_err());
    let large = SavedState {
        schema: 1,
        data: Value::String("x".repeat(STATE_LIMIT_BYTES)),
    };
    assert!(records.save_state("notes-1", large).is_err());
    Ok(())
}

#[test]
fn wrong_settings_are_refused_and_the_old_ones_go_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let records = open(folder.path())?;
    assert!(
        records
            .set_settings(&Settings {
                check_every_seconds: 0,
                ..Settings::default()
            })
            .is_err()
    );
    assert_eq!(records.settings(), Settings::default());
    fs::write(folder.path().join("settings.json"), b"{\"mode\":\"sometimes\"}")?;
    assert_eq!(open(folder.path())?.settings().mode, Settings::default().mode);
    Ok(())
}

#[test]
fn who_is_kept_off_the_board_stays_off_after_a_restart_until_it_is_let_on_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let version: Version = "1.0.0".parse()?;
    let names =
        |records: &Records| -> Vec<String> { records.held().into_iter().map(|held| held.instance).collect() };
    let records = open(folder.path())?;
    records.hold("notes-1", &version, HeldCause::Hung)?;
    records.hold("clock-1", &version, HeldCause::Flood)?;
    records.hold("notes-1", &version, HeldCause::Memory)?;
    let again = open(folder.path())?;
    assert_eq!(names(&again), ["clock-1", "notes-1"]);
    assert_eq!(
        again.held().last().map(|held| held.cause),
        Some(HeldCause::Memory)
    );
    again.release("notes-1")?;
    assert_eq!(names(&open(folder.path())?), ["clock-1"]);

    // Who may not write keeps it off all the same, as long as it runs.
    let reading = Records::read(folder.path())?;
    assert!(reading.hold("tasks-1", &version, HeldCause::Hung).is_err());
    assert_eq!(names(&reading), ["clock-1", "tasks-1"]);
    Ok(())
}
