//! Names for the moments between two changes of the disk, so that a test can end the process at each.
//!
//! Outside this crate's own tests a step does nothing at all.

#[cfg(not(test))]
#[inline]
pub(crate) fn step(_name: &'static str) {}

/// In a child of the crash test the process ends here, as a killed one does, once its steps are used up.
#[cfg(test)]
pub(crate) fn step(name: &'static str) {
    counting::step(name);
}

#[cfg(test)]
pub(crate) mod counting {
    use std::sync::atomic::{AtomicI64, Ordering};

    static LEFT: AtomicI64 = AtomicI64::new(i64::MAX);

    /// From now on the process survives this many steps.
    pub(crate) fn survive(steps: i64) {
        LEFT.store(steps, Ordering::SeqCst);
    }

    #[expect(clippy::print_stdout, reason = "the crash test reads where its child ended")]
    pub(super) fn step(name: &'static str) {
        if LEFT.fetch_sub(1, Ordering::SeqCst) == 0 {
            println!("ended at: {name}");
            std::process::abort();
        }
    }
}
