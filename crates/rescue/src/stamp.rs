//! When the repository was last asked by a rescue, so that a start that fails again and again does not ask
//! it again and again. Refuses to know how a try ended.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use moult_durable::{DurableError, write_atomic};
use serde::{Deserialize, Serialize};

/// The shortest time between two tries that reach the repository.
const PAUSE: Duration = Duration::from_mins(1);

#[derive(Serialize, Deserialize)]
struct Stamp {
    /// Seconds since 1970 in UTC.
    at: u64,
}

fn path(data: &Path) -> PathBuf {
    data.join("run").join("rescue.json")
}

/// How long the next try has to wait; `None` if it need not.
pub(crate) fn wait(data: &Path, now: SystemTime) -> Option<Duration> {
    let bytes = std::fs::read(path(data)).ok()?;
    let last: Stamp = serde_json::from_slice(&bytes).ok()?;
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(last.at);
    // A time that lies ahead is one of a clock that was set back since: no reason to wait.
    let passed = now.duration_since(last).ok()?;
    PAUSE.checked_sub(passed).filter(|left| !left.is_zero())
}

/// Notes a try. The folder must exist.
pub(crate) fn note(data: &Path, now: SystemTime) -> Result<(), DurableError> {
    let at = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let bytes = format!("{{\"at\":{at}}}\n");
    write_atomic(&path(data), bytes.as_bytes())
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_lies_between_two_tries() {
        let data = tempfile::tempdir().unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(wait(data.path(), at(1000)), None, "the first");
        std::fs::create_dir(data.path().join("run")).unwrap();
        note(data.path(), at(1000)).unwrap();
        for (now, left) in [(1000, Some(60)), (1059, Some(1)), (1060, None), (900, None)] {
            assert_eq!(wait(data.path(), at(now)), left.map(Duration::from_secs), "{now}");
        }
        std::fs::write(path(data.path()), "torn").unwrap();
        assert_eq!(wait(data.path(), at(1001)), None, "a torn stamp");
    }
}
