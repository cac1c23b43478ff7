//! Performs what the machine asks for. Each piece of work is a future that brings one result; it
//! refuses to know what follows from it.

mod swap;

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use moult_boot::{BundleStore, Store};
use moult_delta::ApplyError;
use moult_model::{Digest, ErrorCode, Subject};
use tokio::time::Instant;

use crate::artifact::{AuthenticRelease, Demands, PatchFailure, Rebuilt, Staged, Verified};
use crate::error::{UpdateError, chain};
use crate::fetch::pace::Pace;
use crate::fetch::{Fetched, Fetcher, Limits, Pinned, Repository, blocking};
use crate::host::{Host, StagedBundle, StagedExecutable};
use crate::job::{Brought, Downloads};
use crate::machine::{Blame, Decision, Event, Fault, Withdrawal};
use crate::plan::{Base, Edge};
use crate::words::Room;

/// Everything that work needs.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) store: Arc<Store>,
    pub(crate) bundles: Arc<BundleStore>,
    pub(crate) repository: Arc<Repository>,
    pub(crate) host: Arc<dyn Host>,
    /// The limits of downloads, if they and the repository's follow the settings.
    pub(crate) download_limits: Option<Limits>,
    pub(crate) minisign: Arc<str>,
    pub(crate) host_api: u32,
}

/// What the work is told on its way.
pub(crate) type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Runs work to its end. A panic in it, or in the host, is a fault like any other.
pub(crate) async fn guarded(work: impl Future<Output = Brought>) -> Brought {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        Brought::failed(Fault::of(ErrorCode::Internal, "a piece of work ended by a panic"))
    })
}

impl Tools {
    /// Fetches one download.
    pub(crate) async fn fetch(self, edge: Edge, size_after: u64, tell: Tell) -> Brought {
        tell(Event::FetchBegun);
        let path = format!("targets/{}", edge.path());
        let pinned = Pinned {
            path,
            digest: *edge.digest(),
            size: edge.bytes(),
        };
        let fetched = match self.repository.mirrors() {
            Ok(mirrors) => {
                let meter = Meter::new();
                let progress = |bytes| {
                    let per_second = meter.per_second(bytes);
                    tell(Event::Progress { bytes, per_second });
                };
                let fetcher = Fetcher::new(mirrors, self.store.staging());
                match self.download_limits {
                    Some(limits) => fetcher.with_limits(limits),
                    None => fetcher,
                }
                .fetch(&pinned, &progress)
                .await
            }
            Err(error) => Err(error),
        };
        match fetched {
            Ok(fetched) => Brought::Fetched(fetched, edge),
            Err(error) => {
                let needed = edge.bytes().saturating_add(size_after);
                let blame = Blame::Edge(*edge.digest());
                Brought::failed(self.fault(&error, needed).blaming(blame))
            }
        }
    }

    /// Makes the artifact from what was fetched.
    pub(crate) async fn rebuild(
        self,
        release: AuthenticRelease,
        base: Option<PathBuf>,
        fetched: Downloads,
        to: PathBuf,
    ) -> Brought {
        let needed = release.size;
        let outcome = blocking(move || Ok(rebuild(&release, base.as_deref(), &fetched, &to))).await;
        match outcome {
            Ok(Ok(rebuilt)) => Brought::Rebuilt(rebuilt),
            Ok(Err((blame, error))) => {
                let mut fault = self.fault(&error, needed).blaming(blame);
                if blame == Blame::Base {
                    // The installed file is at fault, whatever it is; the disk goes on to be used.
                    fault.code = ErrorCode::PatchFailed;
                }
                Brought::failed(fault)
            }
            Err(error) => Brought::failed(self.fault(&error, needed)),
        }
    }

