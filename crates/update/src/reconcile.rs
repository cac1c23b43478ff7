//! What became of an executable's update while the process that began it was gone. Pure.

use moult_boot::{BootState, Rollback, Why};
use moult_model::{Digest, ErrorCode};

use crate::machine::{Decision, Event, Fault};
use crate::record::Record;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs now, on trial.
    Confirming,
    /// It runs now and is confirmed.
    Done,
    /// It was tried and given up.
    RolledBack(Rollback),
    /// It is to start next.
    Armed,
    /// Nothing is known that counts. If it is still wanted, the next check finds it.
    Gone,
}

/// What the boot state and the running executable say of an update.
pub fn fate(record: &Record, running: &Digest, boot: &BootState) -> Fate {
    let Some(slot) = &record.slot else {
        return Fate::Gone;
    };
    if *running == record.digest {
        return match () {
            () if boot.is_on_trial(slot) => Fate::Confirming,
            () if boot.current == *slot => Fate::Done,
            () => Fate::Gone,
        };
    }
    // The launcher counts whole seconds, and the same version may have been given up before.
    let began = u64::try_from(record.began.as_second()).unwrap_or(0);
    match &boot.last_rollback {
        Some(rollback) if rollback.from == record.state.activity.to && rollback.at >= began => {
            Fate::RolledBack(rollback.clone())
        }
        _ if boot.is_on_trial(slot) => Fate::Armed,
        _ => Fate::Gone,
    }
}

/// The events that bring a record to its fate. None: it is forgotten.
pub fn events(record: &Record, fate: &Fate) -> Option<Vec<Event>> {
    // What waited for the next start has begun to switch meanwhile.
    let waited = record.state.phase() == moult_model::Phase::Waiting;
    let mut events = if waited {
        vec![Event::Decided(Decision::Now)]
    } else {
        Vec::new()
    };
    match fate {
        Fate::Gone => return None,
        Fate::Armed => events.clear(),
        Fate::Confirming => events.push(Event::Switched),
        Fate::Done => events.extend([Event::Switched, Event::Confirmed]),
        Fate::RolledBack(rollback) => events.extend([Event::Switched, Event::Reverted(fault(rollback))]),
    }
    Some(events)
}

fn fault(rollback: &Rollback) -> Fault {
    match rollback.why {
        Why::Crashed { code } => Fault::of(ErrorCode::Crashed, format!("it ended with code {code}")),
        Why::Hung => Fault::of(ErrorCode::Hung, "it showed nothing, or stopped answering"),
        Why::ExitedEarly => Fault::of(ErrorCode::Crashed, "it ended without saying that it would"),
        Why::Unfinished => Fault::of(ErrorCode::SwitchFailed, "each of its starts was cut short"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use jiff::Timestamp;
    use moult_boot::{Slot, SlotName, Trial};
    use moult_model::stage::SwapReason;
    use moult_model::{Activity, Outcome, Phase, Subject, Version};

    use super::*;
    use crate::machine::{Effect, State};

    fn version(minor: u64) -> Version {
        Version::new(1, minor, 0)
    }

    fn slot(minor: u64) -> Slot {
        let digest = Digest::of(&[minor as u8]);
        Slot {
            name: SlotName::of(&version(minor), &digest),
            version: version(minor),
            digest,
        }
    }

    fn record(phase: Phase) -> Record {
        let activity = Activity {
            id: "a".into(),
            subject: Subject::Executable,
            from: Some(version(0)),
            to: version(1),
            phase,
            plan: Vec::new(),
            bytes_done: 0,
            bytes_total: 0,
            full_bytes: 0,
            problems: Vec::new(),
        };
        let began = Timestamp::from_second(1000).unwrap();
        Record {
            state: State::found(activity, None, None),
            digest: slot(1).digest,
            reason: SwapReason::Update,
            began,
            entered: began,
            phases: Vec::new(),
            slot: Some(slot(1).name),
        }
    }

    #[test]
    fn the_fate_of_an_executable_is_read_from_the_boot_state() {
        type Case = (
            &'static str,
            u64,
            u64,
            Option<Trial>,
            Option<Rollback>,
            Phase,
            Option<Outcome>,
        );
        let trial = || {
            Some(Trial {
                slot: slot(1).name,
                tries_left: 2,
                failures: Vec::new(),
            })
        };
        let rollback = |at| {
            Some(Rollback {
                from: version(1),
                to: version(0),
                why: Why::Crashed { code: 139 },
                at,
            })
        };
        let cases: Vec<Case> = vec![
            (
                "the new one runs on trial",
                1,
                0,
                trial(),
                None,
                Phase::Confirming,
                None,
            ),
            (
                "it runs and was confirmed",
                1,
                1,
                None,
                None,
                Phase::Done,
                Some(Outcome::Updated),
            ),
            (
                "it was given up",
                0,
                0,
                None,
                rollback(1000),
                Phase::RolledBack,
                Some(Outcome::RolledBack),
            ),
            (
                "it waits for the next start",
                0,
                0,
                trial(),
                None,
                Phase::Switching,
                None,
            ),
            (
                "an older rollback of the same version",
                0,
                0,
                trial(),
                rollback(999),
                Phase::Switching,
                None,
            ),
        ];
        for (name, running, current, trial, last_rollback, phase, outcome) in cases {
            for begun in [Phase::Switching, Phase::Waiting, Phase::Confirming] {
                let boot = BootState {
                    current: slot(current).name,
                    trial: trial.clone(),
                    last_rollback: last_rollback.clone(),
                    ..BootState::fresh(slot(0))
                };
                let mut record = record(begun);
                let fate = fate(&record, &slot(running).digest, &boot);
                let mut effects = Vec::new();
                for event in events(&record, &fate).unwrap() {
                    effects = record.apply(event, Timestamp::from_second(1005).unwrap());
                }
                if phase == Phase::Switching {
                    assert_eq!((fate, record.state.phase()), (Fate::Armed, begun), "{name}");
                    continue;
                }
                assert_eq!(record.state.phase(), phase, "{name}, begun {begun:?}");
                if let Some(outcome) = outcome {
                    assert_eq!(effects, [Effect::Finish(outcome)], "{name}");
                }
            }
        }
    }

    #[test]
    fn what_left_no_trace_is_forgotten() {
        let boot = BootState::fresh(slot(0));
        assert_eq!(fate(&record(Phase::Waiting), &slot(0).digest, &boot), Fate::Gone);
        let unstaged = Record {
            slot: None,
            ..record(Phase::Fetching)
        };
        assert_eq!(fate(&unstaged, &slot(1).digest, &boot), Fate::Gone);
        assert_eq!(events(&unstaged, &Fate::Gone), None);
    }
}
