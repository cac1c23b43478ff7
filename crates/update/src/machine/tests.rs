//! Tables: what each event makes of each phase.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::index::{Download, Encoding};
use moult_model::{Patch, Version};

use super::*;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn version(major: u64) -> Version {
    Version::new(major, 0, 0)
}

fn full() -> Edge {
    let download = Download {
        path: "full".into(),
        size: 100,
        digest: digest("full"),
        encoding: Encoding::Zstd,
    };
    Edge::Full {
        download,
        to: version(3),
    }
}

fn patch(from: u64, to: u64, size: u64) -> Edge {
    let name = format!("{from}-{to}");
    let patch = Patch {
        from: digest(&from.to_string()),
        to: digest(&to.to_string()),
        path: name.clone(),
        size,
        digest: digest(&name),
        format: 1,
    };
    Edge::Patch {
        patch,
        from: version(from),
        to: version(to),
        result_size: 1000,
    }
}

/// An update from 1 to 3: by a chain (20 bytes), by one patch (50), or by the full file (100).
fn found() -> State {
    let activity = Activity {
        id: "a".into(),
        subject: Subject::Shell,
        from: Some(version(1)),
        to: version(3),
        phase: Phase::Found,
        plan: Vec::new(),
        bytes_done: 0,
        bytes_total: 0,
        full_bytes: 100,
        seconds_left: None,
        held: None,
        problems: Vec::new(),
    };
    let patches = vec![patch(1, 2, 10), patch(2, 3, 10), patch(1, 3, 50)];
    let ways = Ways {
        target: digest("3"),
        full: full(),
        patches,
    };
    State::found(
        activity,
        Some(Base {
            version: version(1),
            digest: digest("1"),
        }),
        Some(ways),
    )
}

fn begin() -> Event {
    Event::Begin {
        kept: false,
        needs_consent: false,
    }
}

fn run(mut state: State, events: &[Event]) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    for event in events {
        (state, effects) = next(state, event.clone());
    }
    (state, effects)
}

fn fault(code: ErrorCode, blame: Blame) -> Event {
    Event::Failed(Fault::of(code, "cause").blaming(blame))
}

fn edge_fault(code: ErrorCode, name: &str) -> Event {
    fault(code, Blame::Edge(digest(name)))
}

fn fetch_one() -> [Event; 2] {
    [Event::FetchBegun, Event::Fetched { wire_bytes: 10 }]
}

fn withdrawal() -> Withdrawal {
    Withdrawal {
        code: ErrorCode::Hung,
        detail: String::new(),
        ban: true,
    }
}

