//! What each command prints when it does what it was asked to.

use anyhow::{Result, ensure};

use crate::support::{Desk, TRIPLE, executable};

#[test]
fn help_names_every_command_and_option() -> Result<()> {
    let desk = Desk::new()?;
    let cases: [(&str, &[&str]); 32] = [
        ("help", &["--help"]),
        ("help_keys_init", &["keys", "init", "--help"]),
        ("help_publish_app", &["publish", "app", "--help"]),
        ("help_publish_widget", &["publish", "widget", "--help"]),
        ("help_resign", &["resign", "--help"]),
        ("help_serve", &["serve", "--help"]),
        ("help_inspect", &["inspect", "--help"]),
        ("help_patch", &["patch", "--help"]),
        ("help_patch_diff", &["patch", "diff", "--help"]),
        ("help_patch_apply", &["patch", "apply", "--help"]),
        ("help_patch_inspect", &["patch", "inspect", "--help"]),
        ("help_widget", &["widget", "--help"]),
        ("help_widget_new", &["widget", "new", "--help"]),
        ("help_widget_dev", &["widget", "dev", "--help"]),
        ("help_widget_check", &["widget", "check", "--help"]),
        ("help_widget_pack", &["widget", "pack", "--help"]),
        ("help_init", &["init", "--help"]),
        ("help_publish_all", &["publish", "all", "--help"]),
        ("help_promote", &["promote", "--help"]),
        ("help_rollout", &["rollout", "--help"]),
        ("help_rollout_set", &["rollout", "set", "--help"]),
        ("help_rollout_halt", &["rollout", "halt", "--help"]),
        ("help_recall", &["recall", "--help"]),
        ("help_push", &["push", "--help"]),
        ("help_pull", &["pull", "--help"]),
        ("help_verify", &["verify", "--help"]),
        ("help_prune", &["prune", "--help"]),
        ("help_diff_report", &["diff-report", "--help"]),
        ("help_doctor", &["doctor", "--help"]),
        ("help_sbom", &["sbom", "--help"]),
        ("help_completions", &["completions", "--help"]),
        ("help_man", &["man", "--help"]),
    ];
    for (name, args) in cases {
        desk.snapshot(name, &desk.moult(args)?);
    }
    Ok(())
}

#[test]
fn keys_init_makes_what_is_missing_and_keeps_what_is_there() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("keys_init", &desk.moult(&["keys", "init"])?);
    let keys = desk.files("keys")?;
    let repository = desk.files("dist/repository")?;
    desk.snapshot("keys_init_again", &desk.moult(&["keys", "init"])?);
    ensure!(
        desk.files("keys")? == keys && desk.files("dist/repository")? == repository,
        "files changed"
    );

    desk.configure(
        "/widgets",
        serde_json::json!({ "moult/clock": "widgets/clock", "acme/tide": "tide" }),
    )?;
    desk.snapshot("keys_init_adds_a_publisher", &desk.moult(&["keys", "init"])?);
    for (name, bytes) in &keys {
        let changes = name.starts_with("public/");
        ensure!(
            changes || desk.files("keys")?.get(name) == Some(bytes),
            "{name} changed"
        );
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::with_keys()?;
    let mode =
        |path: &str| Ok::<_, anyhow::Error>(std::fs::metadata(desk.path(path))?.permissions().mode() & 0o777);
    assert_eq!(mode("keys")?, 0o700);
    let secret = desk
        .files("keys")?
        .into_keys()
        .filter(|name| !name.starts_with("public/") && name != ".lock");
    let mut count = 0;
    for name in secret {
        assert_eq!(mode(&format!("keys/{name}"))?, 0o600, "{name}");
        count += 1;
    }
    assert!(count >= 8, "{count} keys");
    Ok(())
}

#[test]
fn publishing_a_bundle_tells_what_is_out() -> Result<()> {
    let desk = Desk::with_keys()?;
    let publish = ["publish", "widget", "moult/clock", "--channel", "beta"];
    desk.snapshot("publish_widget", &desk.moult(&publish)?);
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    desk.snapshot("publish_widget_with_a_patch", &desk.moult(&publish)?);
    desk.snapshot("publish_widget_again", &desk.moult(&publish)?);
    desk.snapshot(
        "publish_widget_on_more_channels",
        &desk.moult(&["publish", "widget", "moult/clock"])?,
    );
    desk.bundle("widgets/clock", "w/moult/clock", "1.2.0", 2)?;
    desk.snapshot(
        "publish_widget_json",
        &desk.moult(&["publish", "widget", "moult/clock", "--json"])?,
    );
    desk.snapshot(
        "publish_shell",
        &desk.moult(&["publish", "shell", "--notes", "First."])?,
    );
    Ok(())
}

