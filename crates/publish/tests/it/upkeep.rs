//! The repository as a whole: every way replayed, what may go, why a patch is big, what is wrong.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::support::{Desk, NOW, TRIPLE, executable};

const WIDGET: [&str; 3] = ["publish", "widget", "moult/clock"];

/// A widget in `count` versions, published a month after each other, the first on 21 November 2026.
fn desk(count: u64) -> Result<Desk> {
    let desk = Desk::with_keys()?;
    for number in 0..count {
        desk.bundle("widgets/clock", "w/moult/clock", &format!("1.{number}.0"), number)?;
        desk.moult_at(&month(number), &WIDGET)?.done()?;
    }
    Ok(desk)
}

fn month(number: u64) -> String {
    let (year, month) = (2026 + (10 + number) / 12, (10 + number) % 12 + 1);
    format!("{year}-{month:02}-21T10:00:00Z")
}

#[test]
fn every_way_is_replayed() -> Result<()> {
    let desk = desk(6)?;
    for (seed, version) in ["0.1.0", "0.1.1"].into_iter().enumerate() {
        desk.write(
            &format!("target/{TRIPLE}/app"),
            executable(1, 30_000, seed as u64),
        )?;
        desk.json(&["publish", "app", "--version", version, "--target", TRIPLE])?;
    }
    desk.snapshot("verify", &desk.moult(&["verify"])?);
    let verified = desk.json(&["verify", "moult/clock"])?;
    let ways = verified["subjects"][0]["ways"].as_array().context("ways")?;
    let kinds: Vec<_> = ways
        .iter()
        .map(|way| way["kind"].as_str().unwrap_or_default())
        .collect();
    // Patches start from the last three; who is older goes over one of them.
    assert_eq!(kinds, ["patch", "patch", "patch", "chain", "chain"]);
    Ok(())
}

#[test]
fn a_way_that_leads_wrong_is_named() -> Result<()> {
    let desk = desk(2)?;
    let name = desk
        .files("dist/repository/targets/w/moult/clock/files")?
        .into_keys()
        .find(|name| name.ends_with(".mpatch"))
        .context("a patch")?;
    let path = format!("dist/repository/targets/w/moult/clock/files/{name}");
    let good = desk.read(&path)?;
    let mut bad = good.clone();
    *bad.last_mut().context("bytes")? ^= 1;
    desk.write(&path, bad)?;
    desk.snapshot("error_verify_patch", &desk.moult(&["verify"])?);
    desk.write(&path, good)?;
    desk.moult(&["verify"])?.done()?;
    let full = desk
        .files("dist/repository/targets/w/moult/clock/files")?
        .into_keys()
        .find(|name| name.strip_suffix(".zst").is_some())
        .context("a full file")?;
    std::fs::remove_file(desk.path(&format!("dist/repository/targets/w/moult/clock/files/{full}")))?;
    desk.snapshot("error_verify_full", &desk.moult(&["verify"])?);
    Ok(())
}

