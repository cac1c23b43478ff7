//! The boot machine's transitions as tables, and its invariants over every state that can be reached.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't build its fixture has failed"
)]

mod walk;

use super::*;

fn slot(version: &str) -> Slot {
    let digest = Digest::of(version.as_bytes());
    let version = version.parse().unwrap();
    Slot {
        name: SlotName::of(&version, &digest),
        version,
        digest,
        rest: Rest::new(),
    }
}

fn base(version: &str) -> Slot {
    Slot {
        name: SlotName::base(),
        ..slot(version)
    }
}

fn name(version: &str) -> SlotName {
    slot(version).name
}

/// Base 1.0.0, current 1.1.0, 1.2.0 on trial.
fn on_trial() -> BootState {
    let mut state = BootState::fresh(base("1.0.0"));
    for event in [
        Event::Installed { slot: slot("1.1.0") },
        Event::BeginTrial { slot: name("1.1.0") },
        confirm("1.1.0"),
        Event::Installed { slot: slot("1.2.0") },
        Event::BeginTrial { slot: name("1.2.0") },
    ] {
        state = next(&state, event).0;
    }
    state
}

fn token() -> StartToken {
    StartToken::of([1; 16])
}

fn other_token() -> StartToken {
    StartToken::of([2; 16])
}

fn kept_failing(slot: SlotName) -> Event {
    Event::KeptFailing { slot, at: 1 }
}

fn confirm(version: &str) -> Event {
    Event::Confirm {
        slot: name(version),
        start: None,
    }
}

fn start() -> Event {
    Event::StartDue {
        at: 1,
        start: token(),
    }
}

fn crash() -> Event {
    Event::Failed {
        slot: name("1.2.0"),
        why: Why::Crashed { code: 139 },
        at: 1,
    }
}

fn quit() -> Event {
    Event::Quit { slot: name("1.2.0") }
}

fn run(state: &BootState, events: impl IntoIterator<Item = Event>) -> BootState {
    events
        .into_iter()
        .fold(state.clone(), |state, event| next(&state, event).0)
}

fn started(state: &BootState) -> (SlotName, bool) {
    let runs: Vec<_> = next(state, start())
        .1
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Run { slot, on_trial } => Some((slot, on_trial)),
            _ => None,
        })
        .collect();
    assert_eq!(runs.len(), 1, "exactly one slot is started");
    runs[0].clone()
}

