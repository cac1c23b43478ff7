//! The queue in tables: who works, who waits, who gives up.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::{StagePolicy, Subject};

use super::super::Priority;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn schedule() -> Schedule {
    Schedule::new(Stages::default(), Vec::new())
}

fn submit(schedule: &mut Schedule, id: &str, priority: Priority) -> Vec<Effect> {
    schedule.next(
        Event::Submit {
            id: id.into(),
            priority,
        },
        at(0),
    )
}

fn want(schedule: &mut Schedule, id: &str, stage: Stage, now: i64) -> Vec<Effect> {
    schedule.next(Event::Want { id: id.into(), stage }, at(now))
}

fn done(schedule: &mut Schedule, id: &str, now: i64) -> Vec<Effect> {
    schedule.next(Event::Done { id: id.into() }, at(now))
}

fn failed(schedule: &mut Schedule, id: &str, again: bool, now: i64) -> Vec<Effect> {
    let event = Event::Failed {
        id: id.into(),
        again,
        random: u32::MAX,
    };
    schedule.next(event, at(now))
}

fn tick(schedule: &mut Schedule, now: i64) -> Vec<Effect> {
    schedule.next(Event::Tick { random: u32::MAX }, at(now))
}

fn run(id: &str, stage: Stage, attempt: u32) -> Effect {
    Effect::Run {
        id: id.into(),
        stage,
        attempt,
    }
}

fn wait(id: &str, stage: Stage) -> Effect {
    Effect::Wait { id: id.into(), stage }
}

fn give_up(id: &str) -> Effect {
    Effect::GiveUp { id: id.into() }
}

#[test]
fn no_more_work_at_once_than_there_are_workers_and_the_next_follows_the_end_of_one() {
    for (stage, bound) in [(Stage::Download, 2), (Stage::Install, 1), (Stage::Confirm, 4)] {
        let mut schedule = schedule();
        for id in ["a", "b", "c", "d", "e", "f"] {
            submit(&mut schedule, id, Priority::Widget);
        }
        let mut began = Vec::new();
        for id in ["a", "b", "c", "d", "e", "f"] {
            let effects = want(&mut schedule, id, stage, 0);
            let expected = if began.len() < bound {
                run(id, stage, 1)
            } else {
                wait(id, stage)
            };
            assert_eq!(effects, std::slice::from_ref(&expected), "{stage:?}");
            if expected == run(id, stage, 1) {
                began.push(id);
            }
        }
        assert_eq!(began.len(), bound, "{stage:?}");
        let next = ["a", "b", "c", "d", "e", "f"][bound];
        assert_eq!(done(&mut schedule, "a", 1), [run(next, stage, 1)], "{stage:?}");
    }
}

#[test]
fn a_user_who_takes_long_to_decide_holds_nobody_up() {
    let mut schedule = schedule();
    for id in ["a", "b", "c"] {
        submit(&mut schedule, id, Priority::Widget);
        assert_eq!(
            want(&mut schedule, id, Stage::Decide, 0),
            [run(id, Stage::Decide, 1)]
        );
    }
    assert_eq!(schedule.wakes_at(at(0)), None, "and there is no limit to it");
}

#[test]
fn what_matters_more_goes_first_and_then_what_came_first() {
    let mut schedule = schedule();
    submit(&mut schedule, "at work", Priority::Widget);
    want(&mut schedule, "at work", Stage::Install, 0);
    let order = [
        ("second widget", Priority::Widget),
        ("shell", Priority::Shell),
        ("wish", Priority::User),
        ("app", Priority::Executable),
        ("third widget", Priority::Widget),
        ("critical", Priority::Critical),
    ];
    for (id, priority) in order {
        submit(&mut schedule, id, priority);
        want(&mut schedule, id, Stage::Install, 0);
    }
    let mut now = "at work";
    for next in [
        "critical",
        "wish",
        "app",
        "shell",
        "second widget",
        "third widget",
    ] {
        assert_eq!(done(&mut schedule, now, 1), [run(next, Stage::Install, 1)]);
        now = next;
    }
    let widget: Subject = "w/moult/notes".parse().unwrap();
    assert_eq!(Priority::of(&widget, true, false), Priority::Critical);
    assert_eq!(Priority::of(&widget, false, true), Priority::User);
    assert_eq!(
        Priority::of(&Subject::Executable, false, false),
        Priority::Executable
    );
}

