//! Who may have a release: waves, presets, promotion, recall.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Desk, NOW, TRIPLE, executable};

const WIDGET: [&str; 3] = ["publish", "widget", "moult/clock"];

/// A widget in three versions, all on the channel beta.
fn desk() -> Result<Desk> {
    let desk = Desk::with_keys()?;
    for (seed, version) in ["1.0.0", "1.1.0", "1.2.0"].into_iter().enumerate() {
        desk.bundle("widgets/clock", "w/moult/clock", version, seed as u64)?;
        desk.json(&[&WIDGET[..], &["--channel", "beta"]].concat())?;
    }
    Ok(desk)
}

/// What is signed of a release.
fn signed(desk: &Desk, version: &str) -> Result<Value> {
    let metadata = desk.path("dist/repository/targets/w/moult/clock");
    let mut newest: Option<(std::time::SystemTime, Value)> = None;
    for entry in std::fs::read_dir(metadata)? {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let changed = entry.metadata()?.modified()?;
            let index = serde_json::from_slice(&std::fs::read(entry.path())?)?;
            if newest.as_ref().is_none_or(|(time, _)| changed >= *time) {
                newest = Some((changed, index));
            }
        }
    }
    let (_, index) = newest.context("an index")?;
    let releases = index["releases"].as_array().context("releases")?;
    let found = releases.iter().find(|release| release["version"] == version);
    Ok(found.context("the release")?.clone())
}

#[test]
fn a_release_goes_out_in_the_waves_that_were_asked_for() -> Result<()> {
    let desk = Desk::with_keys()?;
    let offered = |options: &[&str]| -> Result<Value> { desk.json(&[&WIDGET[..], options].concat()) };
    desk.snapshot(
        "publish_in_waves",
        &desk.moult(&[&WIDGET[..], &["--preset", "quick"]].concat())?,
    );
    let release = signed(&desk, "1.0.0")?;
    assert_eq!(
        release["rollout"]["waves"],
        json!([
            { "from": "2026-11-21T10:00:00Z", "share": 1000 },
            { "from": "2026-11-21T10:05:00Z", "share": 5000 },
            { "from": "2026-11-21T10:15:00Z", "share": 10_000 },
        ])
    );
    let salt = release["rollout"]["salt"].clone();

    // The same command again changes nothing; other waves keep the salt, so that who has it keeps it.
    assert_eq!(offered(&["--preset", "quick"])?["changed"], false);
    offered(&["--share", "12.5"])?;
    let release = signed(&desk, "1.0.0")?;
    assert_eq!(release["rollout"]["waves"][0]["share"], 1250);
    assert_eq!(release["rollout"]["salt"], salt);
    offered(&["--share", "100"])?;
    assert_eq!(signed(&desk, "1.0.0")?["rollout"], Value::Null);

    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    offered(&[
        "--waves",
        "1@now,50@+2d",
        "--update-from",
        "1.0.0",
        "--min-secure",
        "1.0.0",
        "--data-schema",
        "2:1-2",
        "--recall-to",
        "1.0.0",
    ])?;
    let release = signed(&desk, "1.1.0")?;
    assert_eq!(release["rollout"]["waves"][1]["from"], "2026-11-23T10:00:00Z");
    assert_eq!(
        (&release["update_from"], &release["min_secure"]),
        (&json!("1.0.0"), &json!("1.0.0"))
    );
    assert_eq!(
        release["data_schema"],
        json!({ "writes": 2, "reads_from": 1, "reads_to": 2 })
    );
    assert_eq!(release["recall_to"].as_array().map(Vec::len), Some(1));
    ensure!(
        release["rollout"]["salt"] != salt,
        "each release has a salt of its own"
    );
    Ok(())
}

#[test]
fn the_configuration_says_it_where_the_command_does_not() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.configure(
        "/rollout",
        json!({
            "preset": "slow",
            "presets": { "slow": [{ "percent": 1, "minutes": 1440 }, { "percent": 100, "minutes": 0 }] },
            "rollback": { "strategy": "canary", "max_error_percent": 5, "automatic": true, "step_percent": 25 },
        }),
    )?;
    desk.json(&WIDGET)?;
    let waves = signed(&desk, "1.0.0")?["rollout"]["waves"].clone();
    assert_eq!(waves[0]["share"], 100);
    assert_eq!(waves[1]["from"], "2026-11-22T10:00:00Z");
    // What is out stays as it is offered.
    assert_eq!(desk.json(&WIDGET)?["changed"], false);
    desk.json(&["rollout", "set", "moult/clock", "1.0.0", "--preset", "canary"])?;
    let waves = signed(&desk, "1.0.0")?["rollout"]["waves"].clone();
    let shares: Vec<_> = waves
        .as_array()
        .context("waves")?
        .iter()
        .map(|wave| wave["share"].clone())
        .collect();
    assert_eq!(shares, [2500, 5000, 7500, 10_000]);
    Ok(())
}