    /// Rebuilds and stages: another try after one that failed at the end.
    pub(crate) async fn rebuild_and_stage(
        self,
        release: AuthenticRelease,
        base: Option<PathBuf>,
        fetched: Downloads,
        to: PathBuf,
        only: Option<Digest>,
    ) -> Brought {
        match self.clone().rebuild(release.clone(), base, fetched, to).await {
            Brought::Rebuilt(rebuilt) => self.stage(rebuilt, release, only).await,
            failed => failed,
        }
    }

    /// Verifies the artifact and puts it into its store.
    pub(crate) async fn stage(
        self,
        rebuilt: Rebuilt,
        release: AuthenticRelease,
        only: Option<Digest>,
    ) -> Brought {
        let tools = self.clone();
        let needed = release.size;
        match blocking(move || tools.verify_and_stage(rebuilt, &release)).await {
            Ok(staged) => Brought::Staged(staged),
            Err(error) => {
                let blame = match (&error, only) {
                    (UpdateError::NotTheRelease { .. }, Some(digest)) => Blame::Edge(digest),
                    _ => Blame::Nothing,
                };
                Brought::failed(self.fault(&error, needed).blaming(blame))
            }
        }
    }

    /// Verifies a kept artifact like a new one, if its release is known; else only that it is whole.
    pub(crate) async fn recheck(
        self,
        subject: Subject,
        digest: Digest,
        release: Option<AuthenticRelease>,
        to: PathBuf,
    ) -> Brought {
        let tools = self.clone();
        let outcome = blocking(move || {
            let (kept, staged) = tools.kept(&subject, &digest)?;
            match release {
                Some(release) => {
                    let rebuilt = Rebuilt::copy_of(&kept, &release, &to)?;
                    tools.verify_and_stage(rebuilt, &release)
                }
                None => hash_of(&kept)
                    .map(|found| (found == digest).then_some(staged))
                    .and_then(|staged| {
                        staged.ok_or_else(|| UpdateError::Corrupt {
                            url: kept.display().to_string(),
                        })
                    }),
            }
        })
        .await;
        match outcome {
            Ok(staged) => Brought::Staged(staged),
            // Whatever is wrong with a kept file, a new one is right.
            Err(error) => {
                let code = match error.code() {
                    ErrorCode::DiskFull | ErrorCode::SignatureInvalid | ErrorCode::BundleInvalid => {
                        error.code()
                    }
                    _ => ErrorCode::FileCorrupt,
                };
                Brought::failed(Fault::of(code, chain(&error)))
            }
        }
    }

    /// Has a bundle's logic prove itself beside the live one's. One that answers otherwise is never tried again.
    pub(crate) async fn rehearse(self, bundle: StagedBundle) -> Brought {
        Brought::Event(match self.host.rehearse(bundle).await {
            Ok(()) => Event::Decided(Decision::Now),
            Err(detail) => Event::Refused(Withdrawal {
                code: ErrorCode::AnswersDiffer,
                detail,
                ban: true,
            }),
        })
    }

    /// Asks when an executable takes over.
    pub(crate) async fn ask(self, executable: StagedExecutable) -> Brought {
        let decision = self.host.activate_executable(executable).await;
        Brought::Event(Event::Decided(decision))
    }

    fn verify_and_stage(&self, rebuilt: Rebuilt, release: &AuthenticRelease) -> Result<Staged, UpdateError> {
        let demands = Demands {
            minisign: &self.minisign,
            host_api: self.host_api,
        };
        let verified = Verified::check(rebuilt, release, demands)?;
        match release.subject() {
            Subject::Executable => verified.into_slot(&self.store),
            Subject::Shell | Subject::Widget(_) => verified.into_bundle(&self.bundles),
        }
    }

    /// Where a kept artifact is.
    fn kept(&self, subject: &Subject, digest: &Digest) -> Result<(PathBuf, Staged), UpdateError> {
        if *subject == Subject::Executable {
            let state = self.store.state()?;
            let slot = state.slots.iter().find(|slot| slot.digest == *digest);
            let slot = slot.ok_or(UpdateError::Abandoned)?.name.clone();
            return Ok((self.store.executable(&slot), Staged::Executable { slot }));
        }
        let path = self.bundles.path(digest);
        Ok((path.clone(), Staged::Bundle { path }))
    }

