//! The log: JSON lines in `log/app.log`, at most two files of 4 MiB.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

const LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Opens the log. A full one is moved to `app.1.log`.
pub(crate) fn open(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
    let path = folder.join("app.log");
    if fs::metadata(&path).is_ok_and(|found| found.len() > LIMIT_BYTES) {
        fs::rename(&path, folder.join("app.1.log"))
            .with_context(|| format!("{} could not be moved", path.display()))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("{} could not be opened", path.display()))?;
    let filter = EnvFilter::try_from_env("MOULT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::sync::Mutex::new(file))
        .init();
    Ok(())
}
