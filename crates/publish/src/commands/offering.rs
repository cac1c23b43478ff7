//! `moult promote`, `rollout` and `recall`: who may have a release that is out. All of them change the signed index, and nothing
//! that it names.

use std::fmt;

use jiff::Timestamp;
use moult_model::rollout::{Act, Order};
use moult_model::{Index, Subject, Version};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::{HaltArgs, PromoteArgs, ResumeArgs, RolloutCommand, RolloutSetArgs, SubjectArgs};
use crate::config::Workspace;
use crate::index_edit;
use crate::offer::{self, Change, OfferError, standing};
use crate::progress::Progress;
use crate::release::write_latest;
use crate::repository::{Open, sign_error};
use crate::store::Pushed;

/// What a command changed.
#[derive(Debug, Serialize)]
pub(super) struct Offered {
    action: &'static str,
    releases: Vec<OfferedRelease>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<Pushed>,
}

#[derive(Debug, Serialize)]
struct OfferedRelease {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    version: Version,
    channels: Vec<String>,
    offered: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_to: Option<Version>,
    changed: bool,
    /// Whether the online role says it too, at once.
    ordered: bool,
}

/// A change of one index.
pub(super) struct Edit<'a> {
    /// What is said of it, in the past.
    pub(super) action: &'static str,
    pub(super) release: &'a SubjectArgs,
    pub(super) dry_run: bool,
    /// What the online role orders besides.
    pub(super) order: Option<Ordered<'a>>,
}

/// An order to the online role.
pub(super) struct Ordered<'a> {
    pub(super) reason: Option<&'a str>,
}

type IndexChange<'a> = dyn FnMut(&mut Index) -> Result<(Change, Option<Version>), PublishError> + 'a;

pub(super) fn promote(context: &Context, args: &PromoteArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let channels = workspace.channels_from(&args.to)?;
    let defaults = workspace.config().rollout.clone();
    let edit = Edit {
        action: "promoted",
        release: &args.release,
        dry_run: args.dry_run,
        order: None,
    };
    let now = context.now;
    edit.run(context, &workspace, &mut |index| {
        let change = offer::promote(
            index,
            &args.release.version,
            &channels,
            &args.plan,
            &defaults,
            now,
        )?;
        Ok((change, None))
    })
}

pub(super) fn rollout(context: &Context, command: &RolloutCommand) -> Result<(), PublishError> {
    match command {
        RolloutCommand::Set(args) => set(context, args),
        RolloutCommand::Pause(args) => hold(context, args, false),
        RolloutCommand::Halt(args) => hold(context, args, true),
        RolloutCommand::Resume(args) => resume(context, args),
        RolloutCommand::Show(args) => super::rollout_show::run(context, args),
    }
}

fn set(context: &Context, args: &RolloutSetArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let defaults = workspace.config().rollout.clone();
    let edit = Edit {
        action: "set",
        release: &args.release,
        dry_run: args.dry_run,
        order: None,
    };
    let now = context.now;
    edit.run(context, &workspace, &mut |index| {
        let release = find(index, &args.release.version)?.clone();
        let policy = offer::policy_of(
            index,
            &release.digest,
            Some(&release.policy),
            &args.offer,
            &defaults,
            now,
        )?;
        let change = if policy == release.policy {
            Change::None
        } else {
            Change::Made
        };
        for other in &mut index.releases {
            if other.digest == release.digest {
                other.policy = policy.clone();
            }
        }
        Ok((change, None))
    })
}

fn hold(context: &Context, args: &HaltArgs, is_halt: bool) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let edit = Edit {
        action: if is_halt { "halted" } else { "paused" },
        release: &args.release,
        dry_run: args.dry_run,
        order: is_halt.then_some(Ordered {
            reason: args.reason.as_deref(),
        }),
    };
    let now = context.now;
    edit.run(context, &workspace, &mut |index| {
        let version = &args.release.version;
        let change = if is_halt {
            offer::halt(index, version, now)?
        } else {
            offer::pause(index, version, now)?
        };
        Ok((change, None))
    })
}

fn resume(context: &Context, args: &ResumeArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let defaults = workspace.config().rollout.clone();
    let edit = Edit {
        action: "resumed",
        release: &args.release,
        dry_run: args.dry_run,
        order: None,
    };
    let now = context.now;
    edit.run(context, &workspace, &mut |index| {
        let change = offer::resume(index, &args.release.version, &args.plan, &defaults, now)?;
        Ok((change, None))
    })
}

/// Orders by the online role `rollout` what the signed index says, at once and with a key that is online. It replaces what was ordered
/// for that artifact before.
fn order(
    open: &mut Open,
    subject: &Subject,
    release: &moult_model::Release,
    act: Act,
    ordered: &Ordered<'_>,
    now: Timestamp,
) -> Result<(), PublishError> {
    let mut orders = open
        .editor
        .orders()
        .map_err(sign_error("the orders can't be read"))?;
    orders
        .orders
        .retain(|order| order.subject != *subject || order.digest != release.digest);
    orders.orders.push(Order {
        subject: subject.clone(),
        digest: release.digest,
        hold_epoch: release.policy.hold_epoch,
        act,
        reason: ordered.reason.map(str::to_owned),
        given: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
    });
    open.editor
        .set_orders(&orders)
        .map_err(sign_error("the order can't be given"))
}

