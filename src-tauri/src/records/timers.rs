//! The timers of widgets' logic on the disk.

use moult_sandbox::Timers;

use super::{Records, records, recover};

impl Records {
    /// The timers as they were kept; none if that can't be read.
    pub(crate) fn timers(&self) -> Timers {
        let found = recover(&records(&self.folder, "timers"), "the timers");
        found
            .and_then(|found| serde_json::from_value(found).ok())
            .unwrap_or_default()
    }

    /// Keeps the timers. When this returns, they are on the disk.
    pub(crate) fn save_timers(&self, timers: &Timers) -> anyhow::Result<()> {
        self.may_write()?;
        Ok(records(&self.folder, "timers").store(&serde_json::to_value(timers)?)?)
    }
}
