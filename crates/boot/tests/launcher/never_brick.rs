//! What keeps a window there when versions fail.

#[cfg(unix)]
use std::{fs, process::Output};

#[cfg(unix)]
use moult_boot::SlotName;
use moult_boot::Why;

use crate::support::Installation;

/// Healthy: it runs until its user quits it at once.
const GOOD: &str = "paint,quit:user";
/// Long enough for a loaded computer to start a process, short enough to wait for.
const SHORT: &str = "paint=1500,heartbeat=1500,end=300,closing=300";

#[cfg(unix)]
fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A program in the place of the one that fetches a version: it notes its arguments, and ends so.
#[cfg(unix)]
fn put_rescue(installation: &Installation, then: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = installation.install().join("moult-rescue");
    let text = format!(
        "#!/bin/sh\necho \"{{\\\"rescue\\\":\\\"$*\\\",\\\"install\\\":\\\"$MOULT_INSTALL\\\"}}\" >> \"$MOULT_DATA/journal\"\n{then}\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
fn rescues(installation: &Installation) -> usize {
    let lines = installation.journal().into_iter();
    lines.filter(|line| line.get("rescue").is_some()).count()
}

#[test]
fn a_confirmed_version_that_crash_loops_gives_way_and_nothing_is_banned() {
    let installation = Installation::new(GOOD);
    let old = installation.current("1.1.0", GOOD);
    let bad = installation.current("1.2.0", "crash");
    assert!(installation.run().status.success());
    let mut expected = vec![bad.clone(); 4];
    expected.push(old.clone());
    assert_eq!(installation.started_slots(), expected);
    let state = installation.state();
    assert_eq!((&state.current, state.previous), (&bad, Some(old.clone())));
    assert!(state.banned.is_empty() && state.fallback.is_some());

    // The next start spares its user the crashes, and a new version is tried at once.
    assert!(installation.run().status.success());
    expected.push(old);
    assert_eq!(installation.started_slots(), expected);
    let new = installation.trial("1.3.0", "paint,confirm,quit:user");
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots().last(), Some(&new));
    assert_eq!(installation.state().fallback, None);
}

#[test]
fn a_version_that_recovers_is_started_again() {
    let recovers = Installation::new("crash|crash|crash|paint,quit:user");
    assert!(recovers.run().status.success());
    assert_eq!(recovers.starts().len(), 4);
    assert_eq!(recovers.state().fallback, None);
}

#[cfg(unix)]
#[test]
fn when_no_version_is_left_another_is_fetched() {
    for (what, then) in [("none can be had", "exit 3"), ("the program is not there", "")] {
        let installation = Installation::new("crash");
        let current = installation.current("1.1.0", "crash");
        if !then.is_empty() {
            put_rescue(&installation, then);
        }
        let output = installation.run();
        assert_eq!(output.status.code(), Some(134), "{what}");
        // Four of each, and then the current one once more: whatever it was may have passed.
        let mut expected = vec![current.clone(); 4];
        expected.extend(vec![SlotName::base(); 4]);
        expected.push(current);
        assert_eq!(installation.started_slots(), expected, "{what}");
        assert_eq!(rescues(&installation), usize::from(!then.is_empty()), "{what}");
        let message = errors(&output);
        let said = ["134", "Your data is kept", "launcher.log", "could not be fetched"];
        assert!(
            said.iter().all(|part| message.contains(part)),
            "{what}: {message}"
        );
        assert!(installation.state().banned.is_empty(), "{what}");
    }
}

#[cfg(unix)]
#[test]
fn a_rescue_brings_a_version_that_starts() {
    let installation = Installation::new("crash");
    // The program would fetch it; here it lies there, and is only put on trial.
    let good = installation.slot("1.1.0", "paint,confirm,quit:user");
    let copy = installation.data().join("state.with-trial");
    let before = installation.data().join("state.before");
    fs::copy(installation.data().join("state.a"), &before).unwrap();
    installation.store().begin_trial(&good).unwrap();
    let data = installation.data();
    let newest = ["state.a", "state.b"]
        .into_iter()
        .max_by_key(|name| fs::metadata(data.join(name)).unwrap().modified().unwrap())
        .unwrap();
    fs::copy(data.join(newest), &copy).unwrap();
    installation.store().go_back().unwrap();
    put_rescue(
        &installation,
        "rm \"$MOULT_DATA/state.a\" \"$MOULT_DATA/state.b\"; cp \"$MOULT_DATA/state.with-trial\" \"$MOULT_DATA/state.a\"; exit 0",
    );
    let output = installation.run();
    assert!(output.status.success(), "{}", errors(&output));
    let mut expected = vec![SlotName::base(); 4];
    expected.push(good.clone());
    assert_eq!(installation.started_slots(), expected);
    assert_eq!(installation.state().current, good);
    let journal = installation.journal();
    let rescue = journal.iter().find(|line| line.get("rescue").is_some()).unwrap();
    let digest = installation.state().slots[0].digest.to_string();
    assert_eq!(rescue["rescue"], format!("--failed {digest}"));
    assert_eq!(
        rescue["install"],
        installation.install().canonicalize().unwrap().to_str().unwrap()
    );
}

#[cfg(unix)]
#[test]
fn an_installation_without_its_application_starts_what_is_installed_or_says_what_is_wrong() {
    let installation = Installation::new(GOOD);
    let current = installation.current("1.1.0", GOOD);
    fs::remove_file(installation.install().join("moult-app")).unwrap();
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), [current]);

    let nothing = Installation::new(GOOD);
    fs::remove_file(nothing.install().join("moult-app")).unwrap();
    put_rescue(&nothing, "exit 4");
    let output = nothing.run();
    assert_eq!(output.status.code(), Some(1));
    let message = errors(&output);
    assert!(
        message.contains("moult-app") && message.contains("Install Moult again"),
        "{message}"
    );
    assert_eq!((nothing.starts().len(), rescues(&nothing)), (0, 1));
}

