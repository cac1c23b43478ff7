//! The runtime that stands before an AppImage's file system: a small program of the AppImage project, of type 2, for
//! x86_64. The crate `appimage` carries it, so cargo fetches it like any other source; nothing of the crate is compiled.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::command::{cargo, command, quiet};
use crate::targets::tools;

const CRATE: &str = "appimage";
const VERSION: &str = "0.4.0";
const FILE: &str = "assets/runtime-x86_64";
/// SHA-256 of the file.
const DIGEST: &str = "328e0d745c5c6817048c27bc3e8314871703f8f47ffa81a37cb06cd95a94b323";

/// Lays it into `target/tools`.
pub(super) fn runtime() -> Result<String> {
    let path = tools().join("appimage-runtime-x86_64");
    if fs::read(&path).is_ok_and(|bytes| is_the_one(&bytes)) {
        return Ok("is there".to_owned());
    }
    // It unpacks the source to read what it shows.
    let wish = format!("{CRATE}@{VERSION}");
    quiet(&mut command(cargo(), &["info", "--quiet", &wish]))?;
    let found = unpacked()?;
    let bytes = fs::read(&found).with_context(|| format!("`{}` could not be read", found.display()))?;
    if !is_the_one(&bytes) {
        bail!("`{}` is not the runtime that is expected", found.display());
    }
    fs::create_dir_all(tools())?;
    fs::write(&path, bytes).with_context(|| format!("`{}` could not be written", path.display()))?;
    Ok(wish)
}

fn is_the_one(bytes: &[u8]) -> bool {
    hex::encode(Sha256::digest(bytes)) == DIGEST
}

/// Where cargo has unpacked it: a folder for each registry that it came from.
fn unpacked() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .context("cargo's folder is not known")?;
    let sources = home.join("registry/src");
    fs::read_dir(&sources)
        .with_context(|| format!("`{}` could not be read", sources.display()))?
        .flatten()
        .map(|registry| registry.path().join(format!("{CRATE}-{VERSION}")).join(FILE))
        .find(|path| path.is_file())
        .context("cargo did not unpack the crate `appimage`")
}
