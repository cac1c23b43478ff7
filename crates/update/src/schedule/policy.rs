//! How many work at once, how long a try may take, how long a pause is. Pure numbers.

use jiff::{SignedDuration, Timestamp};
use moult_model::{Stage, StagePolicy};

/// How many updates may be in a stage at once. Rebuilding takes a whole processor and much memory, so one
/// at a time; a decision is the user's and takes nothing; a swap waits for a quiet moment in its tile, so
/// that one alone would let a busy tile hold up all others.
pub fn workers(stage: Stage) -> usize {
    match stage {
        Stage::Detect | Stage::Install => 1,
        Stage::Download => 2,
        Stage::Decide => usize::MAX,
        Stage::Confirm => 4,
    }
}

/// The pause after a try that failed: doubled with each, never above the longest, with a jitter between half
/// and the whole of it, so that many that failed together don't come back together. `random` is uniform over
/// all its values.
pub fn pause(policy: StagePolicy, failed: u32, random: u32) -> SignedDuration {
    let doubled = u64::from(policy.pause_ms).saturating_mul(1 << failed.saturating_sub(1).min(32));
    let whole = doubled.min(u64::from(policy.longest_pause_ms)) as f64;
    let part = whole * (0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0);
    SignedDuration::from_millis(part as i64)
}

/// When a try that begins now has taken too long. A download ends itself when no byte comes; a swap is ended
/// by whoever carries it out, since it has to be taken back.
pub(super) fn deadline(policy: StagePolicy, stage: Stage, now: Timestamp) -> Option<Timestamp> {
    let is_watched = matches!(stage, Stage::Install) && policy.timeout_seconds > 0;
    let given = SignedDuration::from_secs(i64::from(policy.timeout_seconds));
    is_watched.then(|| later(now, given))
}

/// A moment after another. At the end of time it stands still.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
