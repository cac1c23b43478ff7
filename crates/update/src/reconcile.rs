//! What became of an update while the process that began it was gone, as the stores tell it. Pure.

use moult_boot::{BootState, BundleSlots, Rollback, Why};
use moult_model::stage::SwapReason;
use moult_model::{Digest, ErrorCode, Phase};

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
    /// A bundle was tried and given up.
    GivenUp,
    /// A bundle was about to be put back.
    RollingBack,
    /// It is begun from what is kept on the disk, without asking anybody.
    Again,
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

/// What the bundles' store says of an update. What was only on its way is found by the next check, goes on
/// under the same id, and takes up what is on the disk.
pub fn fate_of_bundle(record: &Record, slots: &BundleSlots) -> Fate {
    let is_current = slots
        .current
        .as_ref()
        .is_some_and(|current| current.digest == record.digest);
    let phase = record.state.phase();
    let is_banned = slots.is_banned(&record.digest);
    match phase {
        Phase::Switching | Phase::Confirming if is_current => Fate::Done,
        // It took over with its executable, at the start of this process.
        Phase::Waiting if is_current && record.together => Fate::Done,
        Phase::Switching | Phase::Confirming | Phase::RollingBack if is_banned => Fate::GivenUp,
        Phase::RollingBack if record.state.withdrawal.is_some() && !is_current => Fate::RollingBack,
        _ if record.reason == SwapReason::GoBack
            && slots.installed(&record.digest).is_some()
            && !is_current =>
        {
            Fate::Again
        }
        _ => Fate::Gone,
    }
}

/// What is to be done for a record that was taken up, if that is known from the record alone.
pub fn fate_again(record: &Record) -> Option<Fate> {
    match record.state.phase() {
        Phase::Found if record.reason == SwapReason::GoBack => Some(Fate::Again),
        Phase::RollingBack => Some(Fate::RollingBack),
        _ => None,
    }
}

/// The events that bring a record to its fate. None: it is forgotten.
pub fn events(record: &Record, fate: &Fate) -> Option<Vec<Event>> {
    // What waited for the next start has begun to switch meanwhile.
    let waited = record.state.phase() == Phase::Waiting;
    let mut events = if waited {
        vec![Event::Decided(Decision::Now)]
    } else {
        Vec::new()
    };
    match fate {
        Fate::Gone => return None,
        Fate::Armed => events.clear(),
        Fate::Confirming => events.push(Event::Switched),
        Fate::RollingBack | Fate::Again => {}
        Fate::GivenUp => {
            let fault = match &record.state.withdrawal {
                Some(withdrawal) => withdrawal.fault(),
                None => Fault::of(ErrorCode::SwitchFailed, "it was given up"),
            };
            events.push(Event::Reverted(fault));
        }
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
        Why::Unknown => Fault::of(
            ErrorCode::SwitchFailed,
            "it failed in a way that this version does not know",
        ),
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
            rest: moult_boot::Rest::new(),
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
            seconds_left: None,
            held: None,
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
            put_off: None,
            cut_short: 0,
            together: false,
            set: Vec::new(),
            host_api: None,
            other: serde_json::Map::new(),
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
                start: None,
                rest: moult_boot::Rest::new(),
            })
        };
        let rollback = |at| {
            Some(Rollback {
                from: version(1),
                to: version(0),
                why: Why::Crashed { code: 139 },
                at,
                rest: moult_boot::Rest::new(),
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

    #[test]
    fn the_fate_of_a_bundle_is_read_from_its_store() {
        use Phase::{Confirming, Fetching, RollingBack, Switching, Verifying, Waiting};
        let installed = |minor: u64| moult_boot::Installed {
            version: version(minor),
            digest: slot(minor).digest,
        };
        let waits = || BundleSlots {
            current: Some(installed(0)),
            waiting: vec![installed(1)],
            ..BundleSlots::default()
        };
        let confirmed = || BundleSlots {
            current: Some(installed(1)),
            ..BundleSlots::default()
        };
        let banned = || BundleSlots {
            current: Some(installed(0)),
            banned: vec![moult_boot::Ban {
                digest: slot(1).digest,
                version: version(1),
                why: Why::Hung,
                rest: moult_boot::Rest::new(),
            }],
            ..BundleSlots::default()
        };
        let cases = [
            (Fetching, SwapReason::Update, waits(), Fate::Gone),
            (Verifying, SwapReason::Update, waits(), Fate::Gone),
            (Waiting, SwapReason::Update, waits(), Fate::Gone),
            (Switching, SwapReason::Update, waits(), Fate::Gone),
            (Switching, SwapReason::Update, confirmed(), Fate::Done),
            (Confirming, SwapReason::Update, confirmed(), Fate::Done),
            (Fetching, SwapReason::Update, confirmed(), Fate::Gone),
            (Switching, SwapReason::Update, banned(), Fate::GivenUp),
            (RollingBack, SwapReason::Update, waits(), Fate::RollingBack),
            (RollingBack, SwapReason::Update, banned(), Fate::GivenUp),
            (Verifying, SwapReason::GoBack, waits(), Fate::Again),
            (Switching, SwapReason::GoBack, waits(), Fate::Again),
            (Switching, SwapReason::GoBack, confirmed(), Fate::Done),
        ];
        for (phase, reason, slots, expected) in cases {
            let mut record = Record {
                reason,
                ..record(phase)
            };
            record.state.withdrawal = (phase == RollingBack).then(|| crate::machine::Withdrawal {
                code: ErrorCode::Crashed,
                detail: "scripted".into(),
                ban: true,
            });
            let fate = fate_of_bundle(&record, &slots);
            assert_eq!(fate, expected, "{phase:?}, {reason:?}");
            let mut effects = Vec::new();
            for event in events(&record, &fate).unwrap_or_default() {
                effects = record.apply(event, Timestamp::from_second(1005).unwrap());
            }
            let ended = match fate {
                Fate::Done => vec![Effect::Finish(Outcome::Updated)],
                Fate::GivenUp => vec![Effect::Finish(Outcome::RolledBack)],
                _ => Vec::new(),
            };
            assert_eq!(effects, ended, "{phase:?}, {reason:?}");
        }
    }
}
