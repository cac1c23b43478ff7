//! Brings what is believed up to date, and hands out what follows from it. It refuses to know how
//! files travel and what an update is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::rollout::Orders;
use moult_model::{ErrorCode, Index, Subject};
use serde::Serialize;
use sigstore_tuf::{TargetFile, Updater};

use crate::authentic::Authentic;
use crate::error::TrustError;
use crate::floor::{Floor, check_key_sets};
use crate::floors::{FloorOrigin, Floors};
use crate::index;
use crate::orders;
use crate::source::{SharedSource, Source};
use crate::store::Store;
use crate::transport::Transport;

/// What is compiled into the application and believed without being verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// A root metadata file, byte for byte.
    pub root: Vec<u8>,
    /// The versions that were current when the application was built.
    pub floor: Floor,
    /// The minisign public key for executables, base64 as Tauri's updater configuration has it.
    pub minisign: String,
}

/// Verifies one repository, and remembers in its folder what it has believed.
pub struct Client {
    root: Vec<u8>,
    directory: PathBuf,
    transport: Arc<dyn Transport>,
    store: Arc<Store>,
    floors: Floors,
    current: Option<Current>,
    last: ErrorCode,
}

/// What the last good refresh led to.
struct Current {
    updater: Updater,
    source: Arc<Source>,
}

/// What a refresh found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// Whether the repository's contents or its root are others than those believed before. It says
    /// nothing about whether an index was read since.
    pub changed: bool,
    /// The version of the timestamp role.
    pub timestamp_version: u64,
    /// When this must be refreshed at the latest: from then on nothing is handed out.
    pub expires: Timestamp,
}

/// What this computer believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beliefs {
    /// The version of the root that the last good refresh of this process ended with.
    pub root: Option<u64>,
    /// The version of the timestamp it ended with.
    pub timestamp: Option<u64>,
    /// The version of the snapshot it ended with.
    pub snapshot: Option<u64>,
    /// When that timestamp expires.
    pub expires: Option<Timestamp>,
    /// The lowest versions that will be believed again.
    pub floor: Floor,
    /// Where the floor came from when the client was opened.
    pub floor_origin: FloorOrigin,
    /// Why the floor on disk could not be read, if it could not.
    pub floor_problem: Option<String>,
}

impl Client {
    /// Opens a client that keeps what it believes in `directory`, which is made if it is missing.
    ///
    /// Nothing is fetched. A floor that can't be read is no error: see [`Beliefs::floor_origin`].
    pub fn open(
        anchor: &Anchor,
        transport: Arc<dyn Transport>,
        directory: &Path,
    ) -> Result<Self, TrustError> {
        sigstore_tuf::TrustedMetadataSet::from_root(&anchor.root).map_err(|source| TrustError::Anchor {
            source: source.into(),
        })?;
        moult_durable::create_dir_all(directory).map_err(|source| TrustError::Folder {
            path: directory.to_owned(),
            source,
        })?;
        Ok(Self {
            root: anchor.root.clone(),
            directory: directory.to_owned(),
            transport,
            store: Arc::new(Store::new(directory.join("metadata"))),
            floors: Floors::open(directory, anchor.floor.clone()),
            current: None,
            last: ErrorCode::Internal,
        })
    }

    /// Fetches what is new, verifies it and writes the floor; then it is believed.
    ///
    /// A check that finds nothing costs two requests: the next root, which is not there, and the timestamp,
    /// which is not modified. After an error what the last good refresh of this process found is still
    /// handed out until it expires, except after [`TrustError::FloorNotWritten`].
    pub async fn refresh(&mut self, now: Timestamp) -> Result<Refreshed, TrustError> {
        let outcome = self.bring_up_to_date(now).await;
        self.judge(outcome)
    }

    /// The index of a subject, through the role that may sign it. `triple` is the Rust target triple and
    /// matters to the executable alone.
    ///
    /// An index that has not changed since it was last read costs no request.
    pub async fn index(
        &mut self,
        subject: &Subject,
        triple: &str,
        now: Timestamp,
    ) -> Result<Authentic<Index>, TrustError> {
        let path = subject.index_path(triple);
        let located = self.locate(&path, now).await;
        let (target, source) = self.judge(located)?;
        let cache = self.directory.join("indexes");
        let bytes = index::read(&source, &cache, &path, &target, subject).await?;
        index::check(&bytes, subject, triple).map(Authentic::new)
    }

    /// What the role `rollout` orders; none if it lists no orders. An order names artifacts alone and can only take away: what a release
    /// lets be done with it stands in the index.
    ///
    /// Orders that have not changed since they were last read cost no request. [`TrustError::Orders`] says that they can't be obeyed as
    /// a whole: whoever has obeyed others before goes on with those.
    pub async fn orders(&mut self, now: Timestamp) -> Result<Authentic<Orders>, TrustError> {
        match self.locate(Orders::PATH, now).await {
            Ok((target, _)) => orders::check(target.custom.as_ref()).map(Authentic::new),
            // Nothing is listed; but that the role says so, and not somebody who keeps it away.
            Err(TrustError::NotPublished { .. }) if self.has_loaded(orders::ROLE) => {
                let orders = Orders {
                    format: Orders::FORMAT,
                    orders: Vec::new(),
                };
                Ok(Authentic::new(orders))
            }
            Err(TrustError::NotPublished { .. }) => self.judge(Err(TrustError::invalid(
                "the metadata of the role rollout is kept away",
            ))),
            Err(error) => self.judge(Err(error)),
        }
    }