#[test]
fn a_rollout_is_paused_resumed_and_halted() -> Result<()> {
    let desk = desk()?;
    let of = |command: &str, options: &[&str]| {
        desk.moult(&[&["rollout", command, "moult/clock", "1.2.0"], options].concat())
    };
    desk.snapshot("rollout_set", &of("set", &["--waves", "10@now,50@+1h"])?);
    desk.snapshot("rollout_pause_dry_run", &of("pause", &["--dry-run"])?);
    desk.snapshot("rollout_pause", &of("pause", &[])?);
    let paused = signed(&desk, "1.2.0")?;
    assert_eq!(
        (
            &paused["held"],
            paused["rollout"]["waves"].as_array().map(Vec::len)
        ),
        (&json!(true), Some(1))
    );
    desk.snapshot("rollout_pause_again", &of("pause", &[])?);
    desk.snapshot("rollout_resume", &of("resume", &[])?);
    let resumed = signed(&desk, "1.2.0")?;
    assert_eq!(
        (&resumed["held"], &resumed["hold_epoch"]),
        (&Value::Null, &json!(1))
    );
    desk.snapshot("rollout_halt", &of("halt", &["--reason", "It eats memory."])?);
    desk.snapshot("rollout_show", &desk.moult(&["rollout", "show"])?);
    desk.snapshot(
        "rollout_show_json",
        &desk.moult(&["rollout", "show", "moult/clock", "--json"])?,
    );
    of("resume", &["--preset", "steady"])?.done()?;
    assert_eq!(signed(&desk, "1.2.0")?["hold_epoch"], 2);
    Ok(())
}

#[test]
fn what_can_not_be_offered_so_is_refused() -> Result<()> {
    let desk = desk()?;
    let set = |options: &[&str]| desk.moult(&[&["rollout", "set", "moult/clock", "1.2.0"], options].concat());
    let before = desk.files("dist/repository/metadata")?;
    desk.snapshot("error_unknown_preset", &set(&["--preset", "quicker"])?);
    desk.snapshot("error_waves_shrink", &set(&["--waves", "50@now,10@+1h"])?);
    desk.snapshot("error_bad_share", &set(&["--share", "120"])?);
    desk.snapshot("error_two_plans", &set(&["--share", "10", "--preset", "quick"])?);
    desk.snapshot("error_recall_to_nowhere", &set(&["--recall-to", "0.9.0"])?);
    desk.snapshot(
        "error_rollout_unknown_version",
        &desk.moult(&["rollout", "pause", "moult/clock", "9.9.9"])?,
    );
    desk.snapshot(
        "error_resume_not_held",
        &desk.moult(&["rollout", "resume", "moult/clock", "1.2.0"])?,
    );
    desk.snapshot(
        "error_rollout_no_target",
        &desk.moult(&["rollout", "pause", "app", "1.0.0"])?,
    );
    ensure!(
        desk.files("dist/repository/metadata")? == before,
        "the metadata changed"
    );
    Ok(())
}

