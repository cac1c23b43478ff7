//! What the tables of selection are written with.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use moult_model::bundle::HostApi;
use moult_model::explanation::Verdict;
use moult_model::index::{Download, Encoding};
use moult_model::rollout::{Act, DataSchema, Order, Rollout, VersionRange, Wave};
use moult_model::{Channel, Digest, Explanation, Index, Orders, Release, Share, Subject, Version};

use super::{Choice, Data, InstallId, Member, Refusals, Situation, Standing, choose};
use crate::plan::Base;

pub(super) const SALT: &str = "00112233445566778899aabbccddeeff";
pub(super) const NOON: &str = "2026-12-01T12:00:00Z";

pub(super) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn share(parts: u16) -> Share {
    Share::of_ten_thousand(parts).unwrap()
}

pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub(super) fn base(text: &str) -> Base {
    Base {
        version: version(text),
        digest: digest(text),
    }
}

pub(super) fn notes() -> Subject {
    "w/moult/notes".parse().unwrap()
}

/// A release without any conditions. Its digest is that of its version.
pub(super) fn release(text: &str, channels: &str) -> Release {
    Release {
        version: version(text),
        channels: channels
            .split_whitespace()
            .map(|name| name.parse().unwrap())
            .collect(),
        published: String::new(),
        notes: BTreeMap::new(),
        digest: digest(text),
        size: 1,
        full: Download {
            path: String::new(),
            size: 1,
            digest: digest(""),
            encoding: Encoding::Zstd,
        },
        signature: Some("c2lnbmF0dXJl".into()),
        host_api: Some(HostApi { min: 1, max: 2 }),
        permissions: Vec::new(),
        state_schema: None,
        critical: false,
        policy: moult_model::ReleasePolicy::default(),
    }
}

/// A release on stable, with conditions.
pub(super) fn with(text: &str, conditions: impl FnOnce(&mut Release)) -> Release {
    let mut release = release(text, "stable");
    conditions(&mut release);
    release
}

#[expect(clippy::unnecessary_wraps, reason = "as the policy has it")]
pub(super) fn waves(waves: &[(&str, u16)]) -> Option<Rollout> {
    let waves = waves.iter().map(|(from, parts)| Wave {
        from: (*from).into(),
        share: share(*parts),
    });
    Some(Rollout {
        salt: SALT.into(),
        waves: waves.collect(),
    })
}

pub(super) fn from(text: &str) -> VersionRange {
    VersionRange {
        from: Some(version(text)),
        below: None,
    }
}

pub(super) fn below(text: &str) -> VersionRange {
    VersionRange {
        from: None,
        below: Some(version(text)),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the policy has it")]
pub(super) fn data(writes: u32, reads_from: u32) -> Option<DataSchema> {
    Some(DataSchema {
        writes,
        reads_from,
        reads_to: writes,
    })
}

pub(super) fn order(subject: &Subject, of: &str, hold_epoch: u32, act: Act) -> Order {
    Order {
        subject: subject.clone(),
        digest: digest(of),
        hold_epoch,
        act,
        reason: None,
        given: NOON.into(),
    }
}

pub(super) fn orders(orders: &[Order]) -> Orders {
    Orders {
        format: Orders::FORMAT,
        orders: orders.to_vec(),
    }
}

pub(super) fn index(subject: &Subject, releases: Vec<Release>) -> Index {
    let mut index = Index::empty(subject.clone(), None);
    index.releases = releases;
    index
}

/// A computer that stands at such a place for [`SALT`].
pub(super) fn standing_at(is: impl Fn(u16) -> bool) -> InstallId {
    let mut salt = [0; 16];
    for (byte, place) in salt.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(&SALT[place..place + 2], 16).unwrap();
    }
    (0..=u32::MAX)
        .map(|number| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_le_bytes());
            InstallId::of(id)
        })
        .find(|id| is(id.place(&salt)))
        .unwrap()
}

/// What is refused here, by version.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(pub(super) BTreeMap<Version, Verdict>);

impl Refusals for Refused {
    fn refusal(&self, release: &Release) -> Option<Verdict> {
        self.0.get(&release.version).cloned()
    }

    fn refusal_of_recall(&self, release: &Release) -> Option<Verdict> {
        let verdict = self.refusal(release)?;
        matches!(verdict, Verdict::FailedBefore { .. }).then_some(verdict)
    }
}

/// A subject on a computer.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) index: Index,
    pub(super) running: Option<Base>,
    pub(super) channel: Channel,
    pub(super) changed: bool,
    pub(super) pin: Option<Version>,
    pub(super) refused: Refused,
    pub(super) install: Option<InstallId>,
    pub(super) now: Timestamp,
    pub(super) orders: Standing,
    pub(super) schema: Option<u32>,
    pub(super) copies: Vec<u32>,
    pub(super) may_lose: bool,
}

impl Scene {
    pub(super) fn of(subject: &Subject, releases: Vec<Release>) -> Self {
        Self {
            index: index(subject, releases),
            running: None,
            channel: Channel::stable(),
            changed: false,
            pin: None,
            refused: Refused::default(),
            install: Some(standing_at(|place| place == 3_000)),
            now: at(NOON),
            orders: Standing::default(),
            schema: None,
            copies: Vec::new(),
            may_lose: false,
        }
    }

    pub(super) fn running(mut self, text: &str) -> Self {
        self.running = Some(base(text));
        self
    }

    pub(super) fn refusing(mut self, text: &str, verdict: Verdict) -> Self {
        self.refused.0.insert(version(text), verdict);
        self
    }

    pub(super) fn pinned(mut self, text: &str) -> Self {
        self.pin = Some(version(text));
        self
    }

    pub(super) fn at(mut self, text: &str) -> Self {
        self.now = at(text);
        self
    }

    pub(super) fn standing_at(mut self, is: impl Fn(u16) -> bool) -> Self {
        self.install = Some(standing_at(is));
        self
    }

    /// The orders that were read now.
    pub(super) fn ordered(mut self, given: &[Order]) -> Self {
        self.orders.take(Ok(&orders(given)), &[&self.index], self.now);
        self
    }

    pub(super) fn member(&self) -> Member<'_> {
        Member {
            index: &self.index,
            situation: Situation {
                channel: &self.channel,
                channel_changed: self.changed,
                pin: self.pin.as_ref(),
                running: self.running.as_ref(),
                host_api: 1,
                refused: &self.refused,
                install: self.install,
                now: self.now,
                orders: &self.orders,
                data: Data {
                    schema: self.schema,
                    copies: &self.copies,
                    may_lose: self.may_lose,
                },
            },
        }
    }

    pub(super) fn choice(&self) -> Choice {
        choose(&[self.member()]).pop().unwrap()
    }

    /// The version that is wanted.
    pub(super) fn wanted(&self) -> Option<String> {
        wanted(&self.choice(), &self.index)
    }

    /// What is said of a release.
    pub(super) fn said(&self, text: &str) -> String {
        said(&self.choice().explanation, text)
    }
}

pub(super) fn wanted(choice: &Choice, index: &Index) -> Option<String> {
    choice
        .wanted
        .map(|place| index.releases[place].version.to_string())
}

pub(super) fn said(explanation: &Explanation, text: &str) -> String {
    let found = explanation
        .candidates
        .iter()
        .find(|found| found.version == version(text));
    found.unwrap().verdict.to_string()
}
