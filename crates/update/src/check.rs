//! One check: is there anything new, and for whom. It refuses to decide what follows.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moult_model::{Index, Orders, Subject};
use moult_trust::{Authentic, Beliefs, Client, TrustError};
use tokio::time;

use crate::error::UpdateError;
use crate::link::Link;

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
    /// The orders that were read, or why they could not be.
    pub(crate) orders: Result<Orders, UpdateError>,
    /// The first index that could not be had. It concerns its own subject alone.
    pub(crate) failed: Option<(Subject, UpdateError)>,
    /// The line that it went over, if it was looked at.
    pub(crate) link: Option<Link>,
}

impl Checker {
    /// What this computer believes.
    pub(crate) fn beliefs(&self) -> Beliefs {
        self.client.beliefs()
    }

    /// Refreshes what is believed and reads the index of each subject, within `seconds` for the whole and each
    /// index; 0 for no limit. What was read in time counts.
    pub(crate) async fn check(self, subjects: Vec<Subject>, now: Timestamp, seconds: u32) -> Checked {
        let mut checked = Checked {
            checker: self,
            outcome: Ok(()),
            indexes: Vec::new(),
            // Not asked for, as long as nothing is believed.
            orders: Err(UpdateError::Abandoned),
            failed: None,
            link: None,
        };
        let limit = if seconds == 0 {
            Duration::MAX
        } else {
            Duration::from_secs(u64::from(seconds))
        };
        let late = || UpdateError::TooSlow { seconds };
        match time::timeout(limit, checked.checker.client.refresh(now)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                checked.outcome = Err(error.into());
                return checked;
            }
            Err(_) => {
                checked.outcome = Err(late());
                return checked;
            }
        }
        let orders = time::timeout(limit, checked.checker.client.orders(now));
        checked.orders = match orders.await {
            Ok(Ok(orders)) => Ok((*orders).clone()),
            // Nothing is installed on the word of what this computer can't remember.
            Ok(Err(error @ TrustError::FloorNotWritten { .. })) => {
                checked.outcome = Err(error.into());
                return checked;
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(late()),
        };
        for subject in subjects {
            let read = checked.checker.index(&subject, now);
            let found = time::timeout(limit, read).await.unwrap_or_else(|_| Err(late()));
            match found {
                Ok(index) => checked.indexes.push((subject, Arc::new(index))),
                Err(UpdateError::Trust(TrustError::NotPublished { path })) => {
                    tracing::info!(%subject, path, "nothing is published");
                }
                // Nothing is installed on the word of what this computer can't remember.
                Err(error @ UpdateError::Trust(TrustError::FloorNotWritten { .. })) => {
                    checked.outcome = Err(error);
                    checked.indexes.clear();
                    return checked;
                }
                Err(error) => {
                    tracing::warn!(%subject, error = crate::error::chain(&error), "an index can't be had");
                    checked.failed = checked.failed.or(Some((subject, error)));
                }
            }
        }
        checked
    }

    async fn index(&mut self, subject: &Subject, now: Timestamp) -> Result<Authentic<Index>, UpdateError> {
        Ok(self.client.index(subject, &self.triple, now).await?)
    }
}