    /// A target of any name, whole, through the role that may sign it. The application reads indexes alone; this is how the
    /// conformance suite downloads.
    ///
    /// One whose bytes lie in the folder and are the signed ones costs no request.
    #[cfg(feature = "conformance")]
    pub async fn target(&mut self, path: &str, now: Timestamp) -> Result<Authentic<Vec<u8>>, TrustError> {
        let located = self.locate(path, now).await;
        let (target, _) = self.judge(located)?;
        let Some(Current { updater, .. }) = &self.current else {
            return Err(TrustError::NotRefreshed { last: self.last });
        };
        if let Some(bytes) = updater.find_cached_target(&target, path) {
            return Ok(Authentic::new(bytes));
        }
        let fetched = updater.download_target(&target, path).await;
        // A copy that was not kept is fetched again; nothing is believed because of it.
        self.store.take_error();
        fetched.map(Authentic::new).map_err(TrustError::from_core)
    }

    /// What this computer believes.
    pub fn beliefs(&self) -> Beliefs {
        let trusted = self.current.as_ref().map(|current| current.updater.trusted());
        let timestamp = trusted.and_then(|trusted| trusted.timestamp());
        Beliefs {
            root: trusted.map(|trusted| trusted.root().version),
            timestamp: timestamp.map(|role| role.version),
            snapshot: trusted
                .and_then(|trusted| trusted.snapshot())
                .map(|role| role.version),
            expires: timestamp.map(|role| role.expires),
            floor: self.floors.effective(),
            floor_origin: self.floors.origin(),
            floor_problem: self.floors.problem(),
        }
    }

    async fn bring_up_to_date(&mut self, now: Timestamp) -> Result<Refreshed, TrustError> {
        let current = match self.load(now, false).await {
            // What the store holds may be torn. The repository may still be right.
            Err((TrustError::Invalid { .. }, source)) if source.served_from_store() => {
                self.load(now, true).await.map_err(|(error, _)| error)?
            }
            outcome => outcome.map_err(|(error, _)| error)?,
        };
        let trusted = current.updater.trusted();
        check_key_sets(trusted, |_| true)?;
        let seen = Floor::of_top_level(trusted);
        self.floors.admit(&seen)?;
        self.floors.admit_snapshot(trusted)?;
        let timestamp = trusted
            .timestamp()
            .ok_or_else(|| TrustError::invalid("there is no timestamp"))?;
        let before = self.floors.effective();
        let changed = ["root", "snapshot"]
            .iter()
            .any(|role| before.version(role) != seen.version(role));
        let refreshed = Refreshed {
            changed: changed || self.floors.is_new(),
            timestamp_version: timestamp.version,
            expires: timestamp.expires,
        };
        self.floors.raise(seen)?;
        current.source.keep_tag();
        self.current = Some(current);
        Ok(refreshed)
    }

    /// Runs the verification core on what is stored and what is served.
    async fn load(&self, now: Timestamp, network_only: bool) -> Result<Current, (TrustError, Arc<Source>)> {
        // What a call that was cancelled left behind is no failure of this one.
        self.store.take_error();
        let source = Arc::new(Source::new(
            self.transport.clone(),
            self.store.clone(),
            network_only,
        ));
        let outcome = match Updater::new(SharedSource(source.clone()), &self.root) {
            Ok(updater) => {
                let mut updater = updater.with_store(self.store.clone());
                updater.refresh(now).await.map(|()| updater)
            }
            Err(error) => Err(error),
        };
        match (self.store.take_error(), outcome) {
            (Some(error), _) => Err((TrustError::FloorNotWritten { source: error }, source)),
            (None, Ok(updater)) => Ok(Current { updater, source }),
            (None, Err(error)) => Err((TrustError::from_core(error), source)),
        }
    }

    /// Finds who lists a target, down the delegations.
    async fn locate(&mut self, path: &str, now: Timestamp) -> Result<(TargetFile, Arc<Source>), TrustError> {
        let Some(Current { updater, source }) = &mut self.current else {
            return Err(TrustError::NotRefreshed { last: self.last });
        };
        source.set_network_only(false);
        let mut found = updater
            .get_target_info(path, now)
            .await
            .map_err(TrustError::from_core);
        if matches!(found, Err(TrustError::Invalid { .. })) && source.served_from_store() {
            source.set_network_only(true);
            found = updater
                .get_target_info(path, now)
                .await
                .map_err(TrustError::from_core);
        }
        if let Some(source) = self.store.take_error() {
            return Err(TrustError::FloorNotWritten { source });
        }
        let found = found?;
        // Only the roles on the way to this path: what is wrong with one publisher is no other's business.
        let follow = |role: &sigstore_tuf::DelegatedRole| role.matches_path(path).unwrap_or(false);
        check_key_sets(updater.trusted(), follow)?;
        let seen = Floor::of_delegated(updater.trusted(), |_, role| follow(role));
        self.floors.admit(&seen)?;
        self.floors.raise(seen)?;
        let target = found.ok_or_else(|| TrustError::NotPublished {
            path: path.to_owned(),
        })?;
        Ok((target, source.clone()))
    }

    fn has_loaded(&self, role: &str) -> bool {
        let trusted = self.current.as_ref().map(|current| current.updater.trusted());
        trusted.is_some_and(|trusted| trusted.targets_role(role).is_some())
    }

    /// Withdraws everything if the disk does not hold what was believed.
    fn judge<T>(&mut self, outcome: Result<T, TrustError>) -> Result<T, TrustError> {
        if let Err(error) = &outcome {
            self.last = error.code();
            if matches!(error, TrustError::FloorNotWritten { .. }) {
                self.current = None;
            }
        }
        outcome
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}
