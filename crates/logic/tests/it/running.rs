//! Good logic: events, state, swaps, calls, and coming back.

use moult_sandbox::logic::pool::LogicError;
use serde_json::{Value, json};

use crate::support::{Heard, World, key, spec, state};

#[test]
fn events_are_answered_and_settings_are_there_from_the_start() {
    let (world, key) = World::with("one");
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(1));
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(2));
    assert_eq!(
        world.act(&key, json!({"do": "settings"})).unwrap(),
        json!({"name": "test"})
    );
    assert!(world.act(&key, json!({"do": "now"})).unwrap().as_u64().unwrap() > 1_700_000_000_000);
    let random = || world.act(&key, json!({"do": "random"})).unwrap();
    assert_ne!(random(), random());
}

#[test]
fn a_swap_hands_the_state_over_and_the_old_one_goes() {
    let (world, live) = World::with("one");
    for _ in 0..3 {
        world.act(&live, json!({"do": "count"})).unwrap();
    }
    let beside = key("moult", "one beside");
    world.pool.start(beside.clone(), spec()).unwrap();
    world
        .pool
        .restore(&beside, world.pool.snapshot(&live).unwrap())
        .unwrap();
    assert!(world.pool.rename(&beside, live.clone()));
    assert!(!world.pool.is_running(&beside));
    assert_eq!(world.act(&live, json!({"do": "count"})).unwrap(), json!(4));
}

#[test]
fn a_state_that_is_refused_leaves_all_as_it_was() {
    let (world, live) = World::with("one");
    world.act(&live, json!({"do": "count"})).unwrap();
    let mut newer = state(9);
    newer.schema = 3;
    let refused = world.pool.restore(&live, newer.clone());
    assert!(matches!(refused, Err(LogicError::Refused(reason)) if reason.contains("schema 3")));
    let with_state = moult_sandbox::logic::pool::Spec {
        state: Some(newer),
        ..spec()
    };
    let started = world.pool.start(live.clone(), with_state);
    assert!(matches!(started, Err(LogicError::Refused(_))), "{started:?}");
    assert_eq!(world.act(&live, json!({"do": "count"})).unwrap(), json!(2));
}

#[test]
fn a_call_waits_for_its_answer_and_others_do_not_wait_for_it() {
    let (world, asking) = World::with("one");
    let other = key("moult", "two");
    world.pool.start(other.clone(), spec()).unwrap();
    std::thread::scope(|scope| {
        let question = json!({"do": "call", "capability": "storage.get", "request": {"key": "a"}});
        let asked = scope.spawn(|| world.act(&asking, question));
        let (number, capability, request) = world.hear(|_, heard| match heard {
            Heard::Call(number, capability, request) => Some((number, capability, request)),
            _ => None,
        });
        assert_eq!((&*capability, request), ("storage.get", json!({"key": "a"})));
        assert_eq!(world.act(&other, json!({"do": "count"})).unwrap(), json!(1));
        // Longer than an event may take: waiting is no work.
        std::thread::sleep(std::time::Duration::from_millis(300));
        world.pool.answer(number, Ok(json!("found")));
        assert_eq!(asked.join().unwrap().unwrap(), json!({"ok": "found"}));

        let question = json!({"do": "call", "capability": "network.fetch", "request": {}});
        let asked = scope.spawn(|| world.act(&asking, question));
        let number = world.hear(|_, heard| match heard {
            Heard::Call(number, ..) => Some(number),
            _ => None,
        });
        world.pool.answer(number, Err(json!({"code": "consent_needed"})));
        assert_eq!(
            asked.join().unwrap().unwrap(),
            json!({"problem": {"code": "consent_needed"}})
        );
    });
}

#[test]
fn what_logic_says_reaches_its_page() {
    let (world, key) = World::with("one");
    world
        .act(&key, json!({"do": "say", "what": {"tick": 1}}))
        .unwrap();
    let said = world.hear(|_, heard| match heard {
        Heard::Said(event) => Some(event),
        _ => None,
    });
    assert_eq!(said, json!({"tick": 1}));
}

