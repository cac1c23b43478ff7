//! One check: is there anything new, and for whom. It refuses to decide what follows.

use std::sync::Arc;

use jiff::Timestamp;
use moult_model::{Index, Subject};
use moult_trust::{Authentic, Beliefs, Client, TrustError};

use crate::error::UpdateError;

/// The part of the engine that talks to `trust`. It is moved into the task of a check and comes back.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) client: Client,
    pub(crate) triple: String,
}

/// What a check found.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) checker: Checker,
    /// Whether the repository could be believed.
    pub(crate) outcome: Result<(), UpdateError>,
    /// The index of each subject that has one.
    pub(crate) indexes: Vec<(Subject, Arc<Authentic<Index>>)>,
    /// The first index that could not be had. It concerns its own subject alone.
    pub(crate) failed: Option<(Subject, UpdateError)>,
}

impl Checker {
    /// What this computer believes.
    pub(crate) fn beliefs(&self) -> Beliefs {
        self.client.beliefs()
    }

    /// Refreshes what is believed and reads the index of each subject.
    pub(crate) async fn check(mut self, subjects: Vec<Subject>, now: Timestamp) -> Checked {
        let mut indexes = Vec::new();
        let mut failed = None;
        if let Err(error) = self.client.refresh(now).await {
            return Checked {
                checker: self,
                outcome: Err(error.into()),
                indexes,
                failed,
            };
        }
        for subject in subjects {
            match self.client.index(&subject, &self.triple, now).await {
                Ok(index) => indexes.push((subject, Arc::new(index))),
                Err(TrustError::NotPublished { path }) => {
                    tracing::info!(%subject, path, "nothing is published");
                }
                // Nothing is installed on the word of what this computer can't remember.
                Err(error @ TrustError::FloorNotWritten { .. }) => {
                    return Checked {
                        checker: self,
                        outcome: Err(error.into()),
                        indexes: Vec::new(),
                        failed,
                    };
                }
                Err(error) => {
                    tracing::warn!(%subject, error = crate::error::chain(&error), "an index can't be had");
                    failed = failed.or(Some((subject, error.into())));
                }
            }
        }
        Checked {
            checker: self,
            outcome: Ok(()),
            indexes,
            failed,
        }
    }
}
