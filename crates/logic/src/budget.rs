//! The time of one call into a component.

use std::time::{Duration, Instant};

/// Whatever the processor's clock says, a call is over after so many times its budget.
const WALL_TIMES: u32 = 40;

/// Time for one call into the component.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    processor: Duration,
    begun: Option<(Duration, Instant)>,
    pub(crate) waited: Duration,
    pub(crate) overdrawn: bool,
}

impl Budget {
    pub(crate) fn begin(&mut self, milliseconds: u32) {
        self.processor = Duration::from_millis(milliseconds.into());
        self.begun = Some((processor_time(), Instant::now()));
        self.waited = Duration::ZERO;
        self.overdrawn = false;
    }

    /// The call is over.
    pub(crate) fn end(&mut self) {
        self.begun = None;
    }

    /// Whether the time is up. What a call waits for the application is not its time.
    pub(crate) fn is_spent(&mut self) -> bool {
        let Some((processor, wall)) = self.begun else {
            return false;
        };
        let used = processor_time().saturating_sub(processor);
        let wall = wall.elapsed().saturating_sub(self.waited);
        self.overdrawn = used > self.processor || wall > self.processor * WALL_TIMES;
        self.overdrawn
    }
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }
    // The wall's limit stands in: there it is the only one.
    #[cfg(not(unix))]
    Duration::ZERO
}
