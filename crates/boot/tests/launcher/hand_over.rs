//! Two versions at once: one takes over from the other, or does not.

use std::process::Output;

use moult_boot::{SlotName, Why};

use crate::support::{Installation, has_one_connection, is_gone};

/// Long enough for a loaded computer to start a process, short enough to wait for.
const SHORT: &str = "paint=1500,heartbeat=1500,end=300";

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_older_application_that_knows_no_hand_over_restarts_as_before() {
    let installation = Installation::new("paint,try:1.1.0,quit:update");
    let new = installation.slot("1.1.0", "paint,confirm,quit:user");
    assert!(installation.run().status.success());
    assert_eq!(installation.started_slots(), [SlotName::base(), new]);
    let start = &installation.starts()[0];
    assert_eq!(
        (start["protocol"].as_str(), &start["hand_over"]),
        (Some("2"), &serde_json::Value::Null)
    );
}

#[test]
fn the_next_version_takes_over_from_the_one_that_runs() {
    let installation = Installation::new(
        "paint,try:1.1.0,hand-over,hear:hand_over_begun,await:over,hear:hand_over_ended,quit:update,note:gone",
    );
    let new = installation.slot(
        "1.1.0",
        "paint,await:ready,confirm,took-over,note:over,await:gone,quit:user",
    );
    let launched = installation.start(&[], &[]);
    installation.wait_for_note_of("hand_over_begun");
    let starts = crate::support::wait("both", || {
        let starts = installation.starts();
        (starts.len() == 2).then_some(starts)
    });
    assert_eq!(starts[1]["hand_over"], "/here secret");
    assert!(has_one_connection(&starts[1]), "it has its own connection alone");
    let begun = installation.wait_for("the begin", |line| line["heard"]["kind"] == "hand_over_begun");
    assert_eq!(begun["heard"]["start"], starts[1]["token"]);
    installation.add_note("ready");
    let output = launched.finish();
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let ended = installation.wait_for("the end", |line| line["heard"]["kind"] == "hand_over_ended");
    assert_eq!(ended["heard"]["outcome"], "took_over");
    assert_eq!(installation.starts().len(), 2);
    assert_eq!(installation.state().current, new);
    assert!(
        !installation.log().contains("secret"),
        "a token is nothing for a log"
    );
}

#[test]
fn a_version_that_fails_beside_the_running_one_leaves_it_its_window() {
    let installation =
        Installation::new("paint,try:1.1.0,hand-over,hear:hand_over_ended,note:stays,quit:user");
    let bad = installation.slot("1.1.0", "paint,crash");
    let output = installation.run();
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert_eq!(
        installation.started_slots(),
        [SlotName::base(), bad.clone(), bad.clone(), bad]
    );
    let heard: Vec<_> = installation
        .journal()
        .into_iter()
        .filter_map(|line| line["heard"]["kind"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        heard,
        [
            "hand_over_begun",
            "hand_over_begun",
            "hand_over_begun",
            "hand_over_ended"
        ]
    );
    let ended = installation.wait_for("the end", |line| line["heard"]["kind"] == "hand_over_ended");
    assert_eq!(ended["heard"]["outcome"], "given_up");
    let state = installation.state();
    assert_eq!((state.current, state.banned.len()), (SlotName::base(), 1));
}

#[test]
fn a_version_that_hangs_beside_the_running_one_is_ended() {
    let installation = Installation::new("paint,try:1.1.0,hand-over,hear:hand_over_ended,quit:user");
    installation.slot("1.1.0", "hang");
    assert!(installation.run_with(SHORT).status.success());
    assert_eq!(installation.starts().len(), 4);
    assert_eq!(installation.state().banned[0].why, Why::Hung);
}

#[test]
fn one_that_is_recalled_uses_a_try_and_is_not_blamed() {
    let installation = Installation::new(
        "paint,try:1.1.0,hand-over,hear:hand_over_begun,await:there,recall,hear:hand_over_ended,quit:user",
    );
    installation.slot("1.1.0", "paint,note:there,hang-hard");
    assert!(installation.run().status.success());
    let ended = installation.wait_for("the end", |line| line["heard"]["kind"] == "hand_over_ended");
    assert_eq!(ended["heard"]["outcome"], "not_ready");
    let trial = installation.state().trial.unwrap();
    assert_eq!((trial.tries_left, trial.failures.len()), (2, 0));
}

#[test]
fn the_old_one_may_go_first() {
    let table = [
        (
            "it crashes: the next goes on alone",
            "crash",
            "paint,note:there,await:alone,confirm,quit:user",
            true,
        ),
        (
            "its user quits it: the next goes too",
            "quit:user",
            "paint,note:there,hang",
            false,
        ),
        (
            "it can't let go",
            "hang-hard",
            "paint,note:there,confirm,took-over,await:alone,quit:user",
            true,
        ),
    ];
    for (what, end, script, confirmed) in table {
        let installation = Installation::new(&format!(
            "paint,try:1.1.0,hand-over,hear:hand_over_begun,await:there,note:ends,{end}"
        ));
        let new = installation.slot("1.1.0", script);
        let launched = installation.start(
            &[],
            &[
                ("MOULT_AUTOMATION", "1"),
                ("MOULT_LAUNCHER_DEADLINES_MS", "closing=300"),
            ],
        );
        installation.wait_for_note("ends");
        let old = installation.starts()[0]["pid"].as_i64().unwrap();
        crate::support::wait("the old one's end", || is_gone(&installation, old).then_some(()));
        if confirmed {
            installation.add_note("alone");
        }
        let output = launched.finish();
        assert_eq!(output.status.code(), Some(0), "{what}: {}", errors(&output));
        assert_eq!(installation.starts().len(), 2, "{what}");
        let state = installation.state();
        assert_eq!(state.current == new, confirmed, "{what}");
        assert!(state.banned.is_empty() && state.fallback.is_none(), "{what}");
    }
}

#[cfg(unix)]
#[test]
fn a_wish_to_end_reaches_the_one_with_the_window_and_leaves_nobody_behind() {
    use rustix::process::{Signal, kill_process};
    let installation =
        Installation::new("paint,try:1.1.0,hand-over,hear:hand_over_begun,await:there,note:up,hang");
    installation.slot("1.1.0", "paint,note:there,hang-hard");
    let launched = installation.start(&[], &[]);
    installation.wait_for_note("up");
    kill_process(launched.id(), Signal::TERM).unwrap();
    assert_eq!(launched.finish().status.code(), Some(143));
    for start in installation.starts() {
        assert!(is_gone(&installation, start["pid"].as_i64().unwrap()));
    }
    assert!(installation.state().banned.is_empty());
}

#[test]
fn what_can_not_be_handed_over_is_refused() {
    let installation = Installation::new("paint,hand-over,hear:refused,quit:user");
    assert!(installation.run().status.success());
    assert_eq!(installation.starts().len(), 1);
}
