//! The long part of a release: compressing it and making its patches, on all cores. What comes of it is written and listed
//! afterwards, in the order of the command line, so that the bytes don't depend on which ended first.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use moult_durable::DurableError;
use moult_model::index::{Download, Encoding};
use moult_model::{Channel, Digest, Index, Patch, Release, ReleasePolicy, Subject, Version};

use super::{Artifact, Terms};
use crate::config::Workspace;
use crate::index_edit::{self, NOTES_LANGUAGE};
use crate::latest::{self, Latest};
use crate::patches::{Made, Task};
use crate::progress::Progress;
use crate::repository::{Open, sign_error};
use crate::{PublishError, full_file};

/// How many artifacts are prepared at a time.
const THREADS: usize = 2;

/// What is to be done with an artifact.
pub(super) struct Plan<'a> {
    pub(super) artifact: &'a Artifact,
    /// The index as it is, or widened where the artifact is out already.
    pub(super) index: Index,
    pub(super) digest: Digest,
    pub(super) policy: ReleasePolicy,
    pub(super) is_new: bool,
    pub(super) changed: bool,
    /// The releases that patches start from.
    pub(super) bases: Vec<Release>,
}

/// What was made for a new release.
pub(super) struct Prepared {
    /// The full file.
    packed: Vec<u8>,
    patches: Vec<Made>,
}

/// Prepares what is new. Nothing for what is out already.
pub(super) fn prepare(
    repository: &Path,
    workspace: &Workspace,
    plans: &[Plan<'_>],
    terms: &Terms,
    progress: &Progress,
) -> Result<Vec<Option<Prepared>>, PublishError> {
    // In a dry run patches are made nowhere that matters.
    let scratch = if terms.extent.dry_run {
        Some(tempfile::tempdir().map_err(|source| PublishError::FolderRead {
            path: std::env::temp_dir(),
            source,
        })?)
    } else {
        None
    };
    let patches = match &scratch {
        Some(scratch) => scratch.path().to_owned(),
        None => workspace.patches(),
    };
    let count = plans.iter().filter(|plan| plan.is_new).count();
    // Each artifact has threads of its own for its patches.
    let threads = THREADS.min(count);
    let steps = plans
        .iter()
        .map(|plan| plan.bases.len() + usize::from(plan.is_new));
    progress.steps("compressing and making patches", steps.sum());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, plan)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            plans.get(at).map(|plan| (at, plan))
        } {
            let result = plan.prepare(repository, &patches, threads < 2, progress);
            let failed = result.is_err();
            done.push((at, result));
            if failed {
                break;
            }
        }
        done
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

impl Plan<'_> {
    fn prepare(
        &self,
        repository: &Path,
        patches: &Path,
        is_alone: bool,
        progress: &Progress,
    ) -> Result<Option<Prepared>, PublishError> {
        if !self.is_new {
            return Ok(None);
        }
        let artifact = self.artifact;
        let folder = artifact
            .subject
            .folder(artifact.triple.as_deref().unwrap_or_default());
        let task = Task {
            repository,
            folder: patches.join(&folder),
            bases: &self.bases,
            version: &artifact.version,
            artifact: &artifact.bytes,
            is_alone,
        };
        if !self.bases.is_empty() {
            moult_durable::create_dir_all(&task.folder)?;
        }
        let compress = || {
            let packed = full_file::compress(&artifact.bytes);
            progress.advance();
            packed
        };
        // Compressing keeps one core busy, and most of a patch too.
        let (packed, made) = std::thread::scope(|scope| {
            let packed = scope.spawn(compress);
            let made = task.run(progress);
            match packed.join() {
                Ok(packed) => (packed, made),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        Ok(Some(Prepared {
            packed: packed?,
            patches: made?,
        }))
    }
}

impl Open {
    /// Writes the files of a new release and lists it in the index. Returns the versions from which a patch is not worth it.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of a release, and they meet here alone"
    )]
    pub(super) fn list(
        &self,
        artifact: &Artifact,
        index: &mut Index,
        prepared: Prepared,
        policy: ReleasePolicy,
        bill: Option<Vec<u8>>,
        terms: &Terms,
        channels: &[Channel],
    ) -> Result<Vec<Version>, PublishError> {
        let targets = self.folder.join("targets");
        let triple = artifact.triple.as_deref().unwrap_or_default();
        let folder = artifact.subject.folder(triple);
        let full = download(&folder, "zst", &prepared.packed);
        let digest = Digest::of(&artifact.bytes);
        let mut signature = None;
        if !terms.extent.dry_run {
            moult_durable::create_dir_all(&targets.join(&folder).join("files"))?;
            moult_durable::write_atomic(&targets.join(&full.path), &prepared.packed)?;
            if let Some(bill) = bill {
                let path = targets.join(crate::sbom::path(&folder, &digest));
                moult_durable::write_atomic(&path, &bill)?;
            }
        }
        if artifact.subject == Subject::Executable && !terms.extent.dry_run {
            let raw = targets.join(latest::raw_path(triple, &digest));
            moult_durable::write_atomic(&raw, &artifact.bytes)?;
            // Else whoever has the key signs it: `moult sign` adds the signature.
            if !terms.extent.stage || self.keys.has_minisign() {
                let signed = self
                    .keys
                    .sign_artifact(&artifact.bytes, &artifact.version, &artifact.file_name);
                signature = Some(signed.map_err(sign_error("the executable can't be signed"))?);
            }
        }
        let (worth, useless): (Vec<_>, Vec<_>) = prepared
            .patches
            .into_iter()
            .partition(|made| (made.bytes.len() as u64) < full.size);
        let patches = worth.iter().map(|made| listed(&folder, made, digest)).collect();
        let mut release = release_of(artifact, terms, channels.to_vec(), full, signature);
        release.policy = policy;
        index_edit::add(index, release, patches);
        index_edit::fit(index, &artifact.version)?;
        if !terms.extent.dry_run {
            write_patches(&targets, &folder, &worth, index)?;
        }
        Ok(useless.into_iter().map(|made| made.from_version).collect())
    }
}