#[test]
fn one_that_says_that_it_is_unfit_has_failed() {
    for script in [
        "paint,unfit:trust,exit:0",
        "paint,unfit:trust,quit:update",
        "paint,unfit:trust,hang",
    ] {
        let installation = Installation::new(GOOD);
        installation.trial("1.1.0", script);
        assert!(installation.run_with(SHORT).status.success());
        assert_eq!(installation.starts().len(), 4, "{script}");
        assert_eq!(installation.state().banned[0].why, Why::Crashed { code: 78 });
    }
    let confirmed = Installation::new("paint,unfit:trust,quit:user");
    assert!(confirmed.run().status.success());
    assert_eq!(confirmed.starts().len(), 1, "a confirmed one goes on");
}

#[cfg(unix)]
#[test]
fn a_dead_display_uses_a_try_and_bans_nothing() {
    let table = [
        ("it has gone", Some(":59991"), "paint,exit:1"),
        ("it was never there", Some(":59991"), "exit:1"),
        ("nothing tells where it is", None, "exit:1"),
    ];
    for (what, display, script) in table {
        for on_trial in [true, false] {
            let installation = Installation::new(GOOD);
            if on_trial {
                installation.trial("1.1.0", script);
            } else {
                installation.current("1.1.0", script);
            }
            // No program that shows messages is found here.
            let mut variables = vec![("PATH", "/nowhere")];
            variables.extend(display.map(|name| ("DISPLAY", name)));
            let output = installation.start(&[], &variables).finish();
            assert_eq!(output.status.code(), Some(1), "{what}");
            assert!(errors(&output).contains("screen"), "{what}");
            assert_eq!(installation.starts().len(), 1, "{what}");
            let state = installation.state();
            assert!(state.banned.is_empty() && state.fallback.is_none(), "{what}");
            let left = state.trial.map(|trial| (trial.tries_left, trial.failures.len()));
            assert_eq!(left, on_trial.then_some((2, 0)), "{what}");
        }
    }
    let screen_is_there = Installation::new(GOOD);
    screen_is_there.trial("1.1.0", "paint,exit:1");
    assert!(screen_is_there.run().status.success());
    assert_eq!(screen_is_there.state().banned.len(), 1);
}

#[test]
fn a_late_confirmation_of_an_earlier_start_is_refused() {
    let installation = Installation::new(GOOD);
    let new = installation.trial(
        "1.1.0",
        "paint,quit:user|paint,confirm-as-earlier:1,quit:user|paint,confirm-as-earlier:0,quit:user",
    );
    for (start, outcome) in [(1, None), (2, Some("stale")), (3, Some("confirmed"))] {
        assert!(installation.run().status.success());
        let last = installation.journal().pop().unwrap();
        assert_eq!(last["note"].as_str(), outcome, "start {start}");
        assert_eq!(installation.state().current == new, outcome == Some("confirmed"));
    }
}

/// From now on no change of the state is written: a folder lies where the older copy would be replaced.
#[cfg(unix)]
fn refuse_changes_of_the_state(installation: &Installation) {
    let generation = |name: &str| {
        let text = fs::read_to_string(installation.data().join(name)).unwrap_or_default();
        let head = text.lines().next().unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(head)
            .ok()
            .and_then(|head| head["generation"].as_u64())
    };
    let older = if generation("state.a") <= generation("state.b") {
        "state.a"
    } else {
        "state.b"
    };
    let older = installation.data().join(older);
    fs::remove_file(&older).unwrap();
    fs::create_dir(&older).unwrap();
}

#[cfg(unix)]
#[test]
fn a_trial_that_can_not_be_counted_waits_and_the_one_that_runs_is_told() {
    let installation = Installation::new("paint,hear:not_tried,quit:user");
    let new = installation.trial("1.1.0", GOOD);
    refuse_changes_of_the_state(&installation);
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), [SlotName::base()]);
    let heard = installation.wait_for("the word", |line| line["heard"]["kind"] == "not_tried");
    assert_eq!(
        (
            heard["heard"]["version"].as_str(),
            heard["heard"]["because"].as_str()
        ),
        (Some("1.1.0"), Some("disk_failed"))
    );
    let trial = installation.state().trial.unwrap();
    assert_eq!((trial.slot, trial.tries_left), (new, 3));
}

#[cfg(unix)]
#[test]
fn one_that_hands_over_is_told_as_well_when_the_next_can_not_be_counted() {
    let installation = Installation::new(
        "paint,try:1.1.0,note:tried,await:full,hand-over,hear:not_tried,hear:refused,quit:user",
    );
    installation.slot("1.1.0", GOOD);
    let launched = installation.start(&[], &[]);
    installation.wait_for_note("tried");
    refuse_changes_of_the_state(&installation);
    installation.add_note("full");
    assert!(launched.finish().status.success());
    assert_eq!(installation.started_slots(), [SlotName::base()]);
}

#[test]
fn nothing_is_said_where_nothing_waits() {
    let installation = Installation::new("paint,hear:open,quit:user");
    let launched = installation.start(&[], &[]);
    crate::support::wait("a start", || installation.starts().pop());
    assert!(installation.start(&["x"], &[]).finish().status.success());
    installation.wait_for_note_of("open");
    assert!(launched.finish().status.success());
    let said = installation.journal();
    assert!(
        said.iter().all(|line| line["heard"]["kind"] != "not_tried"),
        "{said:?}"
    );
}