#[test]
fn each_publisher_has_a_process_which_ends_with_its_last_widget() {
    let world = World::new();
    let keys = [key("one", "a"), key("one", "b"), key("two", "a")];
    for key in &keys {
        world.pool.start(key.clone(), spec()).unwrap();
    }
    let (one, two) = (world.pool.process_of("one"), world.pool.process_of("two"));
    assert!(one.is_some() && two.is_some() && one != two);
    world.pool.stop(&keys[0]);
    assert_eq!(world.pool.process_of("one"), one);
    world.pool.stop(&keys[1]);
    assert_eq!(world.pool.process_of("one"), None);
    assert_eq!(world.act(&keys[2], json!({"do": "count"})).unwrap(), json!(1));
}

#[test]
fn killed_from_outside_it_comes_back_with_its_last_snapshot() {
    let (world, key) = World::with("one");
    for _ in 0..2 {
        world.act(&key, json!({"do": "count"})).unwrap();
    }
    world.hear(|_, heard| match heard {
        Heard::Snapshot(found) if found == state(2) => Some(()),
        _ => None,
    });
    kill(&world, &key);
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(3));
}

/// Kills the process that runs the logic, and waits until that runs again.
fn kill(world: &World, key: &moult_sandbox::logic::pool::Key) {
    end(world.pool.process_of(&key.publisher).unwrap());
    let (_, gave_up) = world.failure(key);
    assert!(!gave_up);
    world.hear(|of, heard| (of == key && heard == Heard::Restarted).then_some(()));
}

#[test]
fn a_snapshot_that_is_too_large_is_not_taken_and_the_one_before_stays() {
    let (world, key) = World::with("one");
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(1));
    world.act(&key, json!({"do": "load", "bytes": 2 << 20})).unwrap();
    assert_eq!(
        world.act(&key, json!({"do": "count"})).unwrap(),
        json!(2),
        "it goes on"
    );
    kill(&world, &key);
    assert_eq!(world.act(&key, json!({"do": "count"})).unwrap(), json!(2));
}

#[test]
fn settings_that_changed_are_there_when_it_starts_again() {
    let (world, key) = World::with("one");
    world.pool.set_settings(&key, json!({"name": "changed"}));
    kill(&world, &key);
    assert_eq!(
        world.act(&key, json!({"do": "settings"})).unwrap(),
        json!({"name": "changed"})
    );
}

/// Ends a process from outside, with no word to it before.
pub(crate) fn end(process: u32) {
    let (shell, command) = if cfg!(windows) {
        (["cmd", "/C"], format!("taskkill /F /PID {process}"))
    } else {
        (["sh", "-c"], format!("kill -s KILL {process}"))
    };
    let status = std::process::Command::new(shell[0])
        .args([shell[1], &command])
        .status()
        .unwrap();
    assert!(status.success(), "{command}: {status}");
}

#[test]
fn what_is_no_logic_is_refused_in_words() {
    let world = World::new();
    let empty_component: &[u8] = b"\0asm\x0d\0\x01\0";
    let cases: [(&str, &[u8]); 4] = [
        ("nothing", b""),
        ("no WebAssembly", b"#!/bin/sh"),
        ("a module that is no component", b"\0asm\x01\0\0\0"),
        ("a component of no world", empty_component),
    ];
    for (what, component) in cases {
        let spec = moult_sandbox::logic::pool::Spec {
            component: component.into(),
            ..spec()
        };
        let outcome = world.pool.start(key("moult", what), spec);
        assert!(
            matches!(outcome, Err(LogicError::Failed(_))),
            "{what}: {outcome:?}"
        );
    }
    assert_eq!(
        world
            .act(&key("moult", "nothing"), Value::Null)
            .map_err(|error| error.to_string()),
        Err("no logic runs there".to_owned())
    );
}