/// A state in each phase that work is done in.
fn at(phase: Phase) -> State {
    let fetched = [fetch_one(), fetch_one()].concat();
    let staged = |ask| {
        [
            vec![begin()],
            fetched.clone(),
            vec![Event::Rebuilt, Event::Staged { ask }],
        ]
        .concat()
    };
    let events = match phase {
        Phase::Found => Vec::new(),
        Phase::Planned => vec![begin()],
        Phase::Scheduled => vec![begin(), Event::Queued],
        Phase::Fetching => vec![begin(), Event::FetchBegun],
        Phase::Rebuilding => [vec![begin()], fetched].concat(),
        Phase::Verifying => [vec![begin()], fetched, vec![Event::Rebuilt]].concat(),
        Phase::Waiting => staged(true),
        Phase::Switching => staged(false),
        Phase::Confirming => [staged(false), vec![Event::Switched]].concat(),
        Phase::RollingBack => [staged(false), vec![Event::Refused(withdrawal())]].concat(),
        Phase::Done => [staged(false), vec![Event::Confirmed]].concat(),
        Phase::RolledBack => [
            staged(false),
            vec![Event::Reverted(Fault::of(ErrorCode::Hung, ""))],
        ]
        .concat(),
        Phase::Failed => vec![begin(), Event::Cancelled],
    };
    let (state, _) = run(found(), &events);
    assert_eq!(state.phase(), phase);
    state
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn each_event_in_each_phase_does_what_the_table_says() {
    let hung = || Fault::of(ErrorCode::Hung, "");
    let table: Vec<(Phase, Event, Phase, Vec<Effect>)> = vec![
        (
            Phase::Found,
            begin(),
            Phase::Planned,
            vec![Effect::Fetch(patch(1, 2, 10))],
        ),
        (
            Phase::Found,
            Event::Begin {
                kept: true,
                needs_consent: false,
            },
            Phase::Verifying,
            vec![Effect::Recheck],
        ),
        (
            Phase::Found,
            Event::Begin {
                kept: true,
                needs_consent: true,
            },
            Phase::Waiting,
            vec![],
        ),
        (Phase::Planned, Event::FetchBegun, Phase::Fetching, vec![]),
        (
            Phase::Fetching,
            Event::Fetched { wire_bytes: 10 },
            Phase::Fetching,
            vec![Effect::Fetch(patch(2, 3, 10))],
        ),
        (
            Phase::Rebuilding,
            Event::Rebuilt,
            Phase::Verifying,
            vec![Effect::Stage],
        ),
        (
            Phase::Verifying,
            Event::Staged { ask: true },
            Phase::Waiting,
            vec![Effect::Ask],
        ),
        (
            Phase::Verifying,
            Event::Staged { ask: false },
            Phase::Switching,
            vec![Effect::Switch],
        ),
        (
            Phase::Waiting,
            Event::Decided(Decision::Now),
            Phase::Switching,
            vec![Effect::Switch],
        ),
        (Phase::Planned, Event::Queued, Phase::Scheduled, vec![]),
        (Phase::Scheduled, Event::FetchBegun, Phase::Fetching, vec![]),
        (
            Phase::Scheduled,
            Event::Cancelled,
            Phase::Failed,
            vec![Effect::Finish(Outcome::Failed)],
        ),
        (
            Phase::Waiting,
            Event::Decided(Decision::NextStart),
            Phase::Waiting,
            vec![Effect::Arm],
        ),
        (
            Phase::Waiting,
            Event::Decided(Decision::OnQuit),
            Phase::Waiting,
            vec![],
        ),
        // Nobody has put it off to the end of this run.
        (Phase::Waiting, Event::Quit, Phase::Waiting, vec![]),
        (
            Phase::Switching,
            Event::Refused(withdrawal()),
            Phase::RollingBack,
            vec![Effect::TakeBack(withdrawal())],
        ),
        (
            Phase::Confirming,
            Event::Refused(withdrawal()),
            Phase::RollingBack,
            vec![Effect::TakeBack(withdrawal())],
        ),
        (
            Phase::RollingBack,
            Event::Reverted(hung()),
            Phase::RolledBack,
            vec![Effect::Finish(Outcome::RolledBack)],
        ),
        (Phase::RollingBack, Event::Cancelled, Phase::RollingBack, vec![]),
        (Phase::RollingBack, Event::Confirmed, Phase::RollingBack, vec![]),
        (
            Phase::Waiting,
            Event::Decided(Decision::Later),
            Phase::Waiting,
            vec![],
        ),
        (
            Phase::Waiting,
            Event::Decided(Decision::Skip),
            Phase::Failed,
            vec![Effect::Skip, Effect::Finish(Outcome::Failed)],
        ),
        (Phase::Switching, Event::Switched, Phase::Confirming, vec![]),
        (
            Phase::Switching,
            Event::Confirmed,
            Phase::Done,
            vec![Effect::Finish(Outcome::Updated)],
        ),
        (
            Phase::Confirming,
            Event::Confirmed,
            Phase::Done,
            vec![Effect::Finish(Outcome::Updated)],
        ),
        (
            Phase::Switching,
            Event::Reverted(hung()),
            Phase::RolledBack,
            vec![Effect::Finish(Outcome::RolledBack)],
        ),
        (
            Phase::Confirming,
            Event::Reverted(hung()),
            Phase::RolledBack,
            vec![Effect::Finish(Outcome::RolledBack)],
        ),
        (
            Phase::Switching,
            Event::Failed(hung()),
            Phase::Failed,
            vec![Effect::Finish(Outcome::Failed)],
        ),
        (
            Phase::Fetching,
            Event::Cancelled,
            Phase::Failed,
            vec![Effect::Finish(Outcome::Failed)],
        ),
        (
            Phase::Waiting,
            Event::Cancelled,
            Phase::Failed,
            vec![Effect::Finish(Outcome::Failed)],
        ),
        // What does not fit changes nothing.
        (Phase::Confirming, Event::Cancelled, Phase::Confirming, vec![]),
        (Phase::Found, Event::Rebuilt, Phase::Found, vec![]),
        (Phase::Waiting, begin(), Phase::Waiting, vec![]),
        (Phase::Done, Event::Failed(hung()), Phase::Done, vec![]),
        (Phase::RolledBack, Event::Confirmed, Phase::RolledBack, vec![]),
        (Phase::Failed, begin(), Phase::Failed, vec![]),
    ];
    for (from, event, to, effects) in table {
        let (state, found) = next(at(from), event.clone());
        assert_eq!((state.phase(), found), (to, effects), "{from:?} and {event:?}");
    }
}

#[test]
fn a_failed_patch_is_excluded_and_the_next_best_plan_is_taken() {
    for code in [
        ErrorCode::FileCorrupt,
        ErrorCode::ServerRefused,
        ErrorCode::ServerFailed,
        ErrorCode::PatchFailed,
    ] {
        let (state, effects) = next(at(Phase::Fetching), edge_fault(code, "1-2"));
        assert_eq!(
            (state.phase(), effects),
            (Phase::Planned, vec![Effect::Fetch(patch(1, 3, 50))]),
            "{code:?}"
        );
        assert_eq!(state.activity.problems.len(), 1);
        assert_eq!(state.activity.problems[0].code, code);

        let (state, effects) = run(state, &[Event::FetchBegun, edge_fault(code, "1-3")]);
        assert_eq!(effects, [Effect::Fetch(full())]);
        let (state, effects) = run(state, &[Event::FetchBegun, edge_fault(code, "full")]);
        assert_eq!(
            (state.phase(), effects),
            (Phase::Failed, vec![Effect::Finish(Outcome::Failed)])
        );
        assert_eq!(state.activity.problems.len(), 3, "each failure stays visible");
        assert_eq!(
            state.begun.len(),
            3,
            "every download that was begun is in the history"
        );
    }
}

#[test]
fn an_altered_installed_file_leaves_the_full_file_alone() {
    let (state, effects) = next(at(Phase::Rebuilding), fault(ErrorCode::PatchFailed, Blame::Base));
    assert_eq!(effects, [Effect::Fetch(full())]);
    assert_eq!(
        state.activity.plan,
        [PlanStep::Full {
            to: version(3),
            bytes: 100
        }]
    );
    assert_eq!(state.activity.problems[0].code, ErrorCode::PatchFailed);
}

#[test]
fn what_is_the_same_for_every_way_ends_the_update_at_once() {
    for code in [ErrorCode::DiskFull, ErrorCode::DiskFailed, ErrorCode::Offline] {
        let (state, effects) = next(at(Phase::Fetching), edge_fault(code, "1-2"));
        assert_eq!(
            (state.phase(), effects),
            (Phase::Failed, vec![Effect::Finish(Outcome::Failed)]),
            "{code:?}"
        );
    }
    let (state, _) = next(
        at(Phase::Verifying),
        fault(ErrorCode::SignatureInvalid, Blame::Nothing),
    );
    assert_eq!(
        state.phase(),
        Phase::Failed,
        "the full file would hold the same bytes"
    );
}

#[test]
fn bytes_count_over_the_whole_plan_and_never_pass_its_end() {
    let (state, _) = run(
        found(),
        &[
            begin(),
            Event::FetchBegun,
            Event::Progress {
                bytes: 4,
                per_second: 0,
            },
        ],
    );
    assert_eq!((state.activity.bytes_done, state.activity.bytes_total), (4, 20));
    let (state, _) = run(
        state,
        &[
            Event::Fetched { wire_bytes: 9 },
            Event::FetchBegun,
            Event::Progress {
                bytes: 5,
                per_second: 0,
            },
        ],
    );
    assert_eq!((state.activity.bytes_done, state.wire_bytes), (15, 9));
    let (state, _) = next(
        state,
        Event::Progress {
            bytes: 5000,
            per_second: 0,
        },
    );
    assert_eq!(state.activity.bytes_done, 20);
}

/// One way in which an update went.
#[derive(Clone, Default)]
struct Course {
    fetched: Vec<Digest>,
    failures: usize,
}

/// Lets every piece of work end in every way, and hands the end of each course to `end`.
fn every_course(state: &State, effects: &[Effect], course: &Course, end: &mut impl FnMut(&State, &Course)) {
    let mut course = course.clone();
    let edges: Vec<Blame> = state
        .edges
        .iter()
        .map(|edge| Blame::Edge(*edge.digest()))
        .collect();
    let (good, blames) = match effects {
        [Effect::Fetch(edge)] => {
            course.fetched.push(*edge.digest());
            (
                Event::Fetched { wire_bytes: 1 },
                vec![Blame::Edge(*edge.digest())],
            )
        }
        [Effect::Rebuild(_)] => (Event::Rebuilt, [edges, vec![Blame::Base]].concat()),
        [Effect::Stage] => (
            Event::Staged { ask: false },
            [edges, vec![Blame::Nothing]].concat(),
        ),
        _ => return end(state, &course),
    };
    let (well, effects) = run(state.clone(), &[Event::FetchBegun, good]);
    every_course(&well, &effects, &course, end);
    course.failures += 1;
    for blame in blames {
        let (badly, effects) = run(
            state.clone(),
            &[Event::FetchBegun, fault(ErrorCode::PatchFailed, blame)],
        );
        every_course(&badly, &effects, &course, end);
    }
}

#[test]
fn every_course_ends_each_failure_is_said_and_the_full_file_is_fetched_once_at_most() {
    let (state, effects) = next(found(), begin());
    let (mut ended_well, mut ended_badly) = (0, 0);
    every_course(&state, &effects, &Course::default(), &mut |state, course| {
        match state.phase() {
            Phase::Switching => ended_well += 1,
            Phase::Failed => ended_badly += 1,
            phase => assert_eq!(phase, Phase::Failed, "it did not end"),
        }
        let fulls = course
            .fetched
            .iter()
            .filter(|name| **name == digest("full"))
            .count();
        assert!(fulls <= 1, "{state:?}");
        assert_eq!(state.activity.problems.len(), course.failures, "{state:?}");
        assert!(
            state
                .excluded
                .iter()
                .all(|name| state.edges.iter().all(|edge| edge.digest() != name))
                || state.phase() == Phase::Failed
        );
    });
    assert!(
        ended_well > 5 && ended_badly > 5,
        "{ended_well} and {ended_badly}"
    );
}

#[test]
fn consent_is_asked_once_and_then_it_goes_on() {
    let ask = Event::Begin {
        kept: false,
        needs_consent: true,
    };
    let (state, _) = run(found(), &[ask.clone(), ask.clone(), ask]);
    assert_eq!(state.phase(), Phase::Waiting);
    assert_eq!(state.activity.problems.len(), 1);
    assert_eq!(state.activity.problems[0].code, ErrorCode::ConsentNeeded);
    let (state, effects) = next(state, begin());
    assert_eq!((state.phase(), effects.len()), (Phase::Planned, 1));
    assert!(
        state.activity.problems.is_empty(),
        "a decision that was made is no problem"
    );
}

#[test]
fn a_kept_artifact_that_was_damaged_is_fetched() {
    let (state, _) = next(
        found(),
        Event::Begin {
            kept: true,
            needs_consent: false,
        },
    );
    let (state, effects) = next(state, fault(ErrorCode::FileCorrupt, Blame::Nothing));
    assert_eq!(
        (state.phase(), effects),
        (Phase::Planned, vec![Effect::Fetch(patch(1, 2, 10))])
    );
}

#[test]
fn going_back_to_a_damaged_version_fetches_nothing() {
    let state = State {
        ways: None,
        ..found()
    };
    let (state, _) = next(
        state,
        Event::Begin {
            kept: true,
            needs_consent: false,
        },
    );
    let (state, effects) = next(state, fault(ErrorCode::FileCorrupt, Blame::Nothing));
    assert_eq!(
        (state.phase(), effects),
        (Phase::Failed, vec![Effect::Finish(Outcome::Failed)])
    );
    assert_eq!(state.activity.problems[0].code, ErrorCode::FileCorrupt);
}

#[test]
fn a_first_installation_that_fails_its_trial_leaves_nothing_to_go_back_to() {
    let mut state = at(Phase::Switching);
    state.activity.from = None;
    let (done, effects) = next(state.clone(), Event::Confirmed);
    assert_eq!(
        (done.phase(), effects),
        (Phase::Done, vec![Effect::Finish(Outcome::Installed)])
    );
    let (failed, effects) = next(state, Event::Reverted(Fault::of(ErrorCode::Crashed, "")));
    assert_eq!(
        (failed.phase(), effects),
        (Phase::Failed, vec![Effect::Finish(Outcome::Failed)])
    );
}

#[test]
fn the_state_is_read_as_it_was_written() {
    let state = at(Phase::Waiting);
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
}

#[test]
fn an_executable_that_was_put_off_to_the_end_is_armed_at_the_end() {
    let waiting = at(Phase::Waiting);
    let (state, _) = run(waiting.clone(), &[Event::Decided(Decision::OnQuit)]);
    assert_eq!(next(state.clone(), Event::Quit).1, [Effect::Arm]);
    let (later, _) = run(state, &[Event::Decided(Decision::Later)]);
    assert_eq!(next(later, Event::Quit).1, [], "the last word counts");
}

#[test]
fn only_an_executable_is_asked_for_again() {
    let mut waiting = at(Phase::Waiting);
    assert_eq!(next(waiting.clone(), Event::Remind).1, []);
    waiting.activity.subject = Subject::Executable;
    assert_eq!(next(waiting, Event::Remind).1, [Effect::Ask]);
}

#[test]
fn logic_that_answers_otherwise_beside_the_live_one_is_banned_and_never_seen() {
    let withdrawal = Withdrawal {
        code: ErrorCode::AnswersDiffer,
        detail: "2, not 3".into(),
        ban: true,
    };
    let refused = Event::Refused(withdrawal.clone());
    let (state, effects) = next(at(Phase::Waiting), refused.clone());
    assert_eq!(
        (state.phase(), effects),
        (Phase::RollingBack, vec![Effect::TakeBack(withdrawal.clone())])
    );
    let (state, effects) = next(state, Event::Reverted(withdrawal.fault()));
    assert_eq!(effects, [Effect::Finish(Outcome::RolledBack)]);
    let problem = state.activity.problems.last().unwrap();
    assert_eq!(
        (problem.code, &*problem.detail),
        (ErrorCode::AnswersDiffer, "2, not 3")
    );
    let mut executable = at(Phase::Waiting);
    executable.activity.subject = Subject::Executable;
    assert_eq!(next(executable, refused).1, []);
}

#[test]
fn an_executable_that_could_not_take_over_waits_for_the_next_start() {
    let mut switching = at(Phase::Switching);
    assert_eq!(
        next(switching.clone(), Event::Stayed).0.phase(),
        Phase::Switching,
        "a bundle can't stay"
    );
    switching.activity.subject = Subject::Executable;
    let (state, effects) = next(switching, Event::Stayed);
    assert_eq!((state.phase(), effects), (Phase::Waiting, vec![]));
}

#[test]
fn what_is_critical_is_put_off_but_never_skipped() {
    let mut waiting = at(Phase::Waiting);
    waiting.critical = true;
    let (state, effects) = next(waiting, Event::Decided(Decision::Skip));
    assert_eq!((state.phase(), effects), (Phase::Waiting, vec![]));
}

#[test]
fn an_earlier_release_s_state_is_read() {
    let mut value = serde_json::to_value(at(Phase::Waiting)).unwrap();
    let fields = value.as_object_mut().unwrap();
    for name in ["critical", "on_quit", "withdrawal"] {
        assert!(fields.remove(name).is_some(), "{name}");
    }
    assert_eq!(
        serde_json::from_value::<State>(value).unwrap(),
        at(Phase::Waiting)
    );
}