pub(super) fn find<'a>(index: &'a Index, version: &Version) -> Result<&'a moult_model::Release, OfferError> {
    index.release(version).ok_or_else(|| OfferError::UnknownVersion {
        version: version.clone(),
        known: index
            .releases
            .iter()
            .map(|release| release.version.clone())
            .collect(),
    })
}

/// The triples that a command is about: of the app the one that is named, or all that have the version.
pub(super) fn triples(
    open: &Open,
    workspace: &Workspace,
    release: &SubjectArgs,
) -> Result<Vec<Option<String>>, PublishError> {
    if release.subject != Subject::Executable {
        return Ok(vec![None]);
    }
    if let Some(triple) = &release.target {
        workspace.check_target(triple)?;
        return Ok(vec![Some(triple.clone())]);
    }
    let mut found = Vec::new();
    for triple in &workspace.config().targets {
        let index = open.index(&Subject::Executable, Some(triple))?;
        if index.release(&release.version).is_some() {
            found.push(Some(triple.clone()));
        }
    }
    if found.is_empty() {
        return Err(OfferError::NoTarget {
            version: release.version.clone(),
        }
        .into());
    }
    Ok(found)
}

impl Edit<'_> {
    pub(super) fn run(
        &self,
        context: &Context,
        workspace: &Workspace,
        change: &mut IndexChange<'_>,
    ) -> Result<(), PublishError> {
        let offered = self.apply(context, workspace, change)?;
        context.output.report(&offered)
    }

    /// Changes the index of the release, of the app for each target, in one step.
    pub(super) fn apply(
        &self,
        context: &Context,
        workspace: &Workspace,
        change: &mut IndexChange<'_>,
    ) -> Result<Offered, PublishError> {
        let progress = Progress::on_terminal();
        let mut open = if self.dry_run {
            Open::existing(workspace)?
        } else {
            Open::to_change(workspace, context.now, &progress)?
        };
        let subject = &self.release.subject;
        let mut releases = Vec::new();
        for triple in triples(&open, workspace, self.release)? {
            let mut index = open.index(subject, triple.as_deref())?;
            let (made, goes_to) = change(&mut index)?;
            index_edit::fit(&mut index, &self.release.version)?;
            let release = find(&index, &self.release.version)?.clone();
            let ordered = self.order.as_ref().filter(|_| !self.dry_run);
            if !self.dry_run {
                open.editor
                    .set_index(&index)
                    .map_err(sign_error("the index can't be added"))?;
            }
            if let Some(ordered) = ordered {
                let act = release.policy.recalled.map_or(Act::Hold, |to| Act::Recall { to });
                order(&mut open, subject, &release, act, ordered, context.now)?;
            }
            releases.push(OfferedRelease {
                subject: subject.clone(),
                triple,
                version: release.version.clone(),
                channels: release.channels.iter().map(ToString::to_string).collect(),
                offered: standing(&release, context.now),
                goes_to,
                changed: made == Change::Made,
                ordered: ordered.is_some(),
            });
        }
        let mut offered = Offered {
            action: self.action,
            releases,
            reason: self
                .order
                .as_ref()
                .and_then(|order| order.reason.map(str::to_owned)),
            dry_run: self.dry_run,
            timestamp_version: None,
            pushed: None,
        };
        if self.dry_run {
            return Ok(offered);
        }
        progress.stage("signing");
        let committed = open
            .editor
            .commit(context.now)
            .map_err(sign_error("the metadata can't be signed"))?;
        offered.timestamp_version = Some(committed.timestamp_version);
        if *subject == Subject::Executable {
            write_latest(&open, workspace, context.now)?;
        }
        offered.pushed = open.finish(true, &[], &progress)?;
        Ok(offered)
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for release in &self.releases {
            let done = match (release.changed, self.dry_run) {
                (false, _) => format!("already {}:", self.action),
                (true, true) => format!("would be {}:", self.action),
                (true, false) => self.action.to_owned(),
            };
            let triple = release.triple.iter().map(|triple| format!(" for {triple}"));
            let triple: String = triple.collect();
            let channels = release.channels.join(", ");
            writeln!(
                f,
                "{done} {} {}{triple} on {channels}",
                release.subject, release.version
            )?;
            writeln!(f, "  offered    {}", release.offered)?;
            if let Some(to) = &release.goes_to {
                writeln!(f, "  goes to    {to}")?;
            }
            if release.ordered {
                writeln!(f, "  ordered    by the online role too")?;
            }
        }
        if let Some(reason) = &self.reason {
            writeln!(f, "  because    {reason}")?;
        }
        match self.timestamp_version {
            Some(version) => write!(f, "  timestamp  {version}")?,
            None => f.write_str("  nothing was written")?,
        }
        match &self.pushed {
            Some(pushed) => write!(f, "\n{pushed}"),
            None => Ok(()),
        }
    }
}
