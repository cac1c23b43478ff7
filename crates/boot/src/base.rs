//! The packaged executable. Refuses to know what is installed beside it.

use std::fs::File;
use std::path::{Path, PathBuf};

use moult_model::{Digest, Version};
use serde::Deserialize;

use crate::layout::executable_name;
use crate::{BootError, Rest, Slot, SlotName};

/// The packaged executable: slot `base`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Where it is.
    pub executable: PathBuf,
    /// Its version, as its package says.
    pub version: Version,
    /// SHA-256 of the file as it is.
    pub digest: Digest,
}

/// What the installer writes beside the executable.
#[derive(Deserialize)]
struct Label {
    version: Version,
    #[serde(default = "yes")]
    updates_executable: bool,
}

impl Label {
    fn of(install: &Path) -> Option<Self> {
        let bytes = std::fs::read(install.join("moult-app.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn yes() -> bool {
    true
}

/// Whether newer versions of the executable may be installed into the user's folder and start from there.
///
/// `"updates_executable": false` in `moult-app.json` beside the packaged one says no: where a store renews the
/// application as a whole (a snap), the executable is its business. Shell and widgets are renewed all the same.
pub fn updates_executable(install: &Path) -> bool {
    Label::of(install).is_none_or(|label| label.updates_executable)
}

impl Base {
    /// Looks at the packaged executable of an installation.
    ///
    /// The version comes from `moult-app.json` beside it (`{"version", "digest"}`); without that file
    /// it counts as 0.0.0, so that any slot is newer. The digest is computed: a file that was
    /// changed is its package's business, and starts all the same.
    pub fn from_install(install: &Path) -> Result<Self, BootError> {
        let executable = install.join(executable_name());
        let digest = digest_of(&executable).map_err(|source| BootError::Base {
            path: executable.clone(),
            source,
        })?;
        let version = Label::of(install).map_or(Version::new(0, 0, 0), |label| label.version);
        Ok(Self {
            executable,
            version,
            digest,
        })
    }

    /// Like [`from_install`](Self::from_install); a packaged executable that can't be read counts as version
    /// 0.0.0 with the digest of nothing, and the error says what is wrong. Anything else that is installed
    /// can still start, and a package that is installed again replaces it.
    pub fn from_install_or_missing(install: &Path) -> (Self, Option<BootError>) {
        match Self::from_install(install) {
            Ok(base) => (base, None),
            Err(error) => {
                let missing = Self {
                    executable: install.join(executable_name()),
                    version: Version::new(0, 0, 0),
                    digest: Digest::of(b""),
                };
                (missing, Some(error))
            }
        }
    }

    /// Whether it could not be read.
    pub(crate) fn is_missing(&self) -> bool {
        self.version == Version::new(0, 0, 0) && self.digest == Digest::of(b"")
    }

    pub(crate) fn slot(&self) -> Slot {
        Slot {
            name: SlotName::base(),
            version: self.version.clone(),
            digest: self.digest,
            rest: Rest::new(),
        }
    }
}

pub(crate) fn digest_of(path: &Path) -> std::io::Result<Digest> {
    let mut file = std::io::BufReader::with_capacity(1 << 16, File::open(path)?);
    Ok(Digest::of_reader(&mut file)?.0)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_packages_and_the_digest_is_the_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Base::from_install(folder.path()),
            Err(BootError::Base { .. })
        ));
        std::fs::write(folder.path().join(executable_name()), "app").unwrap();
        let digest = Digest::of(b"app");
        for (label, version) in [
            (None, "0.0.0"),
            (Some("{"), "0.0.0"),
            (Some(r#"{"version":"1.2.3","digest":"of another file"}"#), "1.2.3"),
        ] {
            if let Some(label) = label {
                std::fs::write(folder.path().join("moult-app.json"), label).unwrap();
            }
            let base = Base::from_install(folder.path()).unwrap();
            assert_eq!(
                (base.version.to_string().as_str(), base.digest),
                (version, digest)
            );
        }
    }

    #[test]
    fn a_package_can_keep_the_executable_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        assert!(updates_executable(folder.path()));
        for (label, expected) in [
            (r#"{"version":"1.2.3"}"#, true),
            (r#"{"version":"1.2.3","format":"deb"}"#, true),
            (r#"{"version":"1.2.3","updates_executable":true}"#, true),
            (
                r#"{"version":"1.2.3","format":"snap","updates_executable":false}"#,
                false,
            ),
            ("{", true),
        ] {
            std::fs::write(folder.path().join("moult-app.json"), label).unwrap();
            assert_eq!(updates_executable(folder.path()), expected, "{label}");
        }
    }
}
