//! Installers: one configuration, a file per format.
//!
//! An installer brings the launcher, the packaged version (slot `base`) and what lies beside them. Its executable is
//! byte for byte the one that is published, so the first update starts from it with a patch. The same input and date
//! give the same bytes (not for msi and dmg, whose makers write times and random names).

mod appimage;
mod check;
mod contents;
mod deb;
mod dmg;
pub mod error;
pub mod format;
mod linux;
mod msi;
mod nsis;
mod program;
mod rpm_package;
mod snap;
mod squashfs;
mod texts;
mod tree;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use moult_model::{Digest, Version};
use serde::{Deserialize, Serialize};

pub use self::error::InstallerError;
pub use self::format::{Format, System};

use self::contents::Contents;
use crate::config::Workspace;

/// The list of a folder's installers, for whoever publishes them.
pub const LIST: &str = "installers.json";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The version.
    pub version: Version,
    /// The target triple.
    pub triple: String,
    /// The formats. Empty: all of the target's system that need no other system to be made.
    pub formats: Vec<Format>,
    /// The application, if not the configured one.
    pub executable: Option<PathBuf>,
    /// The folder of the programs beside it, if not the configured one.
    pub companions: Option<PathBuf>,
    /// Where installers are written to, if not below the configured folder.
    pub out: Option<PathBuf>,
    /// What files are marked with.
    pub date: Timestamp,
}

/// The installers of one version for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The version.
    pub version: Version,
    /// The target triple.
    pub target: String,
    /// Where they are.
    pub folder: PathBuf,
    /// What was made.
    pub installers: Vec<Installed>,
}

/// One installer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its format's name.
    pub format: String,
    /// Its file name.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, of the file as it was signed.
    pub sha256: Digest,
}

/// The list as it is written.
#[derive(Serialize, Deserialize)]
struct List {
    version: Version,
    target: String,
    installers: Vec<Installed>,
}

/// Makes installers. Each is put in its place as soon as it is made; one that fails leaves those before it.
pub fn make(workspace: &Workspace, request: &Request) -> Result<Made, InstallerError> {
    let contents = Contents::gather(workspace, request)?;
    let formats = chosen(&contents, &request.formats)?;
    let folder = match &request.out {
        Some(folder) => folder.clone(),
        None => workspace
            .resolve(&contents.installer.folder)
            .join(request.version.to_string())
            .join(&request.triple),
    };
    moult_durable::create_dir_all(&folder)?;
    // On the same volume, so that what is finished takes its name at once.
    let work = tempfile::Builder::new()
        .prefix(".making-")
        .tempdir_in(&folder)
        .map_err(|source| InstallerError::LayOut {
            path: folder.clone(),
            source,
        })?;
    let mut installers = Vec::new();
    for format in formats {
        let made = make_one(&contents, format, work.path(), &folder)?;
        note(&folder, &contents, &made)?;
        installers.push(made);
    }
    Ok(Made {
        version: request.version.clone(),
        target: request.triple.clone(),
        folder,
        installers,
    })
}

/// The formats to be made, each once and in the same order.
fn chosen(contents: &Contents, asked: &[Format]) -> Result<Vec<Format>, InstallerError> {
    let target = &contents.target;
    if let Some(format) = asked.iter().find(|format| format.system() != target.system) {
        return Err(InstallerError::NotFor {
            format: *format,
            triple: target.triple.clone(),
        });
    }
    let mut formats = asked.to_vec();
    if formats.is_empty() {
        formats = match target.system {
            System::Linux => vec![Format::Deb, Format::Rpm, Format::Snap],
            System::Windows => vec![Format::Nsis],
            System::Macos => vec![Format::Dmg],
        };
        if target.system == System::Linux && contents.installer.appimage.is_some() {
            formats.push(Format::AppImage);
        }
    }
    formats.sort();
    formats.dedup();
    Ok(formats)
}

fn make_one(
    contents: &Contents,
    format: Format,
    work: &Path,
    folder: &Path,
) -> Result<Installed, InstallerError> {
    let name = format.file_name(
        &contents.product.name,
        &contents.installer.package,
        &contents.version,
        &contents.target,
    )?;
    let made = match format {
        Format::AppImage => appimage::make(contents, work),
        Format::Deb => deb::make(contents, work),
        Format::Rpm => rpm_package::make(contents, work),
        Format::Snap => snap::make(contents, work),
        Format::Nsis => nsis::make(contents, work),
        Format::Msi => msi::make(contents, work),
        Format::Dmg => dmg::make(contents, work),
    }?;
    let lay_out = |path: &Path, source| InstallerError::LayOut {
        path: path.to_owned(),
        source,
    };
    // Programs that sign go by the file's name.
    let named = work.join(&name);
    std::fs::rename(&made, &named).map_err(|source| lay_out(&named, source))?;
    if let Some(hooks) = contents.installer.sign.get(format.name()) {
        program::sign(hooks, &named, &contents.folder)?;
    }
    let bytes = std::fs::read(&named).map_err(|source| lay_out(&named, source))?;
    let permissions = if format == Format::AppImage {
        tree::PROGRAM
    } else {
        tree::FILE
    };
    moult_durable::write_atomic_with_mode(&folder.join(&name), &bytes, permissions)?;
    Ok(Installed {
        format: format.name().to_owned(),
        file: name,
        size: bytes.len() as u64,
        sha256: Digest::of(&bytes),
    })
}

/// Notes an installer in the folder's list, in the place of the one of its format. A list of another version or
/// target, or one that can't be read, begins anew.
fn note(folder: &Path, contents: &Contents, made: &Installed) -> Result<(), InstallerError> {
    let path = folder.join(LIST);
    let mut list = std::fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<List>(&bytes).ok())
        .filter(|list| list.version == contents.version && list.target == contents.target.triple)
        .unwrap_or_else(|| List {
            version: contents.version.clone(),
            target: contents.target.triple.clone(),
            installers: Vec::new(),
        });
    list.installers.retain(|known| known.format != made.format);
    list.installers.push(made.clone());
    list.installers
        .sort_by(|one, other| one.format.cmp(&other.format));
    let mut text = serde_json::to_vec_pretty(&list).map_err(|source| InstallerError::LayOut {
        path: path.clone(),
        source: source.into(),
    })?;
    text.push(b'\n');
    moult_durable::write_atomic(&path, &text)?;
    Ok(())
}
