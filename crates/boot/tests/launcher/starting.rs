//! The real launcher with real processes: what it starts after what.

use std::collections::BTreeSet;
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;

use moult_boot::{SlotName, Why};
use serde_json::Value;

use crate::support::{ABORTED, Installation, as_told, has_one_connection, is_gone, wait};

/// Healthy: it runs until its user quits it at once.
const GOOD: &str = "paint,quit:user";
/// Long enough for a loaded computer to start a process, short enough to wait for.
const SHORT: &str = "paint=1500,heartbeat=1500,end=300";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_packaged_version_starts_and_gets_what_it_needs() {
    let installation = Installation::new(GOOD);
    // Something that whoever started the launcher left open: it must not reach the application.
    #[cfg(unix)]
    let (leaked, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    #[cfg(unix)]
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let output = installation
        .start(&["--open", "moult://x y"], &[("MOULT_TEST_VARIABLE", "kept")])
        .finish();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let starts = installation.starts();
    let start = &starts[0];
    assert_eq!(start["slot"], "base");
    assert!(cfg!(windows) || start["name"] == "Moult");
    assert_eq!(start["arguments"], serde_json::json!(["--open", "moult://x y"]));
    assert_eq!(start["passed_on"], "kept");
    assert_eq!(start["token"].as_str().unwrap().len(), 32);
    assert_eq!(
        start["install"],
        as_told(&installation.install()).to_str().unwrap()
    );
    assert!(
        cfg!(windows) || start["pid"] == start["group"],
        "it leads a process group of its own"
    );
    assert!(
        has_one_connection(start),
        "only the launcher's connection is open"
    );
    assert_eq!(
        (&start["inspector"], &start["automation"]),
        (&Value::Null, &Value::Null)
    );
    assert!(installation.log().contains(r#""event":"started""#));
}

#[test]
fn a_bad_trial_is_given_up_after_three_starts_and_the_old_version_runs() {
    let crashed = Why::Crashed { code: ABORTED };
    let table = [
        ("it crashes at once", "crash", crashed),
        ("it crashes after the first paint", "paint,crash", crashed),
        (
            "it ends with a failure",
            "paint,quit:user,exit:7|paint,exit:7",
            Why::Crashed { code: 7 },
        ),
        ("it ends at once", "exit:0", Why::ExitedEarly),
        ("it ends without a word", "paint,exit:0", Why::ExitedEarly),
        (
            "it says that it was confirmed, and was not",
            "paint,claim-confirmed,crash",
            crashed,
        ),
    ];
    for (what, script, why) in table {
        let installation = Installation::new("paint");
        let old = installation.current("1.1.0", GOOD);
        let bad = installation.trial("1.2.0", script);
        // A quit by the user ends the launcher, so it takes one more start by hand.
        let by_hand = 1 + usize::from(script.contains("quit"));
        for _ in 0..by_hand {
            installation.run();
        }
        assert_eq!(
            installation.started_slots(),
            [&bad, &bad, &bad, &old].map(Clone::clone),
            "{what}"
        );
        let state = installation.state();
        assert_eq!((&state.current, &state.trial), (&old, &None), "{what}");
        assert_eq!(
            state.banned.iter().map(|ban| ban.why).collect::<Vec<_>>(),
            [why],
            "{what}"
        );
        assert_eq!(state.last_rollback.unwrap().from.to_string(), "1.2.0", "{what}");
    }
}

#[test]
fn a_trial_that_hangs_is_ended_and_given_up() {
    let table = [
        ("nothing is shown", "hang"),
        ("the heart stops", "paint-and-stall,hang"),
        ("progress, then nothing", "progress:x,hang"),
    ];
    for (what, script) in table {
        let installation = Installation::new(GOOD);
        let bad = installation.trial("1.1.0", script);
        let output = installation.run_with(SHORT);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", text(&output.stderr));
        let expected = [bad.clone(), bad.clone(), bad, SlotName::base()];
        assert_eq!(installation.started_slots(), expected, "{what}");
        assert_eq!(installation.state().banned[0].why, Why::Hung, "{what}");
    }
}

#[test]
fn what_ignores_the_wish_to_end_is_killed_with_its_children() {
    let installation = Installation::new(GOOD);
    installation.trial("1.1.0", "hang-hard|crash");
    installation.run_with(SHORT);
    let grandchild = fs::read_to_string(installation.data().join("grandchild")).unwrap();
    let grandchild = grandchild.trim().parse().unwrap();
    wait("the grandchild's end", || {
        is_gone(&installation, grandchild).then_some(())
    });
    assert_eq!(installation.started_slots().len(), 4);
    assert!(installation.log().contains(r#""event":"killed""#));
}

#[test]
fn a_good_trial_is_confirmed_and_stays() {
    let installation = Installation::new("paint");
    let old = installation.current("1.1.0", "");
    let new = installation.trial("1.2.0", "crash|crash|paint,confirm,quit:user|paint,quit:user");
    assert!(installation.run().status.success(), "two crashes, then healthy");
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), vec![new.clone(); 4]);
    let state = installation.state();
    assert_eq!(
        (state.current, state.previous, state.banned.len()),
        (new, Some(old), 0)
    );
}

#[test]
fn a_version_that_crashes_only_at_its_second_start_is_caught_before_it_is_confirmed() {
    let installation = Installation::new(GOOD);
    let new = installation.trial("1.1.0", "paint,quit:user|crash");
    installation.run();
    assert_eq!(
        installation.state().trial.unwrap().tries_left,
        3,
        "a clean end gives the try back"
    );
    installation.run();
    assert_eq!(
        installation.started_slots(),
        [new.clone(), new.clone(), new.clone(), new, SlotName::base()]
    );
    assert_eq!(installation.state().banned.len(), 1);
}

#[test]
fn an_application_hands_over_to_its_update_in_one_session() {
    let installation = Installation::new("paint,try:1.1.0,quit:update");
    let new = installation.slot("1.1.0", "paint,confirm,quit:user");
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), [SlotName::base(), new.clone()]);
    assert_eq!(installation.state().current, new);
}

#[test]
fn a_power_cut_uses_a_try_and_bans_nothing() {
    let installation = Installation::new(GOOD);
    let new = installation.trial("1.1.0", "paint,note:up,outlive");
    for start in 1..=3 {
        let mut launched = installation.start(&[], &[]);
        wait("the start", || {
            (installation.starts().len() == start).then_some(())
        });
        launched.kill();
        launched.finish();
        let gone = || {
            installation
                .journal()
                .iter()
                .filter(|line| line["note"] == "the launcher has gone")
                .count()
        };
        wait("the application's end", || (gone() == start).then_some(()));
        assert_eq!(
            usize::from(installation.state().trial.unwrap().tries_left),
            3 - start
        );
    }
    assert!(installation.run().status.success());
    assert_eq!(
        installation.started_slots(),
        [new.clone(), new.clone(), new.clone(), SlotName::base()]
    );
    let state = installation.state();
    assert!(state.banned.is_empty() && state.trial.is_none());
    assert_eq!(state.last_rollback.unwrap().why, Why::Unfinished);
    installation.store().begin_trial(&new).unwrap();
}

#[test]
fn an_application_learns_that_its_launcher_was_killed() {
    let installation = Installation::new("paint,note:up,outlive");
    let mut launched = installation.start(&[], &[]);
    installation.wait_for_note("up");
    launched.kill();
    installation.wait_for_note("the launcher has gone");
}

#[test]
fn a_second_launcher_passes_its_arguments_on_and_ends() {
    let installation = Installation::new("paint,note:up,open,open,quit:user");
    let first = installation.start(&["first"], &[]);
    installation.wait_for_note("up");
    for arguments in [&["--open", "moult://ä"][..], &[]] {
        let second = installation.start(arguments, &[]).finish();
        assert_eq!(
            (second.status.code(), text(&second.stderr)),
            (Some(0), String::new())
        );
    }
    assert_eq!(first.finish().status.code(), Some(0));
    let opened: Vec<_> = installation
        .journal()
        .into_iter()
        .filter_map(|line| line.get("opened").cloned())
        .collect();
    assert_eq!(
        opened,
        [serde_json::json!(["--open", "moult://ä"]), serde_json::json!([])]
    );
    assert_eq!(installation.starts().len(), 1);
    let socket = installation.data().join("run/launcher.sock");
    assert!(!socket.exists(), "the socket goes with its launcher");
}

#[test]
fn what_comes_while_one_version_hands_over_reaches_the_next() {
    // The first has said that it ends, and takes too long for it: it can't take anything more.
    let installation = Installation::new("paint,quit:update,note:ending,hang|paint,open,quit:user");
    let first = installation.start(
        &[],
        &[("MOULT_AUTOMATION", "1"), ("MOULT_LAUNCHER_DEADLINES_MS", SHORT)],
    );
    installation.wait_for_note("ending");
    let second = installation.start(&["late"], &[]).finish();
    assert_eq!(second.status.code(), Some(0));
    assert!(first.finish().status.success());
    installation.wait_for("what was late", |line| {
        line["opened"] == serde_json::json!(["late"])
    });
    assert_eq!(installation.starts().len(), 2);
}

#[cfg(unix)]
#[test]
fn signals_are_passed_on_and_give_the_try_back() {
    use rustix::process::{Signal, kill_process};
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        let installation = Installation::new(GOOD);
        installation.trial("1.1.0", "paint,note:up,hang");
        let launched = installation.start(&[], &[]);
        installation.wait_for_note("up");
        kill_process(launched.id(), signal).unwrap();
        assert_eq!(launched.finish().status.code(), Some(128 + number));
        let process = installation.starts()[0]["pid"].as_i64().unwrap();
        assert!(is_gone(&installation, process));
        assert_eq!(installation.state().trial.unwrap().tries_left, 3);
    }
}

