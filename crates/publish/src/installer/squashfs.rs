//! A file system in one file, by `mksquashfs`. Refuses to know what is in it.

use std::path::{Path, PathBuf};

use super::tree::Tree;
use super::{InstallerError, program};

/// Makes `file` from a tree. The same tree and date give the same bytes: owners, times and attributes are none
/// of this computer's.
pub(super) fn make(
    tree: &Tree,
    work: &Path,
    name: &str,
    date: i64,
    options: &[&str],
) -> Result<PathBuf, InstallerError> {
    let root = work.join(format!("{name}.root"));
    tree.write_to(&root)?;
    let (from, to) = (format!("{name}.root"), format!("{name}.squashfs"));
    let time = date.to_string();
    let fixed = [
        from.as_str(),
        to.as_str(),
        "-noappend",
        "-no-progress",
        "-quiet",
        "-no-xattrs",
        "-all-root",
        "-mkfs-time",
        &time,
        "-all-time",
        &time,
    ];
    program::run("mksquashfs", fixed.iter().chain(options), work, None)?;
    Ok(work.join(to))
}
