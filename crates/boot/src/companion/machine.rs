//! What is to be done next about one program beside the application. Pure: it decides from what is on the
//! disk, so that a step that was cut short is simply the next one again.

use moult_model::{Digest, Version};

/// What there is.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them may go with any other"
)]
pub struct Facts<'a> {
    /// The digest of the installed program; `None` if there is none.
    pub installed: Option<Digest>,
    /// The digest of what lies beside it to take its place.
    pub staged: Option<Digest>,
    /// The digest of the one before, which is kept.
    pub kept: Option<Digest>,
    /// Whether a name is left over from keeping it.
    pub leftover: bool,
    /// The digest of the program that the application carries.
    pub embedded: Digest,
    /// Its version.
    pub version: &'a Version,
    /// The version of the installed one.
    pub installed_version: &'a Version,
    /// Whether the install folder is the user's own.
    pub own: bool,
    /// Whether it is time: the application has been confirmed since an earlier start.
    pub ready: bool,
    /// Whether it failed its test too often.
    pub refused: bool,
    /// Whether what is staged passed its test in this call.
    pub tested: bool,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the new program beside the installed one.
    Stage,
    /// Let it test itself.
    Test,
    /// Give the installed one the name of the one before.
    Keep,
    /// Let the two names change places.
    Exchange,
    /// Remove what is left over.
    CleanUp,
    /// There is nothing more to do now.
    End(Stage),
}

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The installed one is the one that the application carries.
    Settled,
    /// It was put in its place in this call.
    Replaced,
    /// The system replaces no program that runs: it takes the place when the installed one ends.
    AtItsEnd,
    /// It is not time yet.
    Waiting,
    /// The installed one is not lower: it stays.
    NotHigher,
    /// The folder is not the user's own: its package renews it.
    NotOurs,
    /// Its test failed; it is tried again in a later start, or no more.
    Refused,
}

/// What to do next. It never asks for a step after which the program's name would lead nowhere.
pub fn next(facts: &Facts<'_>) -> Step {
    let is_there = facts.installed == Some(facts.embedded);
    if !facts.own {
        return Step::End(if is_there { Stage::Settled } else { Stage::NotOurs });
    }
    let stays = if is_there {
        Some(Stage::Settled)
    } else if facts.refused {
        Some(Stage::Refused)
    } else if facts.installed.is_some() && facts.version <= facts.installed_version {
        Some(Stage::NotHigher)
    } else {
        None
    };
    if let Some(stage) = stays {
        let is_clean = facts.staged.is_none() && !facts.leftover;
        return if is_clean { Step::End(stage) } else { Step::CleanUp };
    }
    if !facts.ready {
        return Step::End(Stage::Waiting);
    }
    if facts.staged != Some(facts.embedded) {
        Step::Stage
    } else if !facts.tested {
        Step::Test
    } else if facts.installed.is_some() && facts.kept != facts.installed {
        Step::Keep
    } else {
        Step::Exchange
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over all combinations of facts: only a tested program takes the place, and only when it is time, and
    /// never before the installed one is kept.
    #[test]
    fn the_machine_never_takes_a_place_before_its_time() {
        let digests = [None, Some(Digest::of(b"old")), Some(Digest::of(b"new"))];
        let (low, high) = (Version::new(1, 0, 0), Version::new(1, 1, 0));
        let flags = |bits: u32| [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
        let mut exchanges = 0;
        for installed in digests {
            for staged in digests {
                for kept in digests {
                    for version in [&low, &high] {
                        for [leftover, own, ready, refused, tested] in (0..32).map(flags) {
                            let facts = Facts {
                                installed,
                                staged,
                                kept,
                                leftover,
                                embedded: Digest::of(b"new"),
                                version,
                                installed_version: &low,
                                own,
                                ready,
                                refused,
                                tested,
                            };
                            let step = next(&facts);
                            let may_write = !matches!(step, Step::End(_));
                            assert!(own || !may_write, "{facts:?}");
                            if matches!(step, Step::Stage | Step::Test | Step::Keep | Step::Exchange) {
                                assert!(ready && !refused, "{facts:?}");
                                assert!(installed.is_none() || *version > low, "{facts:?}");
                            }
                            if step == Step::Exchange {
                                exchanges += 1;
                                assert!(tested && staged == Some(facts.embedded), "{facts:?}");
                                assert!(installed.is_none() || kept == installed, "{facts:?}");
                            }
                        }
                    }
                }
            }
        }
        assert!(exchanges > 0);
    }
}
