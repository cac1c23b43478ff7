//! Bad logic: each thing that it tries ends it alone, is named, and leaves its neighbours their time.

use std::time::{Duration, Instant};

use moult_sandbox::logic::FaultKind;
use moult_sandbox::logic::pool::{LogicError, Spec};
use serde_json::json;

use crate::support::{World, key, spec};

#[test]
fn each_fault_is_named_and_its_neighbour_goes_on() {
    let (world, good) = World::with("good");
    world.act(&good, json!({"do": "count"})).unwrap();
    let cases = [
        (json!({"do": "loop"}), FaultKind::TimedOut),
        (json!({"do": "allocate"}), FaultKind::OutOfMemory),
        (json!({"do": "trap"}), FaultKind::Trapped),
        (json!({"do": "recurse"}), FaultKind::Trapped),
        (
            json!({"do": "large", "bytes": (1 << 20) + 1}),
            FaultKind::BadAnswer,
        ),
    ];
    let mut counted = 1;
    for (number, (act, expected)) in cases.into_iter().enumerate() {
        // In the same process as the good one.
        let bad = key("moult", &format!("bad {number}"));
        world.pool.start(bad.clone(), spec()).unwrap();
        let outcome = world.act(&bad, act.clone());
        let Err(LogicError::Failed(fault)) = outcome else {
            unreachable!("{act}: {outcome:?}")
        };
        assert_eq!(fault.kind, expected, "{act}: {fault}");
        counted += 1;
        assert_eq!(
            world.act(&good, json!({"do": "count"})).unwrap(),
            json!(counted),
            "after {act}"
        );
        world.pool.stop(&bad);
    }
}

#[test]
fn three_failures_in_a_row_and_it_stays_off() {
    let (world, key) = World::with("one");
    let mut gave_up = Vec::new();
    while gave_up.last() != Some(&true) {
        if world
            .act(&key, json!({"do": "trap"}))
            .is_err_and(|error| matches!(error, LogicError::Failed(_)))
        {
            gave_up.push(world.failure(&key).1);
        } else {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(gave_up, [false, false, true]);
    assert!(!world.pool.is_running(&key));
    // Asked for again, it begins anew.
    world.pool.start(key.clone(), spec()).unwrap();
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(1));
}

#[test]
fn an_endless_loop_holds_nobody_up() {
    let (world, good) = World::with("good");
    let bad = key("moult", "bad");
    world.pool.start(bad.clone(), spec()).unwrap();
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| world.act(&bad, json!({"do": "loop"})));
        for count in 1..=20 {
            assert_eq!(world.act(&good, json!({"do": "count"})).unwrap(), json!(count));
        }
        assert!(looping.join().unwrap().is_err());
    });
}

#[test]
fn what_is_stopped_stops_in_the_middle_of_a_loop() {
    let (world, good) = World::with("good");
    let bad = key("moult", "bad");
    let patient = Spec {
        limits: moult_sandbox::logic::Limits {
            event_ms: 30_000,
            ..moult_sandbox::logic::Limits::default()
        },
        ..spec()
    };
    world.pool.start(bad.clone(), patient).unwrap();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| world.act(&bad, json!({"do": "loop"})));
        std::thread::sleep(Duration::from_millis(100));
        world.pool.stop(&bad);
        assert!(matches!(looping.join().unwrap(), Err(LogicError::NotRunning)));
    });
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(world.act(&good, json!({"do": "count"})).unwrap(), json!(1));
}

/// A component that makes the compiler work without end: loops in loops, each of which hands on every one of many values
/// that the innermost changes.
fn bomb() -> Vec<u8> {
    const LOOPS: usize = 1_500;
    const VALUES: usize = 2_000;
    let change: Vec<String> = (0..VALUES)
        .map(|value| format!("local.get {} local.set {value}", (value + 1) % VALUES))
        .collect();
    let change = change.join(" ");
    let function = format!(
        "(func (local {}) {} {change} {})",
        "i32 ".repeat(VALUES),
        "loop ".repeat(LOOPS),
        "local.get 0 br_if 0 end ".repeat(LOOPS)
    );
    wat::parse_str(format!("(component (core module {}))", function.repeat(10))).unwrap()
}

#[test]
fn a_component_that_is_a_bomb_for_the_compiler_spares_what_runs() {
    let (world, good) = World::with("good");
    let process = world.pool.process_of("moult");
    let spec = Spec {
        component: bomb().into(),
        ..spec()
    };
    std::thread::scope(|scope| {
        let bomb = scope.spawn(|| world.pool.start(key("moult", "bomb"), spec));
        for count in 1..=10 {
            assert_eq!(world.act(&good, json!({"do": "count"})).unwrap(), json!(count));
        }
        let outcome = bomb.join().unwrap();
        assert!(
            matches!(&outcome, Err(LogicError::Failed(fault)) if fault.kind == FaultKind::CompileBomb),
            "{outcome:?}"
        );
    });
    assert_eq!(world.pool.process_of("moult"), process);
}
