//! Ctrl+C as a question that long work asks between its steps, so that it can put away what it began.
//! Refuses to know what the work is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Whether somebody wants the work to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl+C no longer ends the process but is told by [`Self::is_asked`]. The second time
    /// it ends the process at once. No thread waits for it.
    pub fn watch() -> Self {
        let asked = Self::default();
        for (signal, status) in [(SIGINT, 130), (SIGTERM, 143)] {
            // Where the system refuses, the signal ends the process as ever. The order matters: the
            // first that is registered is called first, and sees what the time before has set.
            let ends = signal_hook::flag::register_conditional_shutdown(signal, status, asked.0.clone());
            if ends.is_ok() {
                let _ = signal_hook::flag::register(signal, asked.0.clone());
            }
        }
        asked
    }

    /// Whether the work is to end.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_first_ctrl_c_is_told_and_does_not_end_the_process() {
        let interrupt = Interrupt::watch();
        assert!(!interrupt.is_asked());
        signal_hook::low_level::raise(SIGINT).unwrap();
        assert!(interrupt.is_asked());
    }
}
