//! Every state that can be reached, walked.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::*;

fn assert_sound(state: &BootState) {
    let listed = |name: &SlotName| state.slot(name).is_some();
    assert!(listed(&SlotName::base()), "{state:?}");
    assert!(listed(&state.current), "{state:?}");
    assert!(
        state
            .previous
            .as_ref()
            .is_none_or(|name| listed(name) && *name != state.current),
        "{state:?}"
    );
    if let Some(trial) = &state.trial {
        assert!(listed(&trial.slot) && trial.slot != state.current, "{state:?}");
        assert!(trial.tries_left <= TRIES, "{state:?}");
        assert!(
            !state.is_banned(&state.slot(&trial.slot).unwrap().digest),
            "{state:?}"
        );
    }
    if let Some(fallback) = &state.fallback {
        assert!(!fallback.failed.is_empty(), "{state:?}");
        assert!(fallback.failed.iter().all(listed), "{state:?}");
        let distinct: HashSet<_> = fallback.failed.iter().collect();
        assert_eq!(distinct.len(), fallback.failed.len(), "{state:?}");
        assert!(
            state
                .trial
                .as_ref()
                .is_none_or(|trial| !state.is_stepped_over(&trial.slot)),
            "{state:?}"
        );
    }
    let names: HashSet<_> = state.slots.iter().map(|slot| &slot.name).collect();
    assert_eq!(names.len(), state.slots.len(), "{state:?}");
}

/// Every state that any events can lead to, over a base in two versions and two slots. What only
/// counts up (failures beyond the first) is cut, so that the walk ends.
#[test]
fn every_reachable_state_is_sound_and_starts_something() {
    let mut events = vec![
        Event::BaseSeen { base: base("1.0.0") },
        Event::BaseSeen { base: base("1.1.5") },
        start(),
        Event::StartDue {
            at: 1,
            start: other_token(),
        },
        Event::StartDue {
            at: 1 + STEPPED_OVER,
            start: token(),
        },
        Event::GoBack,
        Event::LiftBan {
            digest: slot_digest("1.1.0"),
        },
        Event::LiftBan {
            digest: slot_digest("1.2.0"),
        },
    ];
    for slot in [slot("1.1.0"), slot("1.2.0"), base("1.0.0")] {
        let name = slot.name.clone();
        if !name.is_base() {
            events.push(Event::Installed { slot });
        }
        events.extend([
            Event::BeginTrial { slot: name.clone() },
            Event::Failed {
                slot: name.clone(),
                why: Why::Hung,
                at: 1,
            },
            Event::Quit { slot: name.clone() },
            Event::Confirm {
                slot: name.clone(),
                start: Some(token()),
            },
            kept_failing(name.clone()),
            Event::Lost { slot: name.clone() },
            Event::Forbidden { slot: name.clone() },
            Event::Forget { slot: name },
        ]);
    }
    let first = BootState::fresh(base("1.0.0"));
    let mut seen = HashSet::from([first.clone()]);
    let mut queue = VecDeque::from([first]);
    let (mut bans_seen, mut rescues_seen) = (0, 0);
    while let Some(state) = queue.pop_front() {
        assert_sound(&state);
        // Something starts, or a rescue is asked for and after it something starts.
        let (after, effects) = next(&state, start());
        let rescue = effects.contains(&Effect::Rescue);
        rescues_seen += usize::from(rescue);
        let starts = started(if rescue { &after } else { &state });
        assert!(state.slot(&starts.0).is_some());
        bans_seen += usize::from(!state.banned.is_empty());
        for event in &events {
            let stale = matches!(
                (event, &state.trial),
                (Event::Confirm { slot, start }, Some(trial))
                    if trial.slot == *slot && trial.start.is_some() && trial.start != *start
            );
            let (mut changed, effects) = next(&state, event.clone());
            if stale && state.current != state.trial.as_ref().unwrap().slot {
                assert!(matches!(
                    effects[..],
                    [Effect::Refused(Refusal::StaleStart { .. })]
                ));
            }
            if let Some(fallback) = &mut changed.fallback {
                fallback.failed.sort();
            }
            changed.last_rollback = None;
            changed.banned.sort_by_key(|ban| ban.digest);
            if let Some(trial) = &mut changed.trial {
                trial.failures.truncate(1);
            }
            if seen.insert(changed.clone()) {
                queue.push_back(changed);
            }
        }
    }
    assert!(
        seen.len() > 500 && bans_seen > 100 && rescues_seen > 10,
        "{} states, {bans_seen} with a ban, {rescues_seen} without a version",
        seen.len()
    );
}

/// Whatever a version does, it is started 3 times at most unless it ended in good order.
#[test]
fn no_version_is_started_a_fourth_time_without_a_good_end() {
    let outcomes = [
        Some(Why::Crashed { code: 1 }),
        Some(Why::Hung),
        Some(Why::ExitedEarly),
        None, // a power cut
    ];
    let mut endings: BTreeMap<bool, usize> = BTreeMap::new();
    for index in 0..outcomes.len().pow(4) {
        let mut state = on_trial();
        let mut trials = 0;
        for start_number in 0..4_u32 {
            let (slot, on_trial) = started(&state);
            state = run(&state, [start()]);
            trials += usize::from(on_trial);
            let outcome = outcomes[index / outcomes.len().pow(start_number) % outcomes.len()];
            if let Some(why) = outcome {
                state = run(&state, [Event::Failed { slot, why, at: 1 }]);
            }
        }
        assert_eq!(trials, 3);
        assert_eq!(started(&state), (name("1.1.0"), false));
        *endings.entry(state.is_banned(&slot_digest("1.2.0"))).or_default() += 1;
    }
    // 3 power cuts, then anything.
    assert_eq!(endings, BTreeMap::from([(false, 4), (true, 252)]));
}
