//! What is remembered of the programs beside the application. Refuses to know how they are replaced.

use std::collections::BTreeMap;

use moult_model::{Digest, Version};
use serde::{Deserialize, Serialize};

use crate::StartToken;
use crate::state::Rest;

/// How often a program's test may fail before it is not tried again.
const TESTS: u8 = 3;
/// How many refused programs are remembered; the oldest are forgotten first.
const MAX_REFUSED: usize = 16;

/// All of them, by their names. Persisted in `companions.a` and `companions.b`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companions {
    /// What is known of each.
    #[serde(default)]
    known: BTreeMap<String, Known>,
    /// What a later release wrote besides.
    #[serde(flatten)]
    rest: Rest,
}

/// What is known of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What was put into the install folder last, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
    /// What waits to be put there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// What failed its test too often, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Digest>,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A program that was put into the install folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its version.
    pub version: Version,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A program that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The first start in which the application that carries it was confirmed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<StartToken>,
    /// How often its test failed.
    #[serde(default)]
    pub failures: u8,
    /// Whether it passed its test and waits for the end of the installed one, which can't be replaced while
    /// it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_its_end: bool,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Companions {
    pub(super) fn get(&self, name: &str) -> Known {
        self.known.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, name: &str, known: Known) {
        self.known.insert(name.to_owned(), known);
    }
}

impl Known {
    /// Notes that this start carries a program. True: an earlier start carried it as well, and was
    /// confirmed already.
    pub(super) fn seen(mut self, digest: Digest, start: &StartToken, confirmed: bool) -> (Self, bool) {
        let pending = match self.pending.take() {
            Some(pending) if pending.digest == digest => pending,
            _ => Pending {
                digest,
                confirmed: None,
                failures: 0,
                at_its_end: false,
                rest: Rest::new(),
            },
        };
        let ready = confirmed && pending.confirmed.as_ref().is_some_and(|first| first != start);
        let first = match pending.confirmed {
            // A trial is on: whatever was confirmed, this start is not the one to count from.
            _ if !confirmed => None,
            Some(first) => Some(first),
            None => Some(start.clone()),
        };
        self.pending = Some(Pending {
            confirmed: first,
            ..pending
        });
        (self, ready)
    }

    /// Notes that a program's test failed.
    pub(super) fn failed(mut self, digest: Digest) -> Self {
        if let Some(pending) = &mut self.pending {
            pending.failures = pending.failures.saturating_add(1);
            if pending.failures >= TESTS {
                self.pending = None;
                self.refused.push(digest);
                let excess = self.refused.len().saturating_sub(MAX_REFUSED);
                self.refused.drain(..excess);
            }
        }
        self
    }

    /// Notes that a program has to wait for the end of the installed one.
    pub(super) fn at_its_end(mut self) -> Self {
        if let Some(pending) = &mut self.pending {
            pending.at_its_end = true;
        }
        self
    }

    /// Notes that a program is in its place.
    pub(super) fn placed(mut self, digest: Digest, version: &Version) -> Self {
        self.pending = None;
        match &mut self.placed {
            // The same bytes, in a later release: what lies between must not take their place.
            Some(placed) if placed.digest == digest => {
                if *version > placed.version {
                    placed.version = version.clone();
                }
            }
            _ => {
                self.placed = Some(Placed {
                    digest,
                    version: version.clone(),
                    rest: Rest::new(),
                });
            }
        }
        self
    }

    /// Whether this program passed its test and waits for the end of the installed one.
    pub(super) fn waits_for_its_end(&self, digest: Digest) -> bool {
        let waiting = self.pending.as_ref().filter(|pending| pending.digest == digest);
        waiting.is_some_and(|pending| pending.at_its_end)
    }

    pub(super) fn is_refused(&self, digest: &Digest) -> bool {
        self.refused.contains(digest)
    }
}
