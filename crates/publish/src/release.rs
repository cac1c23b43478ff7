//! One release, from an artifact to what clients see.
//!
//! The order matters: files that nobody knows yet come first, then the index and the signed
//! metadata, the timestamp last. A command that is interrupted leaves nothing that a client
//! sees, and the same command given again goes on to the same bytes.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use moult_model::index::{Download, Encoding};
use moult_model::{BundleManifest, Channel, Digest, Index, Patch, Release, Subject, Version};
use serde::Serialize;

use crate::config::Workspace;
use crate::index_edit::{self, NOTES_LANGUAGE, Standing};
use crate::latest::{self, Latest};
use crate::output::{Size, seconds};
use crate::patches::{Made, Task};
use crate::progress::Progress;
use crate::repository::{Open, sign_error};
use crate::staging::{self, Outcome};
use crate::{PublishError, full_file};

/// What is released.
pub struct Artifact {
    /// What it is.
    pub subject: Subject,
    /// The target triple, for an executable.
    pub triple: Option<String>,
    /// Its version.
    pub version: Version,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A bundle's manifest.
    pub manifest: Option<BundleManifest>,
    /// The name an executable is signed under.
    pub file_name: String,
}

/// How it is released.
pub struct Terms {
    /// The channel it is offered on, and with it all that are less careful.
    pub channel: Channel,
    /// Release notes in Markdown.
    pub notes: Option<String>,
    /// Whether earlier versions should not be used any longer.
    pub critical: bool,
    /// Whether it is to wait for signatures instead of being published.
    pub stage: bool,
    /// When.
    pub now: Timestamp,
}

/// What was released.
#[derive(Debug, Serialize)]
pub struct Released {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    version: Version,
    digest: Digest,
    size: u64,
    full: FullFile,
    patches: Vec<ListedPatch>,
    /// Versions from which the full file is as small as a patch.
    left_out: Vec<Version>,
    channels: Vec<Channel>,
    /// Whether anything changed for clients.
    changed: bool,
    timestamp_version: u64,
    /// What it waits for, if it is not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct FullFile {
    path: String,
    size: u64,
}

#[derive(Debug, Serialize)]
struct ListedPatch {
    from_version: Version,
    path: String,
    size: u64,
    /// The patch's size over the full file's.
    ratio: f64,
}

/// Releases an artifact.
pub fn publish(
    workspace: &Workspace,
    artifact: &Artifact,
    terms: &Terms,
    progress: &Progress,
) -> Result<Released, PublishError> {
    let started = Instant::now();
    let channels = workspace.channels_from(&terms.channel)?;
    let mut open = Open::existing(workspace)?;
    let mut index = open.index(&artifact.subject, artifact.triple.as_deref())?;
    let digest = Digest::of(&artifact.bytes);
    let mut left_out = Vec::new();
    let changed = match index_edit::standing(&index, &artifact.version, &digest)? {
        Standing::Out => {
            let changed = index_edit::widen(&mut index, &artifact.version, &channels, terms);
            index_edit::fit(&mut index, &artifact.version)?;
            changed
        }
        Standing::New => {
            left_out = open.add(workspace, artifact, terms, channels, &mut index, progress)?;
            true
        }
    };
    progress.stage("signing");
    if changed {
        open.editor
            .set_index(&index)
            .map_err(sign_error("the index can't be added"))?;
    }
    let mut released = Released::of(&index, artifact, &digest, 0);
    if terms.stage && changed {
        released.outcome = Some(staging::stage(workspace, &mut open.editor, terms.now)?);
    } else {
        // Writes nothing when nothing changed.
        let committed = open
            .editor
            .commit(terms.now)
            .map_err(sign_error("the metadata can't be signed"))?;
        if artifact.subject == Subject::Executable {
            open.write_latest(workspace)?;
        }
        released.timestamp_version = committed.timestamp_version;
    }
    released.left_out = left_out;
    released.changed = changed;
    released.seconds = seconds(started);
    Ok(released)
}