#[test]
fn nothing_becomes_visible_over_a_way_that_was_not_replayed() -> Result<()> {
    let desk = desk(1)?;
    // Published, but lost: the way from it can't be replayed.
    let files = "dist/repository/targets/w/moult/clock/files";
    let full = desk.files(files)?.into_keys().next().context("a file")?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let good = desk.read(&format!("{files}/{full}"))?;
    desk.write(&format!("{files}/{full}"), b"other")?;
    let before = desk.files("dist/repository/metadata")?;
    ensure!(desk.moult(&WIDGET)?.code == Some(1), "it was published");
    ensure!(
        desk.files("dist/repository/metadata")? == before,
        "the metadata changed"
    );
    desk.write(&format!("{files}/{full}"), good)?;
    desk.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn what_nobody_may_ask_for_goes_after_its_grace() -> Result<()> {
    let desk = desk(8)?;
    desk.json(&["rollout", "set", "moult/clock", "1.7.0", "--update-from", "1.1.0"])?;
    let last = month(7);
    let later = month(9);
    let prune = ["prune", "--versions", "2", "--days", "40", "--grace-days", "30"];
    let files = desk.files("dist/repository")?;
    desk.snapshot(
        "prune_dry_run",
        &desk.moult_at(&last, &[&prune[..], &["--dry-run"]].concat())?,
    );
    ensure!(desk.files("dist/repository")? == files, "a dry run changed files");

    let first = desk.moult_at(&last, &prune)?.done()?;
    desk.snapshot("prune", &first);
    let versions = |desk: &Desk| -> Result<Vec<String>> {
        let seen = desk.json(&["inspect", "dist/repository"])?;
        let releases = seen["subjects"][0]["releases"]
            .as_array()
            .context("releases")?
            .clone();
        Ok(releases
            .iter()
            .filter_map(|release| Some(release["version"].as_str()?.to_owned()))
            .collect())
    };
    // Two stay as the newest, one as where the second may be sent back to, one as the step-stone of the newest.
    assert_eq!(versions(&desk)?, ["1.7.0", "1.6.0", "1.5.0", "1.1.0"]);
    let kept = desk.files("dist/repository/targets")?;
    ensure!(
        files
            .iter()
            .filter(|(name, _)| name.starts_with("targets/"))
            .all(|(name, _)| kept.contains_key(name.trim_start_matches("targets/"))),
        "a file went before its grace"
    );

    let second: serde_json::Value = serde_json::from_str(
        &desk
            .moult_at(&later, &[&prune[..], &["--json"]].concat())?
            .done()?
            .stdout,
    )?;
    let dropped = second["files"].as_array().context("files")?.len();
    ensure!(dropped > 10, "{dropped} files went");
    ensure!(
        desk.files("dist/repository/metadata")?
            .contains_key("1.root.json"),
        "a root went"
    );
    desk.moult_at(&later, &["verify"])?.done()?;
    let seen = desk.json(&["inspect", "dist/repository"])?;
    assert_eq!(seen["missing"], json!([]));
    Ok(())
}

#[test]
fn a_report_says_why_a_patch_is_big() -> Result<()> {
    let desk = desk(2)?;
    desk.write("widgets/clock/assets/new.bin", executable(77, 4000, 0))?;
    let manifest = String::from_utf8(desk.read("widgets/clock/moult.json")?)?;
    desk.write("widgets/clock/moult.json", manifest.replace("1.1.0", "1.2.0"))?;
    desk.moult(&WIDGET)?.done()?;
    let report = ["diff-report", "moult/clock", "1.1.0", "1.2.0"];
    let seen = desk.json(&report)?;
    assert_eq!(seen["files"][0]["path"], "assets/new.bin");
    assert_eq!(seen["is_listed"], true);
    let patch = seen["patch_size"].as_u64().context("a size")?;
    let dearest = seen["contributors"][0]["size"].as_u64().context("a size")?;
    ensure!(patch > 4000 && dearest * 2 > patch, "{seen}");
    let whole: u64 = seen["contributors"]
        .as_array()
        .context("contributors")?
        .iter()
        .filter_map(|contributor| contributor["size"].as_u64())
        .sum();
    ensure!(whole <= patch, "more was spent than there is: {seen}");
    desk.snapshot(
        "diff_report",
        &desk.moult(&[&report[..], &["--top", "2"]].concat())?,
    );
    desk.snapshot(
        "error_diff_report",
        &desk.moult(&["diff-report", "moult/clock", "0.9.0", "1.2.0"])?,
    );
    Ok(())
}

#[test]
fn a_doctor_warns_before_it_is_too_late() -> Result<()> {
    let desk = desk(1)?;
    desk.write("shell/moult.json", desk.read("shell/moult.json")?)?;
    let examine = |now: &str| desk.moult_at(now, &["doctor", "--offline"]);
    desk.snapshot("doctor", &examine(NOW)?);
    desk.snapshot("doctor_soon", &examine("2026-11-27T10:00:00Z")?);
    desk.snapshot("doctor_expired", &examine("2027-03-01T10:00:00Z")?);
    desk.snapshot("doctor_clock", &examine("2020-01-01T00:00:00Z")?);
    desk.moult(&["doctor", "--offline", "--deep"])?.done()?;

    let files = "dist/repository/targets/w/moult/clock/files";
    let full = desk.files(files)?.into_keys().next().context("a file")?;
    let good = desk.read(&format!("{files}/{full}"))?;
    let mut bad = good.clone();
    bad[20] ^= 1;
    desk.write(&format!("{files}/{full}"), &bad)?;
    ensure!(examine(NOW)?.code == Some(0), "the size is as it was");
    desk.snapshot("doctor_damaged", &desk.moult(&["doctor", "--offline", "--deep"])?);
    std::fs::remove_file(desk.path(&format!("{files}/{full}")))?;
    desk.snapshot("doctor_missing", &examine(NOW)?);
    std::fs::remove_dir_all(desk.path("widgets/clock"))?;
    std::fs::rename(desk.path("keys"), desk.path("aside"))?;
    desk.snapshot(
        "doctor_no_keys_json",
        &desk.moult(&["doctor", "--offline", "--json"])?,
    );
    Ok(())
}

#[cfg(unix)]
#[test]
fn keys_that_others_may_read_are_a_fault() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::with_keys()?;
    std::fs::set_permissions(desk.path("keys"), std::fs::Permissions::from_mode(0o755))?;
    desk.snapshot("doctor_open_keys", &desk.moult(&["doctor", "--offline"])?);
    Ok(())
}
