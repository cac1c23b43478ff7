//! Renewing the AppImage that the application was started from, as a whole.
//!
//! Whoever installs it (Tauri's updater) takes the old file away, writes the new one under its name, and keeps
//! nothing: a power cut in between leaves no application at all. So it is told another name, beside the AppImage. What
//! lies there afterwards is hashed, tested by being started, and then changes places with the old one in one step.
//! The AppImage's own name leads to a whole file at each moment, and the old file is kept under a second name.
//!
//! This module refuses to know where the bytes come from.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use moult_durable::{DurableError, fs};
use moult_model::Digest;

use crate::base::digest_of;
use crate::companion::{Tested, exchange, probe_app_image};
use crate::{BootError, WriteRight};

/// The names of one AppImage.
#[derive(Clone, Debug)]
pub struct AppImage {
    /// The file that menus and the user know.
    image: PathBuf,
    /// What is to take its place; after the exchange, what was in its place.
    new: PathBuf,
    /// The one before.
    previous: PathBuf,
    /// A second name on its way to be `previous`.
    keeping: PathBuf,
}

/// What came of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// The new AppImage has its place; the one before is kept.
    Placed,
    /// What was installed is not what was announced, and was removed. The old one is in its place.
    Other,
    /// The new one could not be started, and was removed. The old one is in its place.
    Failed,
    /// The system can't start anything now. The old one is in its place, and a later call goes on.
    NotNow,
}

impl AppImage {
    /// The AppImage at a path: `APPIMAGE`, or the file of [`Place::AppImage`](crate::Place::AppImage).
    pub fn at(image: &Path) -> Self {
        let beside = |addition: &str| {
            let mut name = OsString::from(".");
            name.push(image.file_name().unwrap_or_default());
            name.push(addition);
            image.with_file_name(name)
        };
        Self {
            image: image.to_owned(),
            new: beside(".new"),
            previous: beside(".previous"),
            keeping: beside(".keeping"),
        }
    }

    /// Where the one before is kept.
    pub fn previous(&self) -> &Path {
        &self.previous
    }

    /// Makes room for a new AppImage, and returns the name that its installer is to be told. Something lies
    /// there already, since installers look at what they replace: an empty program, none of the old file's bytes.
    ///
    /// `right` shows that nobody else is at work.
    pub fn begin(&self, right: &WriteRight) -> Result<&Path, BootError> {
        right.check()?;
        self.clear()?;
        let mode = mode_of(&self.image)?;
        fs::create_new_with_mode(&self.new, mode).map_err(|source| DurableError::Create {
            path: self.new.clone(),
            source,
        })?;
        Ok(&self.new)
    }

    /// Looks at what the installer left, and puts it in its place if it is the announced one and starts. `data` is the data
    /// folder, which the test reads.
    pub fn place(&self, right: &WriteRight, announced: Digest, data: &Path) -> Result<Renewed, BootError> {
        self.place_if(right, announced, |path| probe_app_image(path, data))
    }

    fn place_if(
        &self,
        right: &WriteRight,
        announced: Digest,
        test: impl Fn(&Path) -> Tested,
    ) -> Result<Renewed, BootError> {
        right.check()?;
        if digest_of(&self.image).ok() == Some(announced) {
            // A death after the exchange.
            self.clear()?;
            return Ok(Renewed::Placed);
        }
        if digest_of(&self.new).ok() != Some(announced) {
            self.clear()?;
            return Ok(Renewed::Other);
        }
        // Its installer did not wait for the disk.
        fs::sync_file(&self.new).map_err(|source| DurableError::Sync {
            path: self.new.clone(),
            source,
        })?;
        fs::set_mode(&self.new, mode_of(&self.image)?).map_err(|source| BootError::Permissions {
            path: self.new.clone(),
            source,
        })?;
        match test(&self.new) {
            Tested::Passed => {}
            Tested::Failed => {
                self.clear()?;
                return Ok(Renewed::Failed);
            }
            Tested::NotNow => return Ok(Renewed::NotNow),
        }
        self.keep()?;
        exchange(&self.new, &self.image)?;
        self.clear()?;
        Ok(Renewed::Placed)
    }

    /// Brings the one before back; what is in its place is then the one before. `false` if none is kept.
    pub fn go_back(&self, right: &WriteRight) -> Result<bool, BootError> {
        right.check()?;
        if !self.previous.is_file() {
            return Ok(false);
        }
        exchange(&self.previous, &self.image)?;
        Ok(true)
    }

    /// Removes what a renewal that was cut off has left. The one before stays.
    pub fn clear(&self) -> Result<(), BootError> {
        remove(&self.new)?;
        remove(&self.keeping)
    }

    /// Gives the old file a second name. Its own name stays as it is.
    fn keep(&self) -> Result<(), BootError> {
        remove(&self.keeping)?;
        fs::link(&self.image, &self.keeping).map_err(|source| DurableError::Create {
            path: self.keeping.clone(),
            source,
        })?;
        Ok(moult_durable::rename(&self.keeping, &self.previous)?)
    }
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Result<u32, BootError> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(path).map_err(|source| BootError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(found.permissions().mode() & 0o777)
}

/// There are AppImages on Linux alone.
#[cfg(not(unix))]
fn mode_of(_path: &Path) -> Result<u32, BootError> {
    Ok(0o755)
}

fn remove(path: &Path) -> Result<(), BootError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BootError::Remove {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
