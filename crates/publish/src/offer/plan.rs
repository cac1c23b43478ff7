//! From what is asked for to signed waves.

use jiff::{SignedDuration, Timestamp};
use moult_model::config::RolloutDefaults;
use moult_model::rollout::{Rollout, Wave};
use moult_model::{Digest, ReleasePolicy, Share};

use super::OfferError;
use super::words::{When, share_of};
use crate::cli::PlanArgs;

/// What the command line says of waves.
#[derive(Debug, PartialEq, Eq)]
pub enum Planned {
    /// Nothing.
    NotSaid,
    /// All at once.
    Everybody,
    /// In waves.
    Waves(Rollout),
}

/// The waves that are asked for. The salt of a release stays as long as it is out; it follows from the artifact, so that the
/// same command gives the same bytes.
pub fn rollout_of(
    args: &PlanArgs,
    defaults: &RolloutDefaults,
    digest: &Digest,
    salt: Option<&str>,
    now: Timestamp,
) -> Result<Planned, OfferError> {
    let waves: Vec<(Timestamp, Share)> = if let Some(share) = args.share {
        vec![(now, share.0)]
    } else if let Some(waves) = &args.waves {
        let at = |when: &When| match when {
            When::After(duration) => now.saturating_add(*duration).unwrap_or(Timestamp::MAX),
            When::At(time) => *time,
        };
        waves.0.iter().map(|(when, share)| (at(when), *share)).collect()
    } else if let Some(name) = &args.preset {
        of_preset(name, defaults, now)?
    } else {
        return Ok(Planned::NotSaid);
    };
    in_order(&waves)?;
    if matches!(waves[..], [(from, Share::ALL)] if from <= now) {
        return Ok(Planned::Everybody);
    }
    let salt = salt.map_or_else(|| salt_of(digest), str::to_owned);
    let wave = |(from, share)| Wave {
        from: text(from),
        share,
    };
    Ok(Planned::Waves(Rollout {
        salt,
        waves: waves.into_iter().map(wave).collect(),
    }))
}

fn of_preset(
    name: &str,
    defaults: &RolloutDefaults,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Share)>, OfferError> {
    let steps = defaults.steps(name).ok_or_else(|| OfferError::UnknownPreset {
        name: name.to_owned(),
        known: defaults.names(),
    })?;
    let mut begins = now;
    let mut waves = Vec::new();
    for step in steps {
        let share = share_of(step.percent).ok_or_else(|| OfferError::Waves {
            problem: format!("the preset `{name}` has a step of {} percent", step.percent),
        })?;
        waves.push((begins, share));
        let lasts = SignedDuration::from_mins(i64::from(step.minutes));
        begins = begins.saturating_add(lasts).unwrap_or(Timestamp::MAX);
    }
    Ok(waves)
}

fn in_order(waves: &[(Timestamp, Share)]) -> Result<(), OfferError> {
    for pair in waves.windows(2) {
        let [(first, fewer), (second, more)] = pair else {
            continue;
        };
        if second <= first {
            return Err(OfferError::Waves {
                problem: format!("{} is not after {}", text(*second), text(*first)),
            });
        }
        if more <= fewer {
            return Err(OfferError::Waves {
                problem: format!("{more} is not more than {fewer}"),
            });
        }
    }
    Ok(())
}

/// Of its own for each release, so that it is not the same computers that come first each time.
fn salt_of(digest: &Digest) -> String {
    let mut salt = Digest::of(format!("moult rollout salt of {digest}").as_bytes()).to_string();
    salt.truncate(32);
    salt
}

/// Whole seconds in one form, so that texts sort as times do.
pub(super) fn text(time: Timestamp) -> String {
    time.round(jiff::Unit::Second).unwrap_or(time).to_string()
}

/// How many get a release now, by its signed policy alone.
pub fn now_share(policy: &ReleasePolicy, now: Timestamp) -> Share {
    if policy.held || policy.recalled.is_some() {
        return Share::NONE;
    }
    waves_share(policy, now)
}

/// The share of the last wave that has begun.
pub(super) fn waves_share(policy: &ReleasePolicy, now: Timestamp) -> Share {
    let Some(rollout) = &policy.rollout else {
        return Share::ALL;
    };
    let begun = |wave: &&Wave| wave.from.parse::<Timestamp>().is_ok_and(|from| from <= now);
    let shares = rollout.waves.iter().filter(begun).map(|wave| wave.share);
    shares.max().unwrap_or(Share::NONE)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    fn plan(args: &PlanArgs) -> Result<Planned, OfferError> {
        let now = "2026-11-30T10:00:00Z".parse().unwrap();
        rollout_of(args, &RolloutDefaults::default(), &Digest::of(b"x"), None, now)
    }

    fn waves(planned: Planned) -> Vec<(String, u16)> {
        let Planned::Waves(rollout) = planned else {
            return Vec::new();
        };
        assert_eq!(rollout.salt.len(), 32);
        let waves = rollout.waves.into_iter();
        waves
            .map(|wave| (wave.from, wave.share.ten_thousandths()))
            .collect()
    }

    #[test]
    fn a_preset_becomes_waves_at_the_end_of_each_step() {
        let args = PlanArgs {
            preset: Some("quick".to_owned()),
            ..PlanArgs::default()
        };
        let expected = [
            ("2026-11-30T10:00:00Z".to_owned(), 1000),
            ("2026-11-30T10:05:00Z".to_owned(), 5000),
            ("2026-11-30T10:15:00Z".to_owned(), 10_000),
        ];
        assert_eq!(waves(plan(&args).unwrap()), expected);
    }

    #[test]
    fn all_at_once_needs_no_waves() {
        let args = PlanArgs {
            share: Some("100".parse().unwrap()),
            ..PlanArgs::default()
        };
        assert_eq!(plan(&args).unwrap(), Planned::Everybody);
        assert_eq!(plan(&PlanArgs::default()).unwrap(), Planned::NotSaid);
    }

    #[test]
    fn waves_that_shrink_or_go_back_in_time_are_refused() {
        for text in ["50@now,10@+1h", "10@+1h,50@now", "10@now,10@+1h"] {
            let args = PlanArgs {
                waves: Some(text.parse().unwrap()),
                ..PlanArgs::default()
            };
            assert!(matches!(plan(&args), Err(OfferError::Waves { .. })), "{text}");
        }
    }

    #[test]
    fn the_share_is_that_of_the_last_wave_that_has_begun() {
        let args = PlanArgs {
            waves: Some("10@now,50@+1h".parse().unwrap()),
            ..PlanArgs::default()
        };
        let Planned::Waves(rollout) = plan(&args).unwrap() else {
            panic!("waves were asked for");
        };
        let mut policy = ReleasePolicy {
            rollout: Some(rollout),
            ..ReleasePolicy::default()
        };
        let at =
            |policy: &ReleasePolicy, time: &str| now_share(policy, time.parse().unwrap()).ten_thousandths();
        assert_eq!(at(&policy, "2026-11-30T09:59:59Z"), 0);
        assert_eq!(at(&policy, "2026-11-30T10:00:00Z"), 1000);
        assert_eq!(at(&policy, "2026-11-30T12:00:00Z"), 5000);
        policy.held = true;
        assert_eq!(at(&policy, "2026-11-30T12:00:00Z"), 0);
    }
}
