//! One update in this process: its record, and what its work has brought so far.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::stage::SwapReason;
use moult_model::{Activity, Digest, Phase, Subject, Version};
use serde_json::Map;
use tokio::task::AbortHandle;
use tracing::Span;

use crate::artifact::{AuthenticRelease, Rebuilt, Staged};
use crate::fetch::Fetched;
use crate::host::HandOver;
use crate::machine::{Effect, Event, Fault, State};
use crate::plan::{Base, Edge, Ways};
use crate::record::Record;
use crate::schedule::Priority;

/// An update on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) record: Record,
    /// The release, once its index was read in this process.
    pub(crate) release: Option<AuthenticRelease>,
    /// The file that patches start from.
    pub(crate) base_file: Option<PathBuf>,
    pub(crate) fetched: Vec<(Fetched, Edge)>,
    pub(crate) rebuilt: Option<Rebuilt>,
    pub(crate) staged: Option<Staged>,
    pub(crate) span: Span,
    /// What is to be worked on as soon as a worker is free, and again after a failed try.
    pub(crate) next: Option<Effect>,
    /// The download that is held back.
    pub(crate) held: Option<Effect>,
    /// What happens if no try is left.
    pub(crate) last_failure: Option<Event>,
    /// The downloads of the rebuild under way, for another try.
    pub(crate) rebuilt_from: Downloads,
    /// The work under way.
    pub(crate) work: Option<AbortHandle>,
    /// Which piece of work that is: what an earlier one brings late is dropped.
    pub(crate) work_number: u64,
}

/// What an artifact is rebuilt from, in order.
pub(crate) type Downloads = Arc<Vec<(Fetched, Edge)>>;

/// What a piece of work brought.
#[derive(Debug)]
pub(crate) enum Brought {
    Event(Event),
    Fetched(Fetched, Edge),
    Rebuilt(Rebuilt),
    Staged(Staged),
    HandedOver(HandOver),
}

impl Brought {
    pub(crate) fn failed(fault: Fault) -> Self {
        Self::Event(Event::Failed(fault))
    }
}

impl Job {
    /// An update to a release. A record of the same update that an earlier process began goes on under
    /// the same id.
    pub(crate) fn to_release(
        id: String,
        release: AuthenticRelease,
        base: Option<Base>,
        base_file: Option<PathBuf>,
        leftover: Option<Record>,
        now: Timestamp,
    ) -> Self {
        let ways = Ways::to(&release, release.index(), base.as_ref(), moult_delta::FORMATS);
        let activity = Activity {
            id: leftover
                .as_ref()
                .map_or(id, |record| record.state.activity.id.clone()),
            subject: release.subject().clone(),
            from: base.as_ref().map(|base| base.version.clone()),
            to: release.version.clone(),
            phase: Phase::Found,
            plan: Vec::new(),
            bytes_done: 0,
            bytes_total: 0,
            full_bytes: release.full.size,
            seconds_left: None,
            held: None,
            problems: Vec::new(),
        };
        let mut state = State::found(activity, base, Some(ways));
        state.critical = release.critical;
        if let Some(leftover) = &leftover {
            state.wire_bytes = leftover.state.wire_bytes;
            state.begun.clone_from(&leftover.state.begun);
        }
        let record = Record {
            state,
            digest: release.digest,
            reason: SwapReason::Update,
            began: leftover.as_ref().map_or(now, |record| record.began),
            entered: now,
            slot: None,
            put_off: leftover.as_ref().and_then(|record| record.put_off),
            together: false,
            set: Vec::new(),
            host_api: None,
            cut_short: leftover.as_ref().map_or(0, |record| record.cut_short),
            other: leftover
                .as_ref()
                .map(|record| record.other.clone())
                .unwrap_or_default(),
            phases: leftover.map(|record| record.phases).unwrap_or_default(),
        };
        Self {
            release: Some(release),
            base_file,
            ..Self::resumed(record)
        }
    }

    /// The user's wish to go back to a kept version.
    pub(crate) fn back_to(
        id: String,
        subject: Subject,
        from: Option<Version>,
        to: Version,
        digest: Digest,
        now: Timestamp,
    ) -> Self {
        let activity = Activity {
            id,
            subject,
            from,
            to,
            phase: Phase::Found,
            plan: Vec::new(),
            bytes_done: 0,
            bytes_total: 0,
            full_bytes: 0,
            seconds_left: None,
            held: None,
            problems: Vec::new(),
        };
        Self::resumed(Record {
            state: State::found(activity, None, None),
            digest,
            reason: SwapReason::GoBack,
            began: now,
            entered: now,
            phases: Vec::new(),
            slot: None,
            put_off: None,
            cut_short: 0,
            together: false,
            set: Vec::new(),
            host_api: None,
            other: Map::new(),
        })
    }

    /// An update that an earlier process began.
    pub(crate) fn resumed(record: Record) -> Self {
        let activity = &record.state.activity;
        let span = tracing::info_span!("update", trace_id = %activity.id, subject = %activity.subject);
        Self {
            record,
            release: None,
            base_file: None,
            fetched: Vec::new(),
            rebuilt: None,
            staged: None,
            span,
            next: None,
            held: None,
            last_failure: None,
            rebuilt_from: Downloads::default(),
            work: None,
            work_number: 0,
        }
    }

    /// How much it matters.
    pub(crate) fn priority(&self) -> Priority {
        let is_wish = self.record.reason == SwapReason::GoBack;
        Priority::of(self.subject(), self.record.state.critical, is_wish)
    }

    pub(crate) fn id(&self) -> &str {
        &self.record.state.activity.id
    }

    pub(crate) fn subject(&self) -> &Subject {
        &self.record.state.activity.subject
    }

    pub(crate) fn phase(&self) -> Phase {
        self.record.state.phase()
    }

    /// Whether something newer may take its place.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.record.reason == SwapReason::Update
            && !matches!(
                self.phase(),
                Phase::Switching | Phase::Confirming | Phase::RollingBack
            )
    }

    /// Ends the work under way. What blocks goes on to its end, and what it brings is dropped.
    pub(crate) fn stop_work(&mut self) {
        if let Some(work) = self.work.take() {
            work.abort();
        }
    }
}
