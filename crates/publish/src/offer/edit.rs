//! Changes to a release that is out. Pure: an index goes in and comes out.

use jiff::Timestamp;
use moult_model::config::RolloutDefaults;
use moult_model::{Channel, Digest, Index, Release, Version};

use super::plan::{Planned, text, waves_share};
use super::{OfferError, rollout_of};
use crate::cli::PlanArgs;

/// Whether anything changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something did.
    Made,
    /// It was so already.
    None,
}

fn found<'a>(index: &'a mut Index, version: &Version) -> Result<&'a mut Release, OfferError> {
    let known = index.releases.iter().map(|release| release.version.clone());
    let known: Vec<_> = known.collect();
    index
        .releases
        .iter_mut()
        .find(|release| release.version == *version)
        .ok_or_else(|| OfferError::UnknownVersion {
            version: version.clone(),
            known,
        })
}

fn changed(before: &Release, after: &Release) -> Change {
    if before == after {
        Change::None
    } else {
        Change::Made
    }
}

/// Nobody new gets it for now. Waves that have not begun are dropped, so that it does not jump when it is resumed.
pub fn pause(index: &mut Index, version: &Version, now: Timestamp) -> Result<Change, OfferError> {
    let release = found(index, version)?;
    let before = release.clone();
    if let Some(rollout) = &mut release.policy.rollout {
        let begun = |from: &str| from.parse::<Timestamp>().is_ok_and(|from| from <= now);
        rollout.waves.retain(|wave| begun(&wave.from));
    }
    release.policy.held = true;
    Ok(changed(&before, release))
}

/// Nobody new gets it, and only a higher epoch lifts that.
pub fn halt(index: &mut Index, version: &Version, now: Timestamp) -> Result<Change, OfferError> {
    pause(index, version, now)
}

/// The epoch that lifts every order given until now.
pub fn epoch_above(release: &Release) -> u32 {
    release.policy.hold_epoch.saturating_add(1)
}

/// It goes on: with new waves, or with the share that it had.
pub fn resume(
    index: &mut Index,
    version: &Version,
    plan: &PlanArgs,
    defaults: &RolloutDefaults,
    now: Timestamp,
) -> Result<Change, OfferError> {
    let release = found(index, version)?;
    if release.policy.recalled.is_some() {
        return Err(OfferError::Recalled {
            version: version.clone(),
        });
    }
    if !release.policy.held {
        return Err(OfferError::NotHeld {
            version: version.clone(),
        });
    }
    replan(release, plan, defaults, now)?;
    release.policy.held = false;
    release.policy.hold_epoch = epoch_above(release);
    Ok(Change::Made)
}

/// Offers it on more channels.
pub fn promote(
    index: &mut Index,
    version: &Version,
    channels: &[Channel],
    plan: &PlanArgs,
    defaults: &RolloutDefaults,
    now: Timestamp,
) -> Result<Change, OfferError> {
    let release = found(index, version)?;
    let before = release.clone();
    let more = channels
        .iter()
        .filter(|channel| !release.channels.contains(channel));
    let more: Vec<_> = more.cloned().collect();
    release.channels.splice(0..0, more);
    replan(release, plan, defaults, now)?;
    Ok(changed(&before, release))
}

fn replan(
    release: &mut Release,
    plan: &PlanArgs,
    defaults: &RolloutDefaults,
    now: Timestamp,
) -> Result<(), OfferError> {
    let salt = release
        .policy
        .rollout
        .as_ref()
        .map(|rollout| rollout.salt.clone());
    match rollout_of(plan, defaults, &release.digest, salt.as_deref(), now)? {
        Planned::Waves(rollout) => release.policy.rollout = Some(rollout),
        Planned::Everybody => release.policy.rollout = None,
        Planned::NotSaid => {}
    }
    Ok(())
}

/// Withdraws it: nobody new gets it, and those who have it go to `to`, or to the nearest lower version on its channels. Returns
/// where they go.
pub fn recall(
    index: &mut Index,
    version: &Version,
    to: Option<&Version>,
) -> Result<(Version, Digest, Change), OfferError> {
    let release = found(index, version)?.clone();
    let target = match to {
        Some(to) => found(index, to)?.clone(),
        None => nearest_below(index, &release).ok_or_else(|| OfferError::NothingBelow {
            from: version.clone(),
        })?,
    };
    let (from, to) = (version.clone(), target.version.clone());
    // A higher one is what rolling forward makes.
    if target.digest == release.digest {
        return Err(OfferError::Itself { version: to });
    }
    if target.policy.recalled.is_some() {
        return Err(OfferError::Recalled { version: to });
    }
    let schema = release.policy.data_schema.map_or(0, |schema| schema.writes);
    let reads = target.policy.data_schema;
    if !reads.map_or(schema == 0, |reads| reads.reads(schema)) {
        return Err(OfferError::Data { from, to, schema });
    }
    let changed_release = found(index, version)?;
    let before = changed_release.clone();
    changed_release.policy.held = true;
    changed_release.policy.recalled = Some(target.digest);
    let change = changed(&before, changed_release);
    Ok((target.version, target.digest, change))
}

fn nearest_below(index: &Index, release: &Release) -> Option<Release> {
    let on_its_channels = |other: &&Release| {
        other
            .channels
            .iter()
            .any(|channel| release.channels.contains(channel))
    };
    index
        .releases
        .iter()
        .filter(|other| other.version < release.version)
        .filter(on_its_channels)
        .find(|other| other.policy.recalled.is_none() && !other.policy.held)
        .cloned()
}

/// A line for people: how a release is offered now.
pub(crate) fn standing(release: &Release, now: Timestamp) -> String {
    let policy = &release.policy;
    if policy.recalled.is_some() {
        return "recalled".to_owned();
    }
    let share = waves_share(policy, now);
    if policy.held {
        return format!("held at {share}");
    }
    let rollout = policy.rollout.iter();
    let next = rollout
        .flat_map(|rollout| &rollout.waves)
        .find(|wave| wave.from > text(now));
    match next {
        Some(wave) => format!("{share}, then {} from {}", wave.share, wave.from),
        None => share.to_string(),
    }
}