#[test]
fn each_start_under_automation_has_an_inspector_of_its_own() {
    let installation = Installation::new("paint,quit:update|paint,quit:update|paint,quit:user");
    assert!(installation.run_with("").status.success());
    let starts = installation.starts();
    let inspectors: BTreeSet<_> = starts
        .iter()
        .map(|start| start["inspector"].as_str().unwrap())
        .collect();
    assert_eq!((starts.len(), inspectors.len()), (3, 3), "{inspectors:?}");
    assert!(starts.iter().all(|start| start["automation"] == "true"));
    assert!(
        starts.iter().all(has_one_connection),
        "no connection of an earlier start is left open"
    );
    let file = fs::read(installation.data().join("run/inspector.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let last = &starts[2];
    assert_eq!(last["inspector"], format!("127.0.0.1:{}", file["port"]));
    assert_eq!(
        (&file["pid"], &file["slot"], &file["start"]),
        (&last["pid"], &last["slot"], &Value::from(3))
    );
}

#[cfg(unix)]
#[test]
fn a_slot_that_its_group_may_write_is_not_run() {
    for mode in [0o775, 0o757] {
        let installation = Installation::new(GOOD);
        let old = installation.current("1.1.0", GOOD);
        let new = installation.trial("1.2.0", GOOD);
        let file = installation.store().executable(&new);
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        installation.run();
        assert_eq!(installation.started_slots(), [old]);
        assert!(installation.state().banned.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn what_the_system_does_not_allow_to_run_leads_to_the_packaged_version_without_a_ban() {
    for on_trial in [true, false] {
        let installation = Installation::new(GOOD);
        installation.current("1.1.0", GOOD);
        let new = if on_trial {
            installation.trial("1.2.0", GOOD)
        } else {
            installation.current("1.2.0", GOOD)
        };
        let file = installation.store().executable(&new);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(installation.run().status.success());
        assert_eq!(installation.started_slots(), [SlotName::base()]);
        let state = installation.state();
        assert!(state.banned.is_empty() && state.trial.is_none() && state.slot(&new).is_some());
    }
}

#[test]
fn a_file_that_is_no_program_is_banned_if_it_was_published_so_and_not_if_it_was_damaged() {
    let install_text = |installation: &Installation| {
        let store = installation.store();
        let file = store.staging().join("text");
        fs::write(&file, "not a program").unwrap();
        let digest = moult_model::Digest::of(b"not a program");
        let slot = store.install(&file, &"1.1.0".parse().unwrap(), digest).unwrap();
        store.begin_trial(&slot).unwrap();
        slot
    };
    for (damaged, bans) in [(false, 1), (true, 0)] {
        let installation = Installation::new(GOOD);
        let slot = install_text(&installation);
        if damaged {
            fs::write(installation.store().executable(&slot), "").unwrap();
        }
        assert!(installation.run().status.success());
        assert_eq!(
            installation.started_slots(),
            [SlotName::base()],
            "damaged: {damaged}"
        );
        let state = installation.state();
        assert_eq!(
            (state.banned.len(), state.trial),
            (bans, None),
            "damaged: {damaged}"
        );
    }
}

#[test]
fn a_version_whose_file_the_disk_damaged_gives_way_to_the_one_before() {
    for on_trial in [false, true] {
        let installation = Installation::new("paint");
        let old = installation.current("1.1.0", GOOD);
        // The damage comes with what would be the last failure.
        let (spoilt, starts) = if on_trial {
            (installation.trial("1.2.0", "crash|crash|spoil,crash"), 3)
        } else {
            (installation.current("1.2.0", "spoil,crash"), 1)
        };
        assert!(installation.run().status.success());
        let mut expected = vec![spoilt; starts];
        expected.push(old.clone());
        assert_eq!(installation.started_slots(), expected);
        let state = installation.state();
        assert_eq!((state.current, state.trial), (old, None));
        assert!(
            state.banned.is_empty(),
            "bytes that changed are no fault of the version"
        );
    }
}

#[test]
fn a_damaged_state_never_keeps_the_application_from_starting() {
    let installation = Installation::new(GOOD);
    installation.current("1.1.0", GOOD);
    for copy in ["state.a", "state.b"] {
        fs::write(installation.data().join(copy), "torn").unwrap();
    }
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), [SlotName::base()]);
    assert!(installation.log().contains("state_was_unreadable"));
}

#[test]
fn a_data_folder_that_cannot_be_made_costs_updates_and_not_the_application() {
    let installation = Installation::new(GOOD);
    // A file where the folder belongs. The application journals nowhere, and says so by its code.
    fs::write(installation.data(), "in the way").unwrap();
    // Nobody is there to close a message.
    let output = installation.start(&[], &[("MOULT_AUTOMATION", "1")]).finish();
    assert_ne!(output.status.code(), Some(0));
    assert!(
        cfg!(windows) || text(&output.stderr).contains("Not a directory"),
        "the application itself ran: {}",
        text(&output.stderr)
    );
}

#[test]
fn an_application_that_only_restarts_itself_is_ended() {
    let installation = Installation::new("paint,quit:update");
    // It has something to say at its end, and on Windows it would wait in a window until somebody has read it.
    let output = installation.start(&[], &[("MOULT_AUTOMATION", "1")]).finish();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("restarted itself"));
    assert_eq!(installation.starts().len(), 21);
}