#[test]
fn what_failed_is_tried_again_after_a_growing_pause_and_then_given_up() {
    let mut schedule = schedule();
    schedule.next(
        Event::Policies(Stages {
            install: StagePolicy {
                timeout_seconds: 0,
                tries: 3,
                pause_ms: 4_000,
                longest_pause_ms: 6_000,
            },
            ..Stages::default()
        }),
        at(0),
    );
    for id in ["a", "b"] {
        submit(&mut schedule, id, Priority::Widget);
    }
    want(&mut schedule, "a", Stage::Install, 0);
    want(&mut schedule, "b", Stage::Install, 0);
    // The pause is not held against the others: b has the worker meanwhile.
    assert_eq!(
        failed(&mut schedule, "a", true, 10),
        [wait("a", Stage::Install), run("b", Stage::Install, 1)]
    );
    assert_eq!(schedule.wakes_at(at(10)), Some(at(14)));
    assert_eq!(done(&mut schedule, "b", 11), []);
    assert_eq!(tick(&mut schedule, 13), []);
    assert_eq!(
        schedule.wakes_at(at(15)),
        Some(at(14)),
        "nothing happened since, and it is late"
    );
    assert_eq!(tick(&mut schedule, 14), [run("a", Stage::Install, 2)]);
    assert_eq!(failed(&mut schedule, "a", true, 20), [wait("a", Stage::Install)]);
    assert_eq!(
        schedule.wakes_at(at(20)),
        Some(at(26)),
        "8 s, but 6 s is the longest"
    );
    assert_eq!(tick(&mut schedule, 26), [run("a", Stage::Install, 3)]);
    assert_eq!(failed(&mut schedule, "a", true, 30), [give_up("a")]);
    // Another stage begins with all its tries.
    assert_eq!(
        want(&mut schedule, "a", Stage::Confirm, 31),
        [run("a", Stage::Confirm, 1)]
    );
}

#[test]
fn what_would_end_the_same_is_not_tried_again() {
    let mut schedule = schedule();
    submit(&mut schedule, "a", Priority::Widget);
    want(&mut schedule, "a", Stage::Install, 0);
    assert_eq!(failed(&mut schedule, "a", false, 1), [give_up("a")]);
    assert_eq!(
        failed(&mut schedule, "a", true, 1),
        [],
        "it does not run any more"
    );
}

#[test]
fn what_takes_too_long_is_stopped_and_tried_again_as_often_as_it_may_be() {
    let mut schedule = schedule();
    submit(&mut schedule, "a", Priority::Widget);
    want(&mut schedule, "a", Stage::Install, 0);
    assert_eq!(schedule.wakes_at(at(0)), Some(at(300)));
    assert_eq!(tick(&mut schedule, 299), []);
    let stop = || Effect::Stop {
        id: "a".into(),
        stage: Stage::Install,
        seconds: 300,
    };
    assert_eq!(tick(&mut schedule, 300), [stop(), wait("a", Stage::Install)]);
    assert_eq!(tick(&mut schedule, 301), [run("a", Stage::Install, 2)]);
    assert_eq!(tick(&mut schedule, 601), [stop(), wait("a", Stage::Install)]);
    assert_eq!(tick(&mut schedule, 602), [run("a", Stage::Install, 3)]);
    assert_eq!(tick(&mut schedule, 902), [stop(), give_up("a")]);
}

#[test]
fn a_change_of_policies_holds_for_what_begins_after_it() {
    let mut schedule = schedule();
    submit(&mut schedule, "a", Priority::Widget);
    want(&mut schedule, "a", Stage::Install, 0);
    let mut stages = Stages::default();
    stages.install.timeout_seconds = 10;
    stages.install.tries = 1;
    schedule.next(Event::Policies(stages), at(5));
    assert_eq!(tick(&mut schedule, 11), [], "it was begun with 300 s");
    assert_eq!(
        failed(&mut schedule, "a", true, 12),
        [give_up("a")],
        "how often is asked now"
    );
    want(&mut schedule, "a", Stage::Install, 20);
    assert_eq!(schedule.wakes_at(at(20)), Some(at(30)));
}

