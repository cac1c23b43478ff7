//! What `moult patch` does with files of one's own.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::support::{Desk, executable};

const DIFF: [&str; 5] = ["patch", "diff", "old", "new", "a.mpatch"];
const APPLY: [&str; 5] = ["patch", "apply", "old", "a.mpatch", "out"];
const INSPECT: [&str; 3] = ["patch", "inspect", "a.mpatch"];

/// A folder with an old and a new file, and the patch between them.
fn with_patch() -> Result<Desk> {
    let desk = Desk::new()?;
    desk.write("old", executable(1, 30_000, 0))?;
    desk.write("new", executable(1, 30_000, 1))?;
    desk.moult(&DIFF)?.done()?;
    Ok(desk)
}

/// Runs commands that are refused: each tells why, and leaves all files as they are.
fn change_nothing(desk: &Desk, cases: &[(&str, &str)]) -> Result<()> {
    let before = desk.files("")?;
    for (name, line) in cases {
        let words: Vec<&str> = line.split(' ').collect();
        desk.snapshot(name, &desk.moult(&words)?);
        ensure!(desk.files("")? == before, "{name} changed something");
    }
    Ok(())
}

#[test]
fn a_patch_is_made_told_of_and_applied() -> Result<()> {
    let desk = Desk::new()?;
    desk.write("old", executable(1, 30_000, 0))?;
    desk.write("new", executable(1, 30_000, 1))?;
    desk.snapshot("patch_diff", &desk.moult(&DIFF)?);
    desk.snapshot("patch_inspect", &desk.moult(&INSPECT)?);
    desk.snapshot("patch_apply", &desk.moult(&APPLY)?);
    assert_eq!(desk.read("out")?, desk.read("new")?);
    ensure!(
        desk.read("a.mpatch")?.len() < 3000,
        "the patch is no smaller than a file"
    );
    // The same files give the same bytes, over the patch that is there.
    let patch = desk.read("a.mpatch")?;
    desk.moult(&DIFF)?.done()?;
    assert_eq!(desk.read("a.mpatch")?, patch);
    Ok(())
}

#[test]
fn programs_read_the_same_as_json() -> Result<()> {
    let desk = with_patch()?;
    desk.snapshot(
        "patch_diff_json",
        &desk.moult(&[&DIFF[..], &["--json"]].concat())?,
    );
    desk.snapshot(
        "patch_apply_json",
        &desk.moult(&[&APPLY[..], &["--json"]].concat())?,
    );
    desk.snapshot(
        "patch_inspect_json",
        &desk.moult(&[&INSPECT[..], &["--json"]].concat())?,
    );
    Ok(())
}

#[test]
fn with_the_old_file_every_byte_of_the_body_is_accounted_for() -> Result<()> {
    let desk = with_patch()?;
    let seen = desk.json(&[&INSPECT[..], &["--old", "old"]].concat())?;
    let sum = |spent: &Value| -> u64 {
        let streams = spent.as_object().into_iter().flat_map(|streams| streams.values());
        streams.filter_map(Value::as_u64).sum()
    };
    let sections = seen["sections"].as_array().cloned().unwrap_or_default();
    let in_sections: u64 = sections.iter().map(|section| sum(&section["spent"])).sum();
    let (all, body) = (sum(&seen["spent"]), seen["body"].as_u64().unwrap_or_default());
    assert_eq!(all, in_sections);
    // Each figure is rounded down.
    ensure!(all <= body && body <= all + 40, "{all} of {body} bytes");
    let parts: u64 = ["framing", "control", "body"]
        .iter()
        .filter_map(|part| seen[part].as_u64())
        .sum();
    assert_eq!(parts, desk.read("a.mpatch")?.len() as u64);
    let made: u64 = ["copied", "new", "page_hashes"]
        .iter()
        .filter_map(|part| seen[part].as_u64())
        .sum();
    assert_eq!(made, 30_000);
    let text = desk.moult(&[&INSPECT[..], &["--old", "old"]].concat())?.done()?;
    for expected in ["where the body went", "corrections", "bytes"] {
        ensure!(text.stdout.contains(expected), "{expected}: {}", text.stdout);
    }
    Ok(())
}

#[test]
fn the_first_format_is_still_applied_and_told_of() -> Result<()> {
    let desk = with_patch()?;
    let mut patch = Vec::new();
    moult_delta::format1::diff(&desk.read("old")?, &desk.read("new")?, &mut patch)?;
    desk.write("a.mpatch", patch)?;
    desk.moult(&APPLY)?.done()?;
    assert_eq!(desk.read("out")?, desk.read("new")?);
    desk.snapshot("patch_inspect_format_1", &desk.moult(&INSPECT)?);
    desk.snapshot("inspect_patch_format_1", &desk.moult(&["inspect", "a.mpatch"])?);
    Ok(())
}

