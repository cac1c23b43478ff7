//! What rules a release out, whatever else there is. Pure.

use moult_model::explanation::{Authority, Verdict};
use moult_model::rollout::DataSchema;
use moult_model::{Index, Release, Subject, Version};

use super::orders::{held, recall};
use super::{Data, InstallId, Situation, Waves};

/// Who this computer is without an id: the last.
const LAST: u16 = 9_999;

/// What rules a release out for whoever does not run it, whether it is higher or lower than what runs.
pub(super) fn refuse(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    if let Some(pin) = situation.pin
        && *pin != release.version
    {
        return Some(Verdict::Pinned { to: pin.clone() });
    }
    if !release.channels.contains(situation.channel) {
        return Some(Verdict::NotOnChannel {
            offered: release.channels.clone(),
        });
    }
    malformed(index, release, situation)
        .or_else(|| stopped(index, release, situation))
        .or_else(|| refused_here(release, situation))
        .or_else(|| outside(index, release, situation))
        .or_else(|| too_far(release, situation))
}

/// What could run nowhere.
pub(super) fn malformed(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    match (&index.subject, &release.host_api) {
        (Subject::Executable, _) => release.signature.is_none().then_some(Verdict::Unsigned),
        // A bundle that does not say where it runs runs nowhere.
        (_, None) => Some(Verdict::WrongHost {
            min: 0,
            max: 0,
            host: situation.host_api,
        }),
        (_, Some(_)) => None,
    }
}

/// Whoever has it keeps it or goes back; nobody new gets it.
fn stopped(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    let stand = situation.orders.on(&index.subject, release);
    if let Some(recall) = recall(release, &stand) {
        return Some(Verdict::Recalled {
            by: recall.by,
            reason: recall.reason,
        });
    }
    // Recalled to itself: there is nowhere to go, and nobody should come.
    if release.policy.recalled.is_some() {
        return Some(Verdict::Recalled {
            by: Authority::Publisher,
            reason: None,
        });
    }
    held(release, &stand).map(|(by, reason)| Verdict::Held { by, reason })
}

/// What this computer, or its user, does not want. What is critical can't be skipped, also if it was skipped before it was
/// called so.
fn refused_here(release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    situation
        .refused
        .refusal(release)
        .filter(|verdict| !(release.critical && *verdict == Verdict::Skipped))
}

/// Those whose turn has not come. The waves and the limit are measured by the same place.
fn outside(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    let stand = situation.orders.on(&index.subject, release);
    let rollout = release.policy.rollout.as_ref();
    if rollout.is_none() && stand.limit.is_none() {
        return None;
    }
    let waves = match rollout.map(Waves::read) {
        Some(Some(waves)) => Some(waves),
        Some(None) => return Some(Verdict::WavesUnreadable),
        None => None,
    };
    // Without waves the artifact itself is the salt: an order may limit what its publisher gave to all.
    let salt = waves
        .as_ref()
        .map_or_else(|| of_digest(release), |waves| waves.salt);
    let place = place(situation.install, &salt);
    if let Some(waves) = waves {
        let share = waves.share(situation.now);
        if !share.holds(place) {
            let next = waves.next(situation.now);
            return Some(Verdict::OutsideWave { place, share, next });
        }
    }
    let (limit, order) = stand.limit?;
    (!limit.holds(place)).then(|| Verdict::OutsideLimit {
        place,
        limit,
        reason: order.reason.clone(),
    })
}

fn place(install: Option<InstallId>, salt: &[u8; 16]) -> u16 {
    install.map_or(LAST, |install| install.place(salt))
}

fn of_digest(release: &Release) -> [u8; 16] {
    let mut salt = [0; 16];
    salt.copy_from_slice(&release.digest.as_bytes()[..16]);
    salt
}

/// What runs is too old for it.
fn too_far(release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    let (running, from) = (situation.running?, release.policy.update_from.as_ref()?);
    running
        .version
        .cmp_precedence(from)
        .is_lt()
        .then(|| Verdict::StepFirst { from: from.clone() })
}

/// What rules out a way down: to what is known to be unsafe, or to what can't read the data.
pub(super) fn refuse_downwards(
    index: &Index,
    release: &Release,
    situation: &Situation<'_>,
) -> Option<Verdict> {
    if let Some(min) = min_secure(index, situation)
        && release.version.cmp_precedence(min).is_lt()
    {
        return Some(Verdict::Insecure { min: min.clone() });
    }
    refuse_data(index, release, situation)
}

/// Why a user can't go down to a version that is kept here, if so. Of one that is not listed any more only its number is known.
pub fn refuse_wish(index: &Index, version: &Version, situation: &Situation<'_>) -> Option<Verdict> {
    let running = situation.running?;
    if version.cmp_precedence(&running.version).is_ge() {
        return None;
    }
    match index.release(version) {
        Some(release) => refuse_downwards(index, release, situation),
        None => min_secure(index, situation)
            .filter(|min| version.cmp_precedence(min).is_lt())
            .map(|min| Verdict::Insecure { min: min.clone() }),
    }
}

/// A release that can't read the data that is there, nor a copy that its user wants back.
pub(super) fn refuse_data(index: &Index, release: &Release, situation: &Situation<'_>) -> Option<Verdict> {
    let schema = present(index, situation);
    let reads = release.policy.data_schema.unwrap_or(NO_DATA);
    if reads.reads(schema) {
        return None;
    }
    let Data { copies, may_lose, .. } = situation.data;
    let copy = copies.iter().copied().filter(|copy| reads.reads(*copy)).max();
    match copy {
        Some(_) if may_lose => None,
        Some(copy) => Some(Verdict::DataLost { schema, copy }),
        None => Some(Verdict::DataNotRead {
            schema,
            reads_from: reads.reads_from,
            reads_to: reads.reads_to,
        }),
    }
}

/// A release that says nothing of data.
const NO_DATA: DataSchema = DataSchema {
    writes: 0,
    reads_from: 0,
    reads_to: 0,
};

/// The schema of the data that is there: the highest that was ever noted, and what the running release says that it writes.
pub(super) fn present(index: &Index, situation: &Situation<'_>) -> u32 {
    let running = situation
        .running
        .and_then(|running| index.release_of(&running.digest))
        .map(|release| release.policy.data_schema.unwrap_or(NO_DATA).writes);
    situation.data.schema.max(running).unwrap_or(NO_DATA.writes)
}

/// The lowest version that somebody may go down to by hand: the highest that a release on the channel, or the one that runs,
/// names.
pub(super) fn min_secure<'a>(index: &'a Index, situation: &Situation<'_>) -> Option<&'a Version> {
    let counts = |release: &&Release| {
        release.channels.contains(situation.channel)
            || situation
                .running
                .is_some_and(|running| running.digest == release.digest)
    };
    let named = index.releases.iter().filter(counts);
    named
        .filter_map(|release| release.policy.min_secure.as_ref())
        .max_by(|one, other| one.cmp_precedence(other))
}
