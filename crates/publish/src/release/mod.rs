//! Releases, from artifacts to what clients see.
//!
//! The order matters: what is to be published is looked over before any key is used; files that nobody knows yet come first,
//! then the index and the signed metadata, the timestamp last, and then the store in the same order. A command that is
//! interrupted leaves nothing that a client sees, and the same command given again goes on to the same bytes.

mod artifact;
mod prepare;
mod report;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use moult_model::{BundleManifest, Channel, Digest, Index, ReleasePolicy, Subject, Version};

use crate::cli::{ExtentArgs, OfferArgs};
use crate::config::Workspace;
use crate::index_edit::{self, Standing};
use crate::output::seconds;
use crate::progress::Progress;
use crate::repository::{Open, sign_error};
use crate::{PublishError, gate, offer, sbom, staging, verify};
pub use artifact::{bundle, executable};
pub(crate) use prepare::write_latest;
use prepare::{Plan, prepare};
pub use report::{Published, Released};

/// What is released.
#[derive(Clone, Debug)]
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
    /// The file or folder that it was made from.
    pub origin: PathBuf,
}

/// How it is released.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The channel it is offered on, and with it all that are less careful.
    pub channel: Channel,
    /// Release notes in Markdown.
    pub notes: Option<String>,
    /// Whether earlier versions should not be used any longer.
    pub critical: bool,
    /// Who may have it.
    pub offer: OfferArgs,
    /// How far it goes.
    pub extent: ExtentArgs,
    /// When.
    pub now: Timestamp,
}

/// Releases artifacts in one step: clients see all of them or none. What is out already with the same bytes is left as it is.
pub fn publish(
    workspace: &Workspace,
    artifacts: &[Artifact],
    terms: &Terms,
    progress: &Progress,
) -> Result<Published, PublishError> {
    let started = Instant::now();
    let channels = workspace.channels_from(&terms.channel)?;
    progress.stage("looking over what is to be published");
    gate::check(workspace, artifacts, progress)?;
    let bills = sbom::of_artifacts(workspace, artifacts, terms.now)?;

    let mut open = if terms.extent.dry_run {
        Open::existing(workspace)?
    } else {
        Open::to_change(workspace, terms.now, progress)?
    };
    let mut plans = Vec::new();
    for artifact in artifacts {
        plans.push(plan(&open, workspace, artifact, terms, &channels)?);
    }
    let prepared = prepare(&open.folder, workspace, &plans, terms, progress)?;
    let mut published = Published::new(terms.extent.dry_run);
    let mut touched: BTreeSet<(Subject, Option<String>)> = BTreeSet::new();
    for ((plan, prepared), bill) in plans.into_iter().zip(prepared).zip(bills) {
        let key = (plan.artifact.subject.clone(), plan.artifact.triple.clone());
        if !touched.insert(key) {
            return Err(PublishError::Twice {
                subject: Box::new(plan.artifact.subject.clone()),
            });
        }
        let released = open.stage(plan, prepared, bill, terms, &channels, progress)?;
        published.releases.push(released);
    }
    if terms.extent.dry_run {
        published.seconds = seconds(started);
        return Ok(published);
    }
    progress.stage("signing");
    if terms.extent.stage && published.releases.iter().any(|released| released.changed) {
        for released in &mut published.releases {
            released.staged = true;
        }
        published.outcome = Some(staging::stage(workspace, &mut open.editor, terms.now)?);
        published.seconds = seconds(started);
        return Ok(published);
    }
    // Writes nothing when nothing changed.
    let committed = open
        .editor
        .commit(terms.now)
        .map_err(sign_error("the metadata can't be signed"))?;
    for released in &mut published.releases {
        released.timestamp_version = committed.timestamp_version;
    }
    if artifacts
        .iter()
        .any(|artifact| artifact.subject == Subject::Executable)
    {
        write_latest(&open, workspace, terms.now)?;
    }
    published.pushed = open.finish(!terms.extent.no_push, &[], progress)?;
    published.seconds = seconds(started);
    Ok(published)
}

/// What is to be done with an artifact.
fn plan<'a>(
    open: &Open,
    workspace: &Workspace,
    artifact: &'a Artifact,
    terms: &Terms,
    channels: &[Channel],
) -> Result<Plan<'a>, PublishError> {
    let mut index = open.index(&artifact.subject, artifact.triple.as_deref())?;
    let digest = Digest::of(&artifact.bytes);
    let standing = index_edit::standing(&index, &artifact.version, &digest)?;
    let before = index.release_of(&digest).map(|release| release.policy.clone());
    let defaults = &workspace.config().rollout;
    let mut policy = offer::policy_of(
        &index,
        &digest,
        before.as_ref(),
        &terms.offer,
        defaults,
        terms.now,
    )?;
    let mut changed = true;
    let bases = match standing {
        Standing::Out => {
            changed = index_edit::widen(&mut index, &artifact.version, channels, terms);
            changed |= index_edit::set_policy(&mut index, &artifact.version, &policy);
            Vec::new()
        }
        Standing::New => {
            let count = workspace.config().patches.versions_back;
            if policy.recall_to.is_empty() {
                policy.recall_to = recallable(&index, &artifact.version, &policy);
            }
            index_edit::bases(&index, &artifact.version, count)
        }
    };
    Ok(Plan {
        artifact,
        index,
        digest,
        policy,
        is_new: standing == Standing::New,
        changed,
        bases,
    })
}

/// Where an order may send it back to if nobody says otherwise: the newest version below it that reads its data.
fn recallable(index: &Index, version: &Version, policy: &ReleasePolicy) -> Vec<Digest> {
    let schema = policy.data_schema.map_or(0, |schema| schema.writes);
    let is_below_hole = |version: &Version| policy.min_secure.as_ref().is_some_and(|secure| version < secure);
    let found = index.releases.iter().find(|release| {
        let reads = release.policy.data_schema;
        release.version < *version
            && !release.policy.held
            && release.policy.recalled.is_none()
            && !is_below_hole(&release.version)
            && reads.map_or(schema == 0, |reads| reads.reads(schema))
    });
    found.map(|release| release.digest).into_iter().collect()
}

impl Open {
    /// Writes the files of a release and lists it. The index waits for the commit.
    fn stage(
        &mut self,
        plan: Plan<'_>,
        prepared: Option<prepare::Prepared>,
        bill: Option<Vec<u8>>,
        terms: &Terms,
        channels: &[Channel],
        progress: &Progress,
    ) -> Result<Released, PublishError> {
        let Plan {
            artifact,
            mut index,
            digest,
            policy,
            changed,
            ..
        } = plan;
        let mut left_out = Vec::new();
        if let Some(prepared) = prepared {
            left_out = self.list(artifact, &mut index, prepared, policy, bill, terms, channels)?;
        }
        index_edit::fit(&mut index, &artifact.version)?;
        if changed && !terms.extent.dry_run {
            if !terms.extent.no_verify {
                progress.stage("replaying the ways to it");
                verify::ways_to(&self.folder, &index, &digest)?;
            }
            self.editor
                .set_index(&index)
                .map_err(sign_error("the index can't be added"))?;
        }
        let mut released = Released::of(&index, artifact, &digest, 0, terms.now);
        released.left_out = left_out;
        released.changed = changed;
        released.dry_run = terms.extent.dry_run;
        Ok(released)
    }
}