struct Case {
    what: &'static str,
    events: Vec<Event>,
    /// The slot that starts next, and whether it is on trial.
    starts: (&'static str, bool),
    banned: bool,
    why: Option<Why>,
}

#[test]
fn a_trial_ends_as_its_starts_did() {
    let (good, hang) = (
        confirm("1.2.0"),
        Event::Failed {
            slot: name("1.2.0"),
            why: Why::Hung,
            at: 1,
        },
    );
    let crashed = Some(Why::Crashed { code: 139 });
    let table = [
        Case {
            what: "three crashes",
            events: vec![start(), crash(), start(), crash(), start(), crash()],
            starts: ("1.1.0", false),
            banned: true,
            why: crashed,
        },
        Case {
            what: "two crashes, then healthy",
            events: vec![start(), crash(), start(), crash(), start(), good.clone()],
            starts: ("1.2.0", false),
            banned: false,
            why: None,
        },
        Case {
            what: "two crashes leave one try",
            events: vec![start(), crash(), start(), crash()],
            starts: ("1.2.0", true),
            banned: false,
            why: None,
        },
        Case {
            what: "three power cuts: given up, not banned",
            events: vec![start(), start(), start()],
            starts: ("1.1.0", false),
            banned: false,
            why: Some(Why::Unfinished),
        },
        Case {
            what: "a hang, then two power cuts: the hang bans",
            events: vec![start(), hang, start(), start()],
            starts: ("1.1.0", false),
            banned: true,
            why: Some(Why::Hung),
        },
        Case {
            what: "clean quits give the try back",
            events: (0..10).flat_map(|_| [start(), quit()]).collect(),
            starts: ("1.2.0", true),
            banned: false,
            why: None,
        },
        Case {
            what: "a failure that arrives after the confirmation changes nothing",
            events: vec![start(), good, crash(), crash(), crash()],
            starts: ("1.2.0", false),
            banned: false,
            why: None,
        },
        Case {
            what: "asking for the same trial again gives no more tries",
            events: (0..3)
                .flat_map(|_| [start(), crash(), Event::BeginTrial { slot: name("1.2.0") }])
                .collect(),
            starts: ("1.1.0", false),
            banned: true,
            why: crashed,
        },
        Case {
            what: "the user goes back while it is on trial",
            events: vec![start(), Event::GoBack],
            starts: ("1.1.0", false),
            banned: false,
            why: None,
        },
    ];
    for case in table {
        // The launcher asks what is due; only that settles a start without an outcome.
        let state = run(&on_trial(), case.events);
        let (slot, on_trial) = started(&state);
        let state = run(&state, [start()]);
        assert_eq!(
            (slot, on_trial),
            (name(case.starts.0), case.starts.1),
            "{}",
            case.what
        );
        assert_eq!(
            state.is_banned(&slot_digest("1.2.0")),
            case.banned,
            "{}",
            case.what
        );
        assert_eq!(
            state.last_rollback.map(|rollback| rollback.why),
            case.why,
            "{}",
            case.what
        );
    }
}

fn slot_digest(version: &str) -> Digest {
    slot(version).digest
}

#[test]
fn a_rollback_names_both_versions() {
    let state = run(
        &on_trial(),
        [start(), crash(), start(), crash(), start(), crash()],
    );
    let rollback = state.last_rollback.unwrap();
    assert_eq!(
        (rollback.from.to_string(), rollback.to.to_string()),
        ("1.2.0".into(), "1.1.0".into())
    );
}

#[test]
fn what_was_banned_is_neither_installed_nor_tried_until_the_ban_is_lifted() {
    let banned = run(
        &on_trial(),
        [start(), crash(), start(), crash(), start(), crash()],
    );
    let digest = slot_digest("1.2.0");
    let install = Event::Installed { slot: slot("1.2.0") };
    assert_eq!(
        next(&banned, install.clone()).1,
        [Effect::Refused(Refusal::Banned { digest })]
    );
    // A listed slot whose digest is banned: the packaged executable that failed a trial.
    let mut listed = banned.clone();
    listed.slots.push(slot("1.2.0"));
    let begin = Event::BeginTrial { slot: name("1.2.0") };
    assert_eq!(
        next(&listed, begin.clone()).1,
        [Effect::Refused(Refusal::Banned { digest })]
    );
    let allowed = run(&banned, [Event::LiftBan { digest }, install, begin]);
    assert!(allowed.is_on_trial(&name("1.2.0")));
}

#[test]
fn events_that_do_not_fit_are_refused_and_change_nothing() {
    let other = Slot {
        digest: Digest::of(b"other"),
        ..slot("1.1.0")
    };
    let table = [
        (
            Event::BeginTrial { slot: name("9.0.0") },
            Refusal::NotInstalled { slot: name("9.0.0") },
        ),
        (
            Event::BeginTrial { slot: name("1.1.0") },
            Refusal::AlreadyCurrent { slot: name("1.1.0") },
        ),
        (confirm("9.0.0"), Refusal::NotOnTrial { slot: name("9.0.0") }),
        (
            Event::Installed { slot: other },
            Refusal::SlotTaken { slot: name("1.1.0") },
        ),
        (
            Event::Confirm {
                slot: name("1.2.0"),
                start: Some(other_token()),
            },
            Refusal::StaleStart { slot: name("1.2.0") },
        ),
    ];
    let state = run(&on_trial(), [start()]);
    for (event, refusal) in table {
        assert_eq!(
            next(&state, event),
            (state.clone(), vec![Effect::Refused(refusal)])
        );
    }
    let fresh = BootState::fresh(base("1.0.0"));
    assert_eq!(
        next(&fresh, Event::GoBack).1,
        [Effect::Refused(Refusal::NothingToGoBackTo)]
    );
}

#[test]
fn going_back_swaps_and_bans_nothing() {
    let state = run(&on_trial(), [confirm("1.2.0"), Event::GoBack]);
    assert_eq!(
        (&state.current, state.previous.as_ref()),
        (&name("1.1.0"), Some(&name("1.2.0")))
    );
    assert!(state.banned.is_empty());
    assert_eq!(run(&state, [Event::GoBack]).current, name("1.2.0"));
}

#[test]
fn a_package_wins_once_if_it_is_newer() {
    let seen = |version: &str| Event::BaseSeen { base: base(version) };
    let table = [
        ("the same package", vec![seen("1.0.0")], name("1.1.0"), true),
        ("an older package", vec![seen("0.9.0")], name("1.1.0"), true),
        (
            "newer than the current slot, older than the trial",
            vec![seen("1.1.5")],
            SlotName::base(),
            true,
        ),
        ("newer than all", vec![seen("1.3.0")], SlotName::base(), false),
        (
            "newer, and the user went back from it",
            vec![seen("1.3.0"), Event::GoBack, seen("1.3.0")],
            name("1.1.0"),
            false,
        ),
        (
            "the version that is on trial",
            vec![seen("1.2.0")],
            SlotName::base(),
            false,
        ),
    ];
    for (what, events, current, trial) in table {
        let state = run(&on_trial(), events);
        assert_eq!(
            (&state.current, state.trial.is_some()),
            (&current, trial),
            "{what}"
        );
    }
}

#[test]
fn a_package_with_a_banned_executable_does_not_win() {
    let state = run(
        &on_trial(),
        [start(), crash(), start(), crash(), start(), crash()],
    );
    assert_eq!(
        run(&state, [Event::BaseSeen { base: base("1.2.0") }]).current,
        name("1.1.0")
    );
}

#[test]
fn a_lost_slot_gives_way_to_the_one_before_and_then_to_the_base() {
    let lost = |version: &str| Event::Lost { slot: name(version) };
    let confirmed = run(&on_trial(), [confirm("1.2.0")]);
    let table = [
        ("the trial", on_trial(), vec![lost("1.2.0")], name("1.1.0")),
        (
            "the current one",
            confirmed.clone(),
            vec![lost("1.2.0")],
            name("1.1.0"),
        ),
        (
            "both",
            confirmed.clone(),
            vec![lost("1.2.0"), lost("1.1.0")],
            SlotName::base(),
        ),
        (
            "both, the older first",
            confirmed,
            vec![lost("1.1.0"), lost("1.2.0")],
            SlotName::base(),
        ),
    ];
    for (what, state, events, starts) in table {
        let state = run(&state, events);
        assert_eq!(started(&state), (starts, false), "{what}");
        assert!(state.banned.is_empty(), "{what}");
    }
}

#[test]
fn what_the_system_forbids_to_run_leads_to_the_base_without_a_ban() {
    let state = run(&on_trial(), [start(), Event::Forbidden { slot: name("1.2.0") }]);
    assert_eq!(started(&state), (SlotName::base(), false));
    assert_eq!(
        state.previous,
        Some(name("1.1.0")),
        "the user can still ask for it"
    );
    assert!(state.banned.is_empty() && state.slot(&name("1.2.0")).is_some());
    let state = run(&state, [Event::GoBack, Event::Forbidden { slot: name("1.1.0") }]);
    assert_eq!((started(&state).0, state.previous), (SlotName::base(), None));
}

#[test]
fn a_trial_beside_what_is_stepped_over_goes_back_to_what_ran() {
    // 1.1.0 ran in the place of 1.2.0, which is current.
    let ran = run(&on_trial(), [confirm("1.2.0"), kept_failing(name("1.2.0"))]);
    let begun = run(
        &ran,
        [
            Event::Installed { slot: slot("1.4.0") },
            Event::BeginTrial { slot: name("1.4.0") },
            start(),
        ],
    );
    let given_up = run(&begun, [start(), start(), start()]);
    assert_eq!(started(&given_up), (name("1.1.0"), false));
    let rollback = given_up.last_rollback.unwrap();
    assert_eq!(rollback.to, slot("1.1.0").version, "what runs instead is named");
    let confirmed = run(&begun, [confirm("1.4.0")]);
    assert_eq!(
        (confirmed.current, confirmed.previous, confirmed.fallback),
        (name("1.4.0"), Some(name("1.1.0")), None)
    );
    // One that is stepped over may be put on trial itself, and is no longer stepped over then.
    let again = run(
        &ran,
        [
            kept_failing(name("1.1.0")),
            Event::BeginTrial { slot: name("1.1.0") },
        ],
    );
    assert_eq!(started(&again), (name("1.1.0"), true));
}

#[test]
fn what_ends_too_often_is_stepped_over_until_there_is_something_new() {
    // 1.2.0 is current, 1.1.0 the one before, and both end too often.
    let both = run(
        &on_trial(),
        [
            confirm("1.2.0"),
            kept_failing(name("1.2.0")),
            kept_failing(name("1.1.0")),
        ],
    );
    let later = |at: u64| Event::StartDue { at, start: token() };
    let table = [
        ("nothing new", vec![], SlotName::base()),
        ("once more", vec![kept_failing(name("1.2.0"))], SlotName::base()),
        ("almost a day later", vec![later(STEPPED_OVER)], SlotName::base()),
        ("a day later", vec![later(1 + STEPPED_OVER)], name("1.2.0")),
        (
            "a newer package",
            vec![Event::BaseSeen { base: base("1.3.0") }],
            SlotName::base(),
        ),
        (
            "another package",
            vec![Event::BaseSeen { base: base("0.9.0") }],
            name("1.2.0"),
        ),
        ("the user goes back", vec![Event::GoBack], name("1.1.0")),
        (
            "a new trial",
            vec![
                Event::Installed { slot: slot("1.4.0") },
                Event::BeginTrial { slot: name("1.4.0") },
            ],
            name("1.4.0"),
        ),
        (
            "one of them is lost",
            vec![Event::Lost { slot: name("1.2.0") }],
            SlotName::base(),
        ),
    ];
    for (what, events, starts) in table {
        let state = run(&both, events);
        assert_eq!(started(&state).0, starts, "{what}");
        assert!(state.banned.is_empty(), "{what}");
    }
    let refused: Vec<_> = both.refused().collect();
    assert_eq!(
        refused,
        [slot_digest("1.1.0"), slot_digest("1.2.0")],
        "they are not offered as updates"
    );
    let nothing = run(&both, [kept_failing(SlotName::base())]);
    assert_eq!(next(&nothing, start()).1, [Effect::Rescue]);
    let once_more = run(&nothing, [start()]);
    assert_eq!(
        started(&once_more).0,
        name("1.2.0"),
        "it is not given up for ever"
    );
}

#[test]
fn a_slot_on_trial_is_never_stepped_over() {
    let state = on_trial();
    assert_eq!(run(&state, [kept_failing(name("1.2.0"))]), state);
    assert_eq!(run(&state, [kept_failing(name("9.9.9"))]), state);
}

#[test]
fn only_known_failures_ban() {
    for why in [Why::Unfinished, Why::Unknown] {
        let fail = || Event::Failed {
            slot: name("1.2.0"),
            why,
            at: 1,
        };
        let state = run(&on_trial(), [start(), fail(), start(), fail(), start(), fail()]);
        assert!(state.banned.is_empty() && state.trial.is_none(), "{why:?}");
        assert!(state.slot(&name("1.2.0")).is_some(), "{why:?}");
    }
}

#[test]
fn what_a_later_release_wrote_about_the_package_stays() {
    let mut state = on_trial();
    state.slots[0].rest.insert("later".into(), 1.into());
    for version in ["1.0.0", "1.3.0"] {
        state = run(&state, [Event::BaseSeen { base: base(version) }]);
        assert_eq!(state.slots[0].rest["later"], 1, "{version}");
    }
}

#[test]
fn bans_are_remembered_up_to_a_limit() {
    let mut state = on_trial();
    for number in 0..BootState::MAX_BANS + 5 {
        let slot = slot(&format!("2.0.{number}"));
        let crash = Event::Failed {
            slot: slot.name.clone(),
            why: Why::Hung,
            at: 1,
        };
        let begin = [
            Event::Installed { slot: slot.clone() },
            Event::BeginTrial { slot: slot.name },
        ];
        state = run(&state, begin);
        state = run(
            &state,
            [start(), crash.clone(), start(), crash.clone(), start(), crash],
        );
    }
    assert_eq!(state.banned.len(), BootState::MAX_BANS);
    assert_eq!(state.banned[0].version.to_string(), "2.0.5");
}