/// Writes what a stock Tauri updater reads, for each channel. These files follow from the indexes and the time alone, so writing
/// them again repairs what an interrupted command left out, and follows the waves. Where nothing is for everybody there is no file.
pub(crate) fn write_latest(open: &Open, workspace: &Workspace, now: Timestamp) -> Result<(), PublishError> {
    let config = workspace.config();
    let indexes = config
        .targets
        .iter()
        .map(|triple| open.index(&Subject::Executable, Some(triple)));
    let indexes: Vec<Index> = indexes.collect::<Result<_, _>>()?;
    let folder = open.folder.join("latest");
    moult_durable::create_dir_all(&folder)?;
    for channel in &config.channels {
        let path = folder.join(format!("{channel}.json"));
        let Some(latest) = Latest::of(&indexes, channel, &config.repository.url, now) else {
            if path.exists() {
                moult_durable::fs::remove_file(&path)
                    .map_err(|source| DurableError::Remove { path, source })?;
            }
            continue;
        };
        let mut text = serde_json::to_vec_pretty(&latest).map_err(|source| PublishError::Encode {
            what: "latest.json",
            source,
        })?;
        text.push(b'\n');
        if std::fs::read(&path).is_ok_and(|old| old == text) {
            continue;
        }
        moult_durable::write_atomic(&path, &text)?;
    }
    Ok(())
}

fn download(folder: &str, extension: &str, packed: &[u8]) -> Download {
    let digest = Digest::of(packed);
    let path = format!("{folder}/files/{digest}.{extension}");
    Download {
        path,
        size: packed.len() as u64,
        digest,
        encoding: Encoding::Zstd,
    }
}

fn listed(folder: &str, made: &Made, to: Digest) -> Patch {
    let Download {
        path, size, digest, ..
    } = download(folder, "mpatch", &made.bytes);
    Patch {
        from: made.from,
        to,
        path,
        size,
        digest,
        format: made.format,
    }
}

/// Copies the patches into the repository that the index still lists.
fn write_patches(targets: &Path, folder: &str, made: &[Made], index: &Index) -> Result<(), PublishError> {
    for made in made {
        let path = download(folder, "mpatch", &made.bytes).path;
        if index.patches.iter().any(|patch| patch.path == path) {
            moult_durable::write_atomic(&targets.join(path), &made.bytes)?;
        }
    }
    Ok(())
}

fn release_of(
    artifact: &Artifact,
    terms: &Terms,
    channels: Vec<Channel>,
    full: Download,
    signature: Option<String>,
) -> Release {
    let manifest = artifact.manifest.as_ref();
    // Whole seconds: the text has one form, so that texts sort as times do.
    let published = terms
        .now
        .round(jiff::Unit::Second)
        .unwrap_or(terms.now)
        .to_string();
    let notes = terms
        .notes
        .iter()
        .map(|notes| (NOTES_LANGUAGE.to_owned(), notes.clone()));
    Release {
        version: artifact.version.clone(),
        channels,
        published,
        notes: notes.collect(),
        critical: terms.critical,
        policy: ReleasePolicy::default(),
        digest: Digest::of(&artifact.bytes),
        size: artifact.bytes.len() as u64,
        full,
        signature,
        host_api: manifest.map(|manifest| manifest.host_api),
        permissions: manifest
            .map(|manifest| manifest.permissions.clone())
            .unwrap_or_default(),
        state_schema: manifest
            .and_then(|manifest| manifest.state)
            .map(|state| state.schema),
    }
}
