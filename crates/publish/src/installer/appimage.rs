//! An AppImage: a runtime, and behind it the file system that it mounts and starts.
//!
//! `tauri bundle` downloads what it makes one with; here the runtime is a file that the configuration names.
//! GTK and WebKitGTK are the system's.

use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::tree::FILE;
use super::{Format, InstallerError, linux, squashfs};

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let Some(config) = &contents.installer.appimage else {
        return Err(InstallerError::Lacks {
            format: Format::AppImage,
            field: "appimage",
        });
    };
    let runtime = contents.read("runtime", &config.runtime)?;
    if !is_runtime(&runtime) {
        return Err(InstallerError::Unfit {
            what: "runtime",
            path: config.runtime.clone().into(),
            problem: "is no runtime of an AppImage of type 2",
        });
    }
    let package = &contents.installer.package;
    let identifier = &contents.product.identifier;
    let mut tree = linux::tree(contents, Format::AppImage);
    let folder = linux::install_folder(contents);
    tree.link("AppRun", format!("{folder}/{}", contents.launcher()));
    tree.link(
        format!("{identifier}.desktop"),
        format!("usr/share/applications/{identifier}.desktop"),
    );
    tree.file(format!("{package}.png"), contents.icon.clone(), FILE);
    tree.link(".DirIcon", format!("{package}.png"));
    // Every runtime of type 2 can read gzip; the newer packings only some.
    let packed = squashfs::make(&tree, work, "appimage", contents.seconds(), &["-comp", "gzip"])?;
    let mut bytes = runtime.to_vec();
    let lay_out = |path: &Path, source| InstallerError::LayOut {
        path: path.to_owned(),
        source,
    };
    bytes.extend(std::fs::read(&packed).map_err(|source| lay_out(&packed, source))?);
    let file = work.join("appimage");
    std::fs::write(&file, bytes).map_err(|source| lay_out(&file, source))?;
    Ok(file)
}

/// An ELF that says so in bytes 8 to 10.
fn is_runtime(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") && bytes.get(8..11) == Some(b"AI\x02")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_says_that_it_is_one() {
        assert!(is_runtime(b"\x7fELF\x02\x01\x01\0AI\x02\0"));
        assert!(!is_runtime(b"\x7fELF\x02\x01\x01\0AI\x01\0"));
        assert!(!is_runtime(b"\x7fELF\x02\x01\x01\0\0\0\0\0"));
        assert!(!is_runtime(b"\x7fELF"));
    }
}