#[test]
fn everything_that_changed_is_published_in_one_step() -> Result<()> {
    let desk = Desk::with_keys()?;
    for (triple, seed) in [(TRIPLE, 1), ("aarch64-apple-darwin", 2)] {
        desk.write(&format!("target/{triple}/app"), executable(seed, 30_000, 0))?;
    }
    let all = ["publish", "all", "--version", "0.1.0"];
    let before = desk.files("dist/repository")?;
    desk.snapshot(
        "publish_all_dry_run",
        &desk.moult(&[&all[..], &["--dry-run"]].concat())?,
    );
    ensure!(desk.files("dist/repository")? == before, "a dry run wrote");
    ensure!(!desk.path("patches").exists(), "a dry run left patches");
    desk.snapshot("publish_all", &desk.moult(&all)?);
    let timestamp = desk.read("dist/repository/metadata/timestamp.json")?;
    let again = desk.json(&all)?;
    assert_eq!(again["releases"].as_array().map(Vec::len), Some(4));
    ensure!(
        again["releases"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|release| release["changed"] == false),
        "{again}"
    );
    assert_eq!(desk.read("dist/repository/metadata/timestamp.json")?, timestamp);

    // One of four changed: the others are left alone, and without a version so is the app.
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let published = desk.json(&["publish", "all"])?;
    let changed: Vec<_> = published["releases"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|release| release["changed"] == true)
        .map(|release| release["subject"].clone())
        .collect();
    assert_eq!(changed, ["w/moult/clock"]);
    desk.moult(&["verify"])?.done()?;
    Ok(())
}

#[test]
fn of_a_step_that_fails_nothing_is_published() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.json(&["publish", "all"])?;
    let before = desk.files("dist/repository/metadata")?;
    desk.bundle("shell", "shell", "1.1.0", 1)?;
    // The same version with other bytes.
    desk.bundle("widgets/clock", "w/moult/clock", "1.0.0", 9)?;
    let ran = desk.moult(&["publish", "all"])?;
    ensure!(
        ran.code == Some(1) && ran.stderr.contains("published already"),
        "{ran}"
    );
    ensure!(
        desk.files("dist/repository/metadata")? == before,
        "half of it was published"
    );
    Ok(())
}

#[test]
fn publishing_the_app_writes_what_a_stock_updater_reads() -> Result<()> {
    let desk = Desk::with_keys()?;
    let path = format!("target/{TRIPLE}/app");
    desk.write("notes.md", "Better.")?;
    desk.write(&path, executable(1, 50_000, 0))?;
    let first = [
        "publish",
        "app",
        "--version",
        "0.1.0",
        "--target",
        TRIPLE,
        "--notes",
        "@notes.md",
    ];
    desk.snapshot("publish_app", &desk.moult(&first)?);
    let latest = |channel: &str| -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(
            &desk.read(&format!("dist/repository/latest/{channel}.json"))?,
        )?)
    };
    let platform = latest("stable")?["platforms"]["linux-x86_64"].clone();
    let url = platform["url"].as_str().unwrap_or_default();
    let relative = url.strip_prefix("https://updates.example/").unwrap_or_default();
    assert_eq!(
        desk.read(&format!("dist/repository/{relative}"))?,
        desk.read(&path)?
    );
    assert_eq!(latest("stable")?["notes"], "Better.");
    assert_eq!(latest("stable")?["pub_date"], "2026-11-21T10:00:00Z");
    let public = String::from_utf8(desk.read("keys/public/minisign.pub")?)?;
    let signature = platform["signature"].as_str().unwrap_or_default();
    let version = moult_model::Version::new(0, 1, 0);
    moult_trust::verify_signature(&public, signature, &desk.read(&path)?[..], &version)?;

    desk.write(&path, executable(1, 50_000, 1))?;
    let second = [
        "publish",
        "app",
        "--version",
        "0.2.0-beta.1",
        "--target",
        TRIPLE,
        "--channel",
        "beta",
    ];
    desk.snapshot("publish_app_on_beta", &desk.moult(&second)?);
    let versions =
        ["stable", "beta", "nightly"].map(|channel| latest(channel).map(|file| file["version"].clone()));
    let versions: Vec<_> = versions.into_iter().collect::<Result<_>>()?;
    assert_eq!(versions, ["0.1.0", "0.2.0-beta.1", "0.2.0-beta.1"]);
    Ok(())
}

#[test]
fn a_patch_that_is_not_smaller_is_left_out() -> Result<()> {
    let desk = Desk::with_keys()?;
    let path = format!("target/{TRIPLE}/app");
    let publish = |version| desk.json(&["publish", "app", "--version", version, "--target", TRIPLE]);
    desk.write(&path, executable(1, 20_000, 0))?;
    publish("0.1.0")?;
    desk.write(&path, executable(2, 20_000, 0))?;
    let released = publish("0.1.1")?;
    assert_eq!(released["patches"], serde_json::json!([]));
    assert_eq!(released["left_out"], serde_json::json!(["0.1.0"]));
    let patches = desk.files("dist/repository/targets")?;
    ensure!(
        !patches.keys().any(|name| name.ends_with(".mpatch")),
        "a patch is there that nobody may use"
    );
    Ok(())
}

#[test]
fn resign_renews_the_timestamp_and_what_expires_soon() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.moult(&["publish", "shell"])?.done()?;
    let targets = desk.files("dist/repository/targets")?;
    desk.snapshot(
        "resign_next_day",
        &desk.moult_at("2026-11-22T10:00:00Z", &["resign"])?,
    );
    desk.snapshot(
        "resign_after_two_months",
        &desk.moult_at("2027-01-21T10:00:00Z", &["resign", "--json"])?,
    );
    ensure!(
        desk.files("dist/repository/targets")? == targets,
        "the targets changed"
    );
    Ok(())
}