#[test]
fn cancelling_in_any_state_frees_the_worker_and_leaves_nothing() {
    type Step = fn(&mut Schedule) -> Vec<Effect>;
    let states: [(&str, Step); 4] = [
        ("resting", |_| Vec::new()),
        ("running", |schedule| want(schedule, "a", Stage::Install, 0)),
        ("queued", |schedule| {
            submit(schedule, "other", Priority::Critical);
            want(schedule, "other", Stage::Install, 0);
            want(schedule, "a", Stage::Install, 0)
        }),
        ("pausing", |schedule| {
            want(schedule, "a", Stage::Install, 0);
            failed(schedule, "a", true, 0)
        }),
    ];
    for (name, step) in states {
        let mut schedule = schedule();
        submit(&mut schedule, "a", Priority::Widget);
        step(&mut schedule);
        schedule.next(Event::End { id: "a".into() }, at(1));
        schedule.next(Event::End { id: "other".into() }, at(1));
        submit(&mut schedule, "b", Priority::Widget);
        assert_eq!(
            want(&mut schedule, "b", Stage::Install, 2),
            [run("b", Stage::Install, 1)],
            "{name}"
        );
        assert_eq!(
            done(&mut schedule, "a", 3),
            [],
            "{name}: what comes late is dropped"
        );
        assert!(!schedule.is_running("a"), "{name}");
    }
}

#[test]
fn an_id_is_taken_once_and_a_full_queue_takes_nobody() {
    let mut schedule = Schedule::new(Stages::default(), vec!["from an earlier run".into()]);
    let refused = |id: &str, why| vec![Effect::Refuse { id: id.into(), why }];
    assert_eq!(
        submit(&mut schedule, "from an earlier run", Priority::User),
        refused("from an earlier run", Refusal::AlreadyOver)
    );
    assert_eq!(submit(&mut schedule, "a", Priority::Widget), []);
    assert_eq!(
        submit(&mut schedule, "a", Priority::Widget),
        refused("a", Refusal::AlreadyQueued)
    );
    schedule.next(Event::End { id: "a".into() }, at(1));
    assert_eq!(
        submit(&mut schedule, "a", Priority::Widget),
        refused("a", Refusal::AlreadyOver)
    );
    for number in 0..Schedule::ROOM {
        assert_eq!(submit(&mut schedule, &number.to_string(), Priority::Widget), []);
    }
    assert!(!schedule.has_room());
    assert_eq!(
        submit(&mut schedule, "more", Priority::Critical),
        refused("more", Refusal::QueueFull)
    );
    for number in 0..300 {
        schedule.next(
            Event::End {
                id: format!("e{number}"),
            },
            at(1),
        );
    }
    assert_eq!(schedule.over().len(), Schedule::OVER);
    assert_eq!(schedule.over().last().map(String::as_str), Some("e299"));
}

#[test]
fn pauses_double_stay_in_their_band_and_end_at_the_longest() {
    let policy = StagePolicy {
        timeout_seconds: 0,
        tries: 3,
        pause_ms: 500,
        longest_pause_ms: 30_000,
    };
    for (tries, least, most) in [
        (1, 250, 500),
        (2, 500, 1000),
        (3, 1000, 2000),
        (u32::MAX, 15_000, 30_000),
    ] {
        assert_eq!(pause(policy, tries, 0).as_millis(), least, "{tries}");
        assert_eq!(pause(policy, tries, u32::MAX).as_millis(), most, "{tries}");
    }
}

/// Random lives of many updates: the bounds hold at every moment, and nobody waits while a worker is free.
#[test]
fn in_any_order_of_events_the_bounds_hold_and_no_worker_idles() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let stages = [Stage::Download, Stage::Install, Stage::Decide, Stage::Confirm];
    let mut schedule = schedule();
    for now in 0..20_000 {
        let id = random(90).to_string();
        let event = match random(7) {
            0 => Event::Submit {
                id,
                priority: Priority::Widget,
            },
            1 | 2 if !schedule.is_running(&id) => Event::Want {
                id,
                stage: stages[random(4) as usize],
            },
            3 => Event::Done { id },
            4 => Event::Failed {
                id,
                again: random(2) == 0,
                random: 0,
            },
            5 if random(20) == 0 => Event::End { id },
            _ => Event::Tick { random: 0 },
        };
        schedule.next(event, at(now));
        for stage in stages {
            let of_stage = || schedule.tasks.iter().filter(|task| task.stage == stage);
            let running = of_stage()
                .filter(|task| matches!(task.state, TaskState::Running { .. }))
                .count();
            let due = of_stage()
                .filter(
                    |task| matches!(task.state, TaskState::Queued { not_before } if not_before <= at(now)),
                )
                .count();
            assert!(running <= workers(stage), "{stage:?} at {now}");
            assert!(due == 0 || running == workers(stage), "{stage:?} at {now}");
        }
        assert!(schedule.tasks.len() <= Schedule::ROOM);
    }
}