#[test]
fn what_is_compressed_is_patched_by_its_content() -> Result<()> {
    let desk = Desk::new()?;
    let words = executable(1, 30_000, 0)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte} "));
    let frame = |text: &str| zstd::bulk::compress(text.as_bytes(), 3);
    desk.write("old", frame(&words)?)?;
    desk.write("new", frame(&words.replacen(" 7 ", " eight ", 9))?)?;
    let made = desk.json(&DIFF)?;
    assert_eq!(
        (&made["format"], &made["container"]["rebuilt"]),
        (&json!(3), &json!(1))
    );
    ensure!(
        made["size"].as_u64() < made["container"]["plain_patch"].as_u64(),
        "{made}"
    );
    let seen = desk.json(&INSPECT)?;
    assert_eq!(seen["format"], 3);
    assert_eq!(seen["encoders"], moult_containers::encoders());
    assert_eq!(
        (&seen["unpacked"], &seen["rebuilt"], &seen["left"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(seen["streams"][0]["encoder"], "zstd level 3");
    assert_eq!(seen["to"]["size"], desk.read("new")?.len());
    let text = desk.moult(&INSPECT)?.done()?;
    for expected in [
        "format           3",
        "rebuilt        1",
        "zstd level 3",
        "at most, to apply it",
    ] {
        ensure!(text.stdout.contains(expected), "{expected}: {}", text.stdout);
    }
    assert_eq!(desk.json(&["inspect", "a.mpatch"])?["format"], 3);

    let applied = desk.json(&APPLY)?;
    assert_eq!(applied["format"], 3);
    assert_eq!(desk.read("out")?, desk.read("new")?);
    Ok(())
}

#[test]
fn a_patch_between_containers_that_can_not_work_is_refused_and_nothing_is_left() -> Result<()> {
    let desk = Desk::new()?;
    let words = executable(1, 30_000, 0)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte} "));
    let frame = |text: &str| zstd::bulk::compress(text.as_bytes(), 3);
    desk.write("old", frame(&words)?)?;
    desk.write("new", frame(&words.replacen(" 7 ", " eight ", 9))?)?;
    desk.moult(&DIFF)?.done()?;
    let patch = desk.read("a.mpatch")?;
    let other = [&patch[..11], b"X", &patch[12..]].concat();
    let damaged = [&patch[..patch.len() - 9], &[0; 9]].concat();
    for (name, patch, hint) in [
        (
            "other encoders",
            &other[..],
            "use the moult that the patch was made with",
        ),
        ("damaged", &damaged, "the patch is damaged"),
        ("cut off", &patch[..30], "the patch is damaged"),
    ] {
        desk.write("a.mpatch", patch)?;
        let refused = desk.moult(&APPLY)?;
        ensure!(
            refused.code != Some(0) && refused.stderr.contains(hint),
            "{name}: {}",
            refused.stderr
        );
        ensure!(desk.read("out").is_err(), "{name}: something was left behind");
    }
    Ok(())
}

#[test]
fn empty_files_are_files() -> Result<()> {
    let desk = Desk::new()?;
    desk.write("full", executable(1, 1000, 0))?;
    desk.write("empty", "")?;
    for (old, new) in [("empty", "empty"), ("empty", "full"), ("full", "empty")] {
        desk.json(&["patch", "diff", old, new, "a.mpatch"])?;
        desk.json(&["patch", "apply", old, "a.mpatch", "out", "--force"])?;
        ensure!(desk.read("out")? == desk.read(new)?, "{old} to {new}");
    }
    Ok(())
}

#[test]
fn what_is_trusted_is_compared() -> Result<()> {
    let desk = with_patch()?;
    let digest = moult_model::Digest::of(&desk.read("new")?).to_string();
    let trusted = ["--size", "30000", "--sha256", &digest];
    desk.snapshot(
        "patch_apply_trusted",
        &desk.moult(&[&APPLY[..], &trusted].concat())?,
    );
    std::fs::remove_file(desk.path("out"))?;
    let before = desk.files("")?;
    let other = moult_model::Digest::of(b"another").to_string();
    let cases: [(&str, &[&str]); 3] = [
        ("error_patch_size", &["--size", "30001"]),
        ("error_patch_sha256", &["--sha256", &other]),
        ("error_patch_no_digest", &["--sha256", "f00"]),
    ];
    for (name, args) in cases {
        desk.snapshot(name, &desk.moult(&[&APPLY[..], args].concat())?);
        ensure!(desk.files("")? == before, "{name} left something behind");
    }
    Ok(())
}

#[test]
fn what_is_there_is_not_lost() -> Result<()> {
    let desk = with_patch()?;
    desk.write("out", "mine")?;
    desk.write("folder/file", "mine")?;
    let cases = [
        ("error_patch_out_exists", "patch apply old a.mpatch out"),
        (
            "error_patch_out_is_a_folder",
            "patch apply old a.mpatch folder --force",
        ),
        ("error_patch_out_nowhere", "patch apply old a.mpatch nowhere/out"),
        ("error_patch_diff_confused", "patch diff old a.mpatch new"),
        ("error_patch_diff_folder", "patch diff old new folder"),
        ("error_patch_diff_nowhere", "patch diff old new nowhere/a.mpatch"),
    ];
    change_nothing(&desk, &cases)?;
    desk.moult(&[&APPLY[..], &["--force"]].concat())?.done()?;
    assert_eq!(desk.read("out")?, desk.read("new")?);
    desk.moult(&["patch", "diff", "old", "new", "out", "--force"])?
        .done()?;
    assert_eq!(desk.read("out")?, desk.read("a.mpatch")?);
    Ok(())
}

#[test]
fn a_file_can_be_replaced_by_its_successor() -> Result<()> {
    let desk = with_patch()?;
    let in_place = ["patch", "apply", "old", "a.mpatch", "old", "--force"];
    desk.moult(&in_place)?.done()?;
    assert_eq!(desk.read("old")?, desk.read("new")?);
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_executable_stays_one() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = with_patch()?;
    std::fs::set_permissions(desk.path("old"), std::fs::Permissions::from_mode(0o750))?;
    desk.moult(&APPLY)?.done()?;
    let mode = std::fs::metadata(desk.path("out"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
    Ok(())
}

#[test]
fn files_that_can_not_be_read_are_named() -> Result<()> {
    let desk = with_patch()?;
    let cases = [
        ("error_patch_diff_no_old", "patch diff missing new b"),
        ("error_patch_diff_no_new", "patch diff old widgets b"),
        ("error_patch_apply_no_old", "patch apply missing a.mpatch out"),
        ("error_patch_apply_no_patch", "patch apply old missing out"),
        ("error_patch_inspect_missing", "patch inspect missing"),
        (
            "error_patch_inspect_no_old",
            "patch inspect a.mpatch --old missing",
        ),
    ];
    change_nothing(&desk, &cases)
}

#[test]
fn a_patch_that_can_not_work_is_refused_and_nothing_is_left() -> Result<()> {
    let desk = with_patch()?;
    let good = desk.read("a.mpatch")?;
    let with = |at: usize, byte: u8| {
        let mut bad = good.clone();
        bad[at] = byte;
        bad
    };
    let cases = [
        ("error_patch_text", b"hello, this is a text".to_vec()),
        ("error_patch_format_99", with(8, 99)),
        ("error_patch_cut_header", good[..12].to_vec()),
        ("error_patch_cut", good[..good.len() / 2].to_vec()),
        ("error_patch_longer", [&good[..], b"x"].concat()),
    ];
    for (name, patch) in cases {
        desk.write("a.mpatch", patch)?;
        let before = desk.files("")?;
        desk.snapshot(name, &desk.moult(&APPLY)?);
        ensure!(desk.files("")? == before, "{name} left something behind");
    }
    // Which of the checks finds a changed byte depends on the byte; that one of them does, does not.
    for at in (10..good.len()).step_by(97) {
        desk.write("a.mpatch", with(at, good[at] ^ 0x55))?;
        let before = desk.files("")?;
        let ran = desk.moult(&APPLY)?;
        ensure!(ran.code == Some(1), "byte {at}: {ran}");
        ensure!(desk.files("")? == before, "byte {at} left something behind");
    }
    Ok(())
}

#[test]
fn another_old_file_is_told_from_the_right_one() -> Result<()> {
    let desk = with_patch()?;
    let right = desk.read("old")?;
    let mut altered = right.clone();
    altered[15_000] ^= 1;
    for (name, old) in [
        ("error_patch_shorter_old", right[..29_999].to_vec()),
        ("error_patch_altered_old", altered),
    ] {
        desk.write("old", old)?;
        let before = desk.files("")?;
        desk.snapshot(name, &desk.moult(&APPLY)?);
        desk.snapshot(
            &format!("{name}_inspected"),
            &desk.moult(&[&INSPECT[..], &["--old", "old"]].concat())?,
        );
        ensure!(desk.files("")? == before, "{name} left something behind");
    }
    Ok(())
}

#[test]
fn programs_read_errors_as_json() -> Result<()> {
    let desk = with_patch()?;
    desk.write("old", "another")?;
    let ran = desk.moult(&[&APPLY[..], &["--json"]].concat())?;
    assert_eq!(ran.code, Some(1));
    let error: Value = serde_json::from_str(&ran.stdout)?;
    assert_eq!(
        error["error"]["hint"],
        json!("nothing was written; name the very file that the patch was made from")
    );
    Ok(())
}