#[test]
fn a_release_is_promoted_with_the_same_bytes() -> Result<()> {
    let desk = desk()?;
    let before = signed(&desk, "1.1.0")?;
    let files = desk.files("dist/repository/targets/w/moult/clock/files")?;
    let promote = ["promote", "moult/clock", "1.1.0", "--to", "stable"];
    desk.snapshot(
        "promote_dry_run",
        &desk.moult(&[&promote[..], &["--dry-run"]].concat())?,
    );
    desk.snapshot("promote", &desk.moult(&promote)?);
    let after = signed(&desk, "1.1.0")?;
    assert_eq!(after["channels"], json!(["stable", "beta", "nightly"]));
    for field in ["digest", "full", "published"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    ensure!(
        desk.files("dist/repository/targets/w/moult/clock/files")? == files,
        "files changed"
    );
    desk.snapshot("promote_again", &desk.moult(&promote)?);
    desk.snapshot(
        "error_promote_channel",
        &desk.moult(&["promote", "moult/clock", "1.1.0", "--to", "dev"])?,
    );
    Ok(())
}

#[test]
fn a_recalled_release_sends_back_those_who_have_it() -> Result<()> {
    let desk = desk()?;
    let recall = |options: &[&str]| desk.moult(&[&["recall", "moult/clock", "1.2.0"], options].concat());
    desk.snapshot("recall_dry_run", &recall(&["--dry-run"])?);
    desk.snapshot("recall", &recall(&["--reason", "It forgets the time."])?);
    let recalled = signed(&desk, "1.2.0")?;
    assert_eq!(recalled["recalled"], signed(&desk, "1.1.0")?["digest"]);
    assert_eq!(recalled["held"], true);
    desk.snapshot("recall_again", &recall(&[])?);
    desk.snapshot(
        "error_resume_recalled",
        &desk.moult(&["rollout", "resume", "moult/clock", "1.2.0"])?,
    );
    desk.moult(&["recall", "moult/clock", "1.1.0"])?.done()?;
    desk.snapshot(
        "error_recall_nothing_below",
        &desk.moult(&["recall", "moult/clock", "1.0.0"])?,
    );
    desk.snapshot(
        "error_recall_to_recalled",
        &desk.moult(&["recall", "moult/clock", "1.0.0", "--to", "1.1.0"])?,
    );
    Ok(())
}

#[test]
fn who_would_lose_data_is_not_sent_back_but_forward() -> Result<()> {
    let desk = desk()?;
    desk.bundle("widgets/clock", "w/moult/clock", "2.0.0", 9)?;
    desk.json(&[&WIDGET[..], &["--data-schema", "2:0-2", "--channel", "beta"]].concat())?;
    let recall = |options: &[&str]| desk.moult(&[&["recall", "moult/clock", "2.0.0"], options].concat());
    desk.snapshot("error_recall_data", &recall(&[])?);

    desk.json(&["rollout", "set", "moult/clock", "1.2.0", "--data-schema", "0:0-2"])?;
    desk.snapshot(
        "error_roll_forward_not_above",
        &recall(&["--roll-forward", "1.9.0"])?,
    );
    desk.snapshot(
        "recall_roll_forward",
        &recall(&["--roll-forward", "2.0.1", "--reason", "Back to good."])?,
    );
    let (old, new) = (signed(&desk, "1.2.0")?, signed(&desk, "2.0.1")?);
    assert_eq!(signed(&desk, "2.0.0")?["recalled"], new["digest"]);
    ensure!(
        new["digest"] != old["digest"],
        "another version has another digest"
    );
    assert_eq!(new["data_schema"], old["data_schema"]);
    let bundle = |release: &Value| -> Result<moult_model::Bundle> {
        let path = release["full"]["path"].as_str().context("a path")?;
        let packed = desk.read(&format!("dist/repository/targets/{path}"))?;
        Ok(moult_model::Bundle::parse(zstd::decode_all(&packed[..])?)?)
    };
    let (old, new) = (bundle(&old)?, bundle(&new)?);
    assert_eq!(new.manifest().version.to_string(), "2.0.1");
    ensure!(
        old.paths().all(|path| old.file(path) == new.file(path)),
        "the code differs"
    );
    desk.moult(&["verify"])?.done()?;
    Ok(())
}

#[test]
fn an_executable_rolls_forward_only_when_it_is_built_again() -> Result<()> {
    let desk = Desk::with_keys()?;
    for (seed, version) in ["1.0.0", "1.1.0"].into_iter().enumerate() {
        desk.write(
            &format!("target/{TRIPLE}/app"),
            executable(1, 30_000, seed as u64),
        )?;
        desk.json(&["publish", "app", "--version", version, "--target", TRIPLE])?;
    }
    let recall = ["recall", "app", "1.1.0", "--roll-forward", "1.1.1"];
    desk.snapshot("error_roll_forward_executable", &desk.moult(&recall)?);
    desk.write("rebuilt", executable(1, 30_000, 7))?;
    desk.snapshot(
        "recall_roll_forward_executable",
        &desk.moult(&[&recall[..], &["--executable", "rebuilt"]].concat())?,
    );
    Ok(())
}

#[test]
fn a_stock_updater_is_offered_only_what_everybody_gets() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.configure("/repository/store", json!({ "kind": "folder", "path": "www" }))?;
    let publish = |version: &str, seed: u64, options: &[&str]| -> Result<Value> {
        desk.write(&format!("target/{TRIPLE}/app"), executable(1, 30_000, seed))?;
        let app = ["publish", "app", "--version", version, "--target", TRIPLE];
        desk.json(&[&app[..], options].concat())
    };
    let offered = || -> Option<String> {
        let bytes = desk.read("www/latest/stable.json").ok()?;
        let latest: Value = serde_json::from_slice(&bytes).ok()?;
        Some(latest["version"].as_str()?.to_owned())
    };
    publish("1.0.0", 0, &["--preset", "quick"])?;
    assert_eq!(offered(), None);
    // Nothing but the time has gone on.
    desk.moult_at("2026-11-21T11:00:00Z", &["resign"])?.done()?;
    assert_eq!(offered().as_deref(), Some("1.0.0"));
    publish("1.1.0", 1, &[])?;
    assert_eq!(offered().as_deref(), Some("1.1.0"));
    desk.moult(&["recall", "app", "1.1.0"])?.done()?;
    assert_eq!(offered(), None, "at this time 1.0.0 is not for everybody");
    desk.moult_at("2026-11-21T11:00:00Z", &["resign"])?.done()?;
    assert_eq!(offered().as_deref(), Some("1.0.0"));
    Ok(())
}

#[test]
fn the_salt_and_with_it_every_byte_follows_from_the_input() -> Result<()> {
    let (one, other) = (desk()?, desk()?);
    for desk in [&one, &other] {
        desk.moult_at(
            NOW,
            &["rollout", "set", "moult/clock", "1.2.0", "--preset", "steady"],
        )?
        .done()?;
    }
    assert_eq!(signed(&one, "1.2.0")?, signed(&other, "1.2.0")?);
    Ok(())
}
