//! Whether a start of the executable has shown that it works. Pure: from what was seen to what is said.
//!
//! Working means more than painting: the stage answers, shell and widgets are loaded, and the part that brings
//! the next version is in order. A version whose updater is broken must not confirm itself, since no later
//! version could ever mend it. Being offline is no fault of the version's and only takes longer.

use std::time::Duration;

/// A trial whose updater has reached its repository is confirmed after this long in good health.
const SHORT_TRIAL: Duration = Duration::from_secs(8);
/// Being offline is neutral: without the repository it takes this long.
const LONG_TRIAL: Duration = Duration::from_mins(1);
/// A stage that has not answered for this long is not in good health.
const SILENCE: Duration = Duration::from_secs(3);

/// What was seen of a start so far.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sign of its own")]
pub(crate) struct Signs {
    /// Stage and shell stand on the screen.
    pub(crate) painted: bool,
    /// Every load of the start is ready or has failed.
    pub(crate) settled: bool,
    /// The shell could not be loaded.
    pub(crate) shell_failed: bool,
    /// Widgets that are ready.
    pub(crate) widgets_ready: u32,
    /// Widgets that could not be loaded at the start, though a version before this one has loaded them.
    pub(crate) widgets_failed: u32,
    /// This process may write.
    pub(crate) holds_right: bool,
    /// How long ago the stage's main thread answered last.
    pub(crate) silence: Duration,
    /// The updater has reached its repository.
    pub(crate) reached: bool,
    /// What of the updater is broken, as far as it can be told without a network.
    pub(crate) broken: Option<String>,
    /// The updater's parts were looked at, and nothing kept it from that.
    pub(crate) examined: bool,
    /// For how long [`is_well`](Self::is_well) has held without a break.
    pub(crate) well_for: Duration,
}

/// What is said about a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Nothing yet.
    Wait,
    /// It works.
    Confirm,
    /// It runs, and does not work. What is broken, for the log.
    Unfit(String),
}

impl Signs {
    /// Everything is as it must be; what is left is that it stays so.
    pub(crate) fn is_well(&self) -> bool {
        self.painted && self.settled && self.holds_right && self.silence < SILENCE && self.examined
    }

    /// Judges.
    pub(crate) fn judge(&self) -> Judgement {
        if self.shell_failed {
            return Judgement::Unfit("the shell can't be loaded".to_owned());
        }
        // One widget may be broken by itself. If none can be loaded, it is this version that can't load them.
        if self.settled && self.widgets_failed > 0 && self.widgets_ready == 0 {
            return Judgement::Unfit("no widget can be loaded".to_owned());
        }
        if let Some(part) = &self.broken {
            return Judgement::Unfit(format!("the updater: {part}"));
        }
        let needed = if self.reached { SHORT_TRIAL } else { LONG_TRIAL };
        if self.is_well() && self.well_for >= needed {
            Judgement::Confirm
        } else {
            Judgement::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, fn(&mut Signs), Judgement);

    fn well() -> Signs {
        Signs {
            painted: true,
            settled: true,
            widgets_ready: 3,
            holds_right: true,
            reached: true,
            examined: true,
            well_for: SHORT_TRIAL,
            ..Signs::default()
        }
    }

    #[test]
    fn a_start_is_confirmed_only_when_everything_works() {
        let unfit = |text: &str| Judgement::Unfit(text.to_owned());
        let cases: [Case; 16] = [
            ("all is well", |_| {}, Judgement::Confirm),
            (
                "not for long enough",
                |signs| signs.well_for = Duration::from_secs(7),
                Judgement::Wait,
            ),
            ("not painted", |signs| signs.painted = false, Judgement::Wait),
            (
                "widgets still load",
                |signs| signs.settled = false,
                Judgement::Wait,
            ),
            (
                "the stage is silent",
                |signs| signs.silence = SILENCE,
                Judgement::Wait,
            ),
            (
                "it may not write",
                |signs| signs.holds_right = false,
                Judgement::Wait,
            ),
            (
                "the updater could not be looked at",
                |signs| signs.examined = false,
                Judgement::Wait,
            ),
            (
                "offline, for a while",
                |signs| signs.reached = false,
                Judgement::Wait,
            ),
            (
                "offline, for a minute",
                |signs| (signs.reached, signs.well_for) = (false, LONG_TRIAL),
                Judgement::Confirm,
            ),
            (
                "an empty board",
                |signs| signs.widgets_ready = 0,
                Judgement::Confirm,
            ),
            (
                "one widget of four failed",
                |signs| signs.widgets_failed = 1,
                Judgement::Confirm,
            ),
            (
                "every widget failed",
                |signs| (signs.widgets_ready, signs.widgets_failed) = (0, 3),
                unfit("no widget can be loaded"),
            ),
            (
                "some failed, others still load",
                |signs| (signs.settled, signs.widgets_ready, signs.widgets_failed) = (false, 0, 1),
                Judgement::Wait,
            ),
            (
                "no shell",
                |signs| signs.shell_failed = true,
                unfit("the shell can't be loaded"),
            ),
            (
                "no shell, before anything was painted",
                |signs| {
                    *signs = Signs {
                        shell_failed: true,
                        ..Signs::default()
                    }
                },
                unfit("the shell can't be loaded"),
            ),
            (
                "a broken updater, in whatever health",
                |signs| signs.broken = Some("trust".to_owned()),
                unfit("the updater: trust"),
            ),
        ];
        for (name, change, expected) in cases {
            let mut signs = well();
            change(&mut signs);
            assert_eq!(signs.judge(), expected, "{name}");
        }
    }
}