impl Open {
    /// Writes the files of a new release and lists it in the index. Returns the versions from
    /// which a patch is not worth it.
    fn add(
        &self,
        workspace: &Workspace,
        artifact: &Artifact,
        terms: &Terms,
        channels: Vec<Channel>,
        index: &mut Index,
        progress: &Progress,
    ) -> Result<Vec<Version>, PublishError> {
        let targets = self.folder.join("targets");
        let triple = artifact.triple.as_deref().unwrap_or_default();
        let folder = artifact.subject.folder(triple);
        moult_durable::create_dir_all(&targets.join(&folder).join("files"))?;

        progress.stage("compressing");
        let packed = full_file::compress(&artifact.bytes)?;
        let full = download(&folder, "zst", &packed);
        moult_durable::write_atomic(&targets.join(&full.path), &packed)?;
        let digest = Digest::of(&artifact.bytes);
        let signature = match artifact.subject {
            // Whoever has the key signs it: `moult sign` adds the signature.
            Subject::Executable if terms.stage && !self.keys.has_minisign() => {
                let raw = targets.join(latest::raw_path(triple, &digest));
                moult_durable::write_atomic(&raw, &artifact.bytes)?;
                None
            }
            Subject::Executable => {
                let raw = targets.join(latest::raw_path(triple, &digest));
                moult_durable::write_atomic(&raw, &artifact.bytes)?;
                let signed = self
                    .keys
                    .sign_artifact(&artifact.bytes, &artifact.version, &artifact.file_name);
                Some(signed.map_err(sign_error("the executable can't be signed"))?)
            }
            Subject::Shell | Subject::Widget(_) => None,
        };

        let bases = index_edit::bases(index, &artifact.version, workspace.config().patches.versions_back);
        let task = Task {
            repository: &self.folder,
            folder: workspace.patches().join(&folder),
            bases: &bases,
            version: &artifact.version,
            artifact: &artifact.bytes,
        };
        if !bases.is_empty() {
            moult_durable::create_dir_all(&task.folder)?;
            progress.steps("making patches", bases.len());
        }
        let made = task.run(progress)?;
        let (worth, useless): (Vec<_>, Vec<_>) = made
            .into_iter()
            .partition(|made| (made.bytes.len() as u64) < full.size);

        let patches = worth.iter().map(|made| listed(&folder, made, digest)).collect();
        let release = release_of(artifact, terms, channels, full, signature);
        index_edit::add(index, release, patches);
        index_edit::fit(index, &artifact.version)?;
        write_patches(&targets, &folder, &worth, index)?;
        Ok(useless.into_iter().map(|made| made.from_version).collect())
    }

    /// Writes what a stock Tauri updater reads, for each channel. These files follow from the
    /// indexes alone, so writing them again repairs what an interrupted command left out.
    pub(crate) fn write_latest(&self, workspace: &Workspace) -> Result<(), PublishError> {
        let config = workspace.config();
        let indexes = config
            .targets
            .iter()
            .map(|triple| self.index(&Subject::Executable, Some(triple)));
        let indexes: Vec<Index> = indexes.collect::<Result<_, _>>()?;
        let folder = self.folder.join("latest");
        moult_durable::create_dir_all(&folder)?;
        for channel in &config.channels {
            let Some(latest) = Latest::of(&indexes, channel, &config.repository.url) else {
                continue;
            };
            let mut text = serde_json::to_vec_pretty(&latest).map_err(|source| PublishError::Encode {
                what: "latest.json",
                source,
            })?;
            text.push(b'\n');
            moult_durable::write_atomic(&folder.join(format!("{channel}.json")), &text)?;
        }
        Ok(())
    }
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
        policy: moult_model::ReleasePolicy::default(),
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

impl Released {
    /// What the index says of the artifact.
    fn of(index: &Index, artifact: &Artifact, digest: &Digest, timestamp_version: u64) -> Self {
        let release = index.release_of(digest);
        let full = release.map(|release| release.full.clone());
        let (path, full_size) = full.map_or((String::new(), 0), |full| (full.path, full.size));
        let listed = |patch: &Patch| {
            let from_version = index.release_of(&patch.from)?.version.clone();
            let ratio = (patch.size as f64 / full_size as f64 * 1e4).round() / 1e4;
            Some(ListedPatch {
                from_version,
                path: patch.path.clone(),
                size: patch.size,
                ratio,
            })
        };
        Self {
            subject: artifact.subject.clone(),
            triple: artifact.triple.clone(),
            version: artifact.version.clone(),
            digest: *digest,
            size: artifact.bytes.len() as u64,
            full: FullFile {
                path,
                size: full_size,
            },
            patches: index
                .patches
                .iter()
                .filter(|patch| patch.to == *digest)
                .filter_map(listed)
                .collect(),
            left_out: Vec::new(),
            channels: release
                .map(|release| release.channels.clone())
                .unwrap_or_default(),
            changed: false,
            timestamp_version,
            outcome: None,
            seconds: 0.0,
        }
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self
            .channels
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let target = self
            .triple
            .as_ref()
            .map(|triple| format!(" for {triple}"))
            .unwrap_or_default();
        let done = if self.outcome.is_some() {
            "staged"
        } else if self.changed {
            "published"
        } else {
            "already published:"
        };
        writeln!(
            f,
            "{done} {} {}{target} on {channels}",
            self.subject, self.version
        )?;
        writeln!(f, "  artifact   {:>10}  sha256 {}", Size(self.size), self.digest)?;
        writeln!(
            f,
            "  full file  {:>10}  targets/{}",
            Size(self.full.size),
            self.full.path
        )?;
        for patch in &self.patches {
            let share = patch.ratio * 100.0;
            let from = &patch.from_version;
            writeln!(
                f,
                "  patch      {:>10}  from {from}, {share:.1} % of the full file",
                Size(patch.size)
            )?;
        }
        for version in &self.left_out {
            writeln!(
                f,
                "  no patch               from {version}: it would not be smaller than the full file"
            )?;
        }
        match &self.outcome {
            Some(outcome) => write!(f, "{outcome}"),
            None => write!(f, "  timestamp  {:>10}", self.timestamp_version),
        }
    }
}