    /// An error as the machine understands it. `needed` are the bytes that a full disk lacked.
    pub(crate) fn fault(&self, error: &UpdateError, needed: u64) -> Fault {
        let code = error.code();
        let mut fault = Fault::of(code, chain(error));
        if code == ErrorCode::DiskFull {
            fault.room = Some(Room {
                needed,
                free: free_bytes(self.store.staging()),
            });
        }
        tracing::warn!(?code, error = fault.detail, "a step failed");
        fault
    }
}

/// Whether an artifact is kept on this computer.
pub(crate) fn is_kept(store: &Store, bundles: &BundleStore, subject: &Subject, digest: &Digest) -> bool {
    let listed = match subject {
        Subject::Executable => store
            .state()
            .is_ok_and(|state| state.slots.iter().any(|slot| slot.digest == *digest)),
        _ => bundles
            .subject(subject)
            .is_ok_and(|slots| slots.installed(digest).is_some()),
    };
    listed && (*subject == Subject::Executable || bundles.path(digest).exists())
}

/// The bundle that runs, as what patches start from.
pub(crate) fn base_of(bundles: &BundleStore, subject: &Subject) -> Result<Option<Base>, UpdateError> {
    let current = bundles.subject(subject)?.current;
    Ok(current.map(|installed| Base {
        version: installed.version,
        digest: installed.digest,
    }))
}

/// The pace of one download, from how many of its bytes are there.
struct Meter {
    began: Instant,
    seen: Mutex<(Pace, Option<u64>)>,
}

impl Meter {
    /// What is looked at.
    const WINDOW: Duration = Duration::from_secs(10);

    fn new() -> Self {
        let pace = Pace::new(Self::WINDOW, Duration::ZERO);
        Self {
            began: Instant::now(),
            seen: Mutex::new((pace, None)),
        }
    }

    /// Bytes per second, now that so many are there; 0 while that is not known.
    fn per_second(&self, there: u64) -> u64 {
        let now = self.began.elapsed();
        let (pace, before) = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What was there at the beginning came at another time.
        let came = before.map_or(0, |before| there.saturating_sub(before));
        *before = Some(there);
        pace.add(came, now);
        if now < Duration::from_secs(1) {
            return 0;
        }
        pace.so_far(now)
    }
}

fn rebuild(
    release: &AuthenticRelease,
    base: Option<&Path>,
    fetched: &[(Fetched, Edge)],
    to: &Path,
) -> Result<Rebuilt, (Blame, Box<UpdateError>)> {
    if let [(file, edge @ Edge::Full { .. })] = fetched {
        let unpacked = Rebuilt::unpack(file, release, to);
        return unpacked.map_err(|error| (Blame::Edge(*edge.digest()), Box::new(error)));
    }
    let base = base.ok_or_else(|| (Blame::Base, Box::new(UpdateError::Abandoned)))?;
    Rebuilt::patch(base, fetched, to).map_err(|PatchFailure { place, error }| {
        let of_base = match &*error {
            UpdateError::Apply {
                source: ApplyError::WrongBase { .. } | ApplyError::Old(_),
                ..
            } => true,
            UpdateError::Disk { path, .. } => path == base,
            _ => false,
        };
        let blame = match fetched.get(place) {
            _ if of_base && place == 0 => Blame::Base,
            Some((_, edge)) => Blame::Edge(*edge.digest()),
            None => Blame::Nothing,
        };
        (blame, error)
    })
}

fn hash_of(path: &Path) -> Result<Digest, UpdateError> {
    let mut file = fs::File::open(path).map_err(UpdateError::disk("opened", path))?;
    Ok(Digest::of_reader(&mut file)
        .map_err(UpdateError::disk("read", path))?
        .0)
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}
