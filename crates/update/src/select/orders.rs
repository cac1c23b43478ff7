//! The orders in force, and how a new reading of them changes that. Pure; docs/rollout.md has the rules.
//!
//! An order can only take away. A limit holds as long as the newest orders say so. A hold and a recall hold on: once
//! seen they are noted, and only the role that signs the release lifts them, by a higher epoch in it. So whoever
//! steals the key of the role `rollout` can stop releases, and can't start one again that was stopped.

use jiff::Timestamp;
use moult_model::explanation::Authority;
use moult_model::rollout::{Act, Order};
use moult_model::{Digest, ErrorCode, Index, Orders, Release, Share, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The orders that this computer obeys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Those that were read last.
    #[serde(default)]
    newest: Vec<Order>,
    /// Holds and recalls that were ever seen and are not lifted, oldest first. The epoch of each is the release's own when it
    /// was seen, at most.
    #[serde(default)]
    noted: Vec<Order>,
    /// When the newest were read, RFC 3339 in UTC.
    #[serde(default)]
    read: Option<String>,
    /// Why they could not be read the last time.
    #[serde(skip)]
    problem: Option<ErrorCode>,
    /// What another version wrote besides.
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What the orders say of one release.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stand<'a> {
    /// The lowest limit of its share.
    pub limit: Option<(Share, &'a Order)>,
    /// A hold. A recall counts as one, also one that leads where the release does not allow.
    pub held: Option<&'a Order>,
    /// The recall that is obeyed: its target is one that the release itself names.
    pub recall: Option<(&'a Digest, &'a Order)>,
}

impl Standing {
    /// Takes over a new reading. What can't be read, or has a format that is not known, changes nothing: the orders before stay
    /// in force. `indexes` are those that were verified with them.
    ///
    /// Says whether there is something to be kept. It has to be on the disk before anything is installed that an order
    /// might have stopped.
    pub fn take(&mut self, read: Result<&Orders, ErrorCode>, indexes: &[&Index], now: Timestamp) -> bool {
        let before = (self.newest.clone(), self.noted.clone());
        match read {
            Ok(orders) if orders.format == Orders::FORMAT => {
                self.newest = orders.orders.iter().take(Orders::MOST).cloned().collect();
                self.problem = None;
                self.read = Some(now.to_string());
            }
            // A later release may have a format of its own; this one can't tell what it says.
            Ok(_) => self.problem = Some(ErrorCode::MetadataInvalid),
            Err(code) => self.problem = Some(code),
        }
        self.note(indexes);
        before != (self.newest.clone(), self.noted.clone())
    }

    /// Notes the holds and recalls among the newest, and forgets those that were lifted.
    fn note(&mut self, indexes: &[&Index]) {
        let release_of = |order: &Order| {
            let index = indexes.iter().find(|index| index.subject == order.subject)?;
            index.release_of(&order.digest)
        };
        self.noted.retain(|order| {
            release_of(order).is_none_or(|release| release.policy.hold_epoch <= order.hold_epoch)
        });
        for order in &self.newest {
            let Some(release) = release_of(order) else {
                continue;
            };
            let epoch = release.policy.hold_epoch;
            if matches!(order.act, Act::Limit { .. }) || order.hold_epoch < epoch {
                continue;
            }
            // An epoch that the release does not have yet is nothing that a key of `rollout` could reserve.
            let order = Order {
                hold_epoch: epoch,
                ..order.clone()
            };
            let same = |noted: &Order| {
                noted.subject == order.subject && noted.digest == order.digest && noted.act == order.act
            };
            match self.noted.iter_mut().find(|noted| same(noted)) {
                Some(noted) => noted.hold_epoch = epoch,
                None => self.noted.push(order),
            }
        }
        // Those of releases that nobody lists stop nothing: they are the first to go.
        let mut excess = self.noted.len().saturating_sub(Orders::MOST);
        self.noted.retain(|order| {
            let goes = excess > 0 && release_of(order).is_none();
            excess -= usize::from(goes);
            !goes
        });
    }

    /// What is said of a release.
    pub fn on(&self, subject: &Subject, release: &Release) -> Stand<'_> {
        let policy = &release.policy;
        let mut stand = Stand::default();
        // The newest last: of two recalls the one that was given last leads.
        for order in self.noted.iter().chain(&self.newest) {
            let is_about = order.subject == *subject && order.digest == release.digest;
            if !is_about || order.hold_epoch < policy.hold_epoch {
                continue;
            }
            match &order.act {
                Act::Limit { share } => {
                    if stand.limit.is_none_or(|(limit, _)| *share < limit) {
                        stand.limit = Some((*share, order));
                    }
                }
                Act::Hold => stand.held = Some(order),
                Act::Recall { to } => {
                    stand.held = Some(order);
                    if *to != release.digest && policy.recall_to.contains(to) {
                        stand.recall = Some((to, order));
                    }
                }
            }
        }
        stand
    }

    /// How many orders about a subject are in force, each counted once.
    pub fn count(&self, subject: &Subject) -> u32 {
        let of_subject = |order: &&Order| order.subject == *subject;
        let noted = self.noted.iter().filter(of_subject);
        let limits = self.newest.iter().filter(of_subject).filter(|order| {
            let is_noted = |noted: &Order| noted.digest == order.digest && noted.act == order.act;
            !self.noted.iter().any(is_noted)
        });
        u32::try_from(noted.count() + limits.count()).unwrap_or(u32::MAX)
    }

    /// When the newest orders were read.
    pub fn read_at(&self) -> Option<&str> {
        self.read.as_deref()
    }

    /// Why newer ones could not be read, if they could not.
    pub fn problem(&self) -> Option<ErrorCode> {
        self.problem
    }
}

/// A release is stopped: by whom, and why.
pub(super) fn held(release: &Release, stand: &Stand<'_>) -> Option<(Authority, Option<String>)> {
    if release.policy.held {
        return Some((Authority::Publisher, None));
    }
    stand.held.map(|order| (Authority::Order, order.reason.clone()))
}

/// A release is recalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recall {
    pub(super) to: Digest,
    pub(super) by: Authority,
    pub(super) reason: Option<String>,
}

/// Where those who have a release have to go, if anywhere. What its own signer says comes before an order.
pub(super) fn recall(release: &Release, stand: &Stand<'_>) -> Option<Recall> {
    match release.policy.recalled {
        Some(to) if to != release.digest => Some(Recall {
            to,
            by: Authority::Publisher,
            reason: None,
        }),
        _ => stand.recall.map(|(to, order)| Recall {
            to: *to,
            by: Authority::Order,
            reason: order.reason.clone(),
        }),
    }
}
