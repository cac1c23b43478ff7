//! `moult recall`: withdraws a release. Those who have it go back; where only higher versions are installed, the old code is
//! published anew under one.

use std::fmt;

use moult_model::{Bundle, BundleManifest, Subject, Version};
use serde::Serialize;

use super::Context;
use super::offering::{Edit, Offered, Ordered, find, triples};
use crate::PublishError;
use crate::cli::{ExtentArgs, OfferArgs, RecallArgs};
use crate::config::Workspace;
use crate::full_file;
use crate::offer::{self, OfferError};
use crate::progress::Progress;
use crate::release::{self, Artifact, Published, Terms};
use crate::repository::Open;

#[derive(Serialize)]
struct Recalled {
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<Published>,
    recalled: Offered,
}

pub(super) fn run(context: &Context, args: &RecallArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let mut published = None;
    let mut to = args.to.clone();
    if let Some(version) = &args.roll_forward {
        let progress = Progress::on_terminal();
        let (artifacts, terms) = old_code(context, &workspace, args, version)?;
        published = Some(release::publish(&workspace, &artifacts, &terms, &progress)?);
        // In a dry run it is not there to be pointed at.
        to = (!args.dry_run).then(|| version.clone());
    }
    let edit = Edit {
        action: "recalled",
        release: &args.release,
        dry_run: args.dry_run,
        order: Some(Ordered {
            reason: args.reason.as_deref(),
        }),
    };
    let recalled = edit.apply(context, &workspace, &mut |index| {
        let (version, _, change) = offer::recall(index, &args.release.version, to.as_ref())?;
        Ok((change, Some(version)))
    })?;
    context.output.report(&Recalled { published, recalled })
}

/// The code that those who have the release go back to, under the higher version.
fn old_code(
    context: &Context,
    workspace: &Workspace,
    args: &RecallArgs,
    version: &Version,
) -> Result<(Vec<Artifact>, Terms), PublishError> {
    let open = Open::existing(workspace)?;
    let mut artifacts = Vec::new();
    let mut terms = None;
    for triple in triples(&open, workspace, &args.release)? {
        let index = open.index(&args.release.subject, triple.as_deref())?;
        let release = find(&index, &args.release.version)?;
        if let Some(highest) = index.releases.first()
            && highest.version >= *version
            && index.release(version).is_none()
        {
            return Err(OfferError::NotAbove {
                version: version.clone(),
                highest: highest.version.clone(),
            }
            .into());
        }
        let mut looked_at = index.clone();
        let (to, _, _) = offer::recall(&mut looked_at, &args.release.version, args.to.as_ref())?;
        let target = find(&index, &to)?;
        // Offered where the withdrawn one was: on the most careful of its channels, and so on all after it.
        let channel = release.channels.first().cloned().unwrap_or_default();
        let mut offer = OfferArgs::default();
        offer.plan.share = "100".parse().ok();
        offer.min_secure.clone_from(&target.policy.min_secure);
        offer.data_schema = target.policy.data_schema.map(offer::Data);
        terms = Some(Terms {
            channel,
            notes: args.reason.clone(),
            critical: true,
            offer,
            extent: ExtentArgs {
                dry_run: args.dry_run,
                no_push: true,
                ..ExtentArgs::default()
            },
            now: context.now,
        });
        artifacts.push(match (&args.release.subject, triple) {
            (Subject::Executable, Some(triple)) => {
                let path = args.executable.clone().ok_or(OfferError::ExecutableNeeded)?;
                release::executable(workspace, version.clone(), &triple, Some(path))?
            }
            (subject, _) => {
                let bytes = full_file::recover(&workspace.repository(), target)?;
                renamed(workspace, subject, &bytes, version)?
            }
        });
    }
    let terms = terms.ok_or(OfferError::NoTarget {
        version: args.release.version.clone(),
    })?;
    Ok((artifacts, terms))
}

/// The same bundle with another version in its manifest.
fn renamed(
    workspace: &Workspace,
    subject: &Subject,
    bytes: &[u8],
    version: &Version,
) -> Result<Artifact, PublishError> {
    let pack_error = |source| PublishError::Pack {
        folder: workspace.repository(),
        source,
    };
    let bundle = Bundle::parse(bytes.to_vec()).map_err(pack_error)?;
    let manifest = BundleManifest {
        version: version.clone(),
        ..bundle.manifest().clone()
    };
    let files = bundle
        .paths()
        .map(|path| (path.to_owned(), bundle.file(path).unwrap_or_default().to_vec()))
        .collect();
    let bytes = Bundle::pack(&manifest, &files).map_err(pack_error)?;
    Ok(Artifact {
        subject: subject.clone(),
        triple: None,
        version: version.clone(),
        bytes,
        manifest: Some(manifest),
        file_name: String::new(),
        origin: workspace.repository(),
    })
}

impl fmt::Display for Recalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(published) = &self.published {
            writeln!(f, "{published}")?;
        }
        self.recalled.fmt(f)
    }
}
