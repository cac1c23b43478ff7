//! What goes into an installer: read once, checked, and shared by all formats.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use moult_model::config::Product;
use moult_model::config::installer::Installer;
use moult_model::{Digest, Version};
use serde_json::json;

use super::check::problem;
use super::format::Target;
use super::tree::{FILE, PROGRAM, Tree};
use super::{Format, InstallerError, Request};
use crate::config::Workspace;

/// The names that the launcher looks for beside itself (`moult_boot::layout`).
const LAUNCHER: &str = "moult";
const APPLICATION: &str = "moult-app";
const LABEL: &str = "moult-app.json";

/// Everything that all formats are made from.
pub(super) struct Contents {
    pub(super) product: Product,
    pub(super) installer: Installer,
    pub(super) version: Version,
    pub(super) target: Target,
    /// What files are marked with.
    pub(super) date: Timestamp,
    /// The folder that commands run in.
    pub(super) folder: PathBuf,
    /// The icon, and the length of its sides in pixels.
    pub(super) icon: Arc<[u8]>,
    pub(super) icon_side: u32,
    /// The texts of the licence, by the names of their files.
    pub(super) licenses: Vec<(String, Arc<[u8]>)>,
    /// Files of the system, by their paths without the first `/`.
    pub(super) system: Vec<(String, Arc<[u8]>)>,
    /// Where the configuration's files are.
    places: Places,
    app: Arc<[u8]>,
    /// The programs and files beside the application, by name.
    beside: Vec<(String, Arc<[u8]>, u32)>,
}

/// Makes paths of the configuration whole.
struct Places {
    workspace: Workspace,
    target: Target,
}

impl Contents {
    /// Reads and checks everything.
    pub(super) fn gather(workspace: &Workspace, request: &Request) -> Result<Self, InstallerError> {
        let config = workspace.config();
        let installer = config.installer.clone().ok_or(InstallerError::NotConfigured)?;
        if let Some((field, problem)) = problem(&installer, &config.product) {
            return Err(InstallerError::Value { field, problem });
        }
        let target = Target::of(&request.triple)?;
        let places = Places {
            workspace: workspace.clone(),
            target: target.clone(),
        };
        let app = places.application(request.executable.as_deref())?;
        let companions = request
            .companions
            .clone()
            .unwrap_or_else(|| places.whole(&installer.companions));
        let mut beside = programs(&companions, &target)?;
        for (name, path) in &installer.beside {
            let path = places.whole(path);
            let mode = if is_program(&path) { PROGRAM } else { FILE };
            beside.push((name.clone(), read("file", &path)?, mode));
        }
        let icon_path = places.whole(&installer.icon);
        let icon = read("icon", &icon_path)?;
        let icon_side = side(&icon).ok_or(InstallerError::Unfit {
            what: "icon",
            path: icon_path,
            problem: "is no square PNG of 48 to 512 pixels",
        })?;
        let mut licenses = Vec::new();
        for path in &installer.license_files {
            let path = places.whole(path);
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            licenses.push((name.unwrap_or_default(), read("licence", &path)?));
        }
        let mut system = Vec::new();
        for (name, path) in &installer.system {
            let name = name.trim_start_matches('/').to_owned();
            system.push((name, read("file", &places.whole(path))?));
        }
        Ok(Self {
            product: config.product.clone(),
            version: request.version.clone(),
            target,
            date: request.date,
            folder: workspace.folder().to_owned(),
            icon,
            icon_side,
            licenses,
            system,
            app,
            beside,
            installer,
            places,
        })
    }

    /// The install folder: the launcher, the application and what lies beside them, below `folder`.
    ///
    /// The label says the format, and whether newer versions of the executable may start from the user's folder.
    pub(super) fn install_into(&self, tree: &mut Tree, folder: &str, format: Format) {
        let within = |name: &str| match folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let suffix = self.target.suffix();
        tree.file(
            within(&format!("{APPLICATION}{suffix}")),
            self.app.clone(),
            PROGRAM,
        );
        for (name, bytes, mode) in &self.beside {
            tree.file(within(name), bytes.clone(), *mode);
        }
        let mut label = json!({
            "version": self.version,
            "digest": Digest::of(&self.app),
            "format": format.name(),
        });
        if format == Format::Snap {
            label["updates_executable"] = false.into();
        }
        tree.text(within(LABEL), format!("{label:#}\n"));
    }

    /// Whether the rescue is among the programs.
    pub(super) fn has_rescue(&self) -> bool {
        let name = format!("moult-rescue{}", self.target.suffix());
        self.beside.iter().any(|(found, ..)| *found == name)
    }

    /// The launcher's file name.
    pub(super) fn launcher(&self) -> String {
        format!("{LAUNCHER}{}", self.target.suffix())
    }

    /// Reads a file that the configuration names.
    pub(super) fn read(&self, what: &'static str, path: &str) -> Result<Arc<[u8]>, InstallerError> {
        read(what, &self.places.whole(path))
    }

    /// The date as seconds since 1970.
    pub(super) fn seconds(&self) -> i64 {
        self.date.as_second()
    }
}

impl Places {
    fn whole(&self, path: &str) -> PathBuf {
        let path = path
            .replace("{target}", &self.target.triple)
            .replace("{arch}", &self.target.processor);
        self.workspace.resolve(&path)
    }

    /// The application: the named file, or the configured one, which may lack what programs end in.
    fn application(&self, named: Option<&Path>) -> Result<Arc<[u8]>, InstallerError> {
        let mut path = named.map_or_else(|| self.workspace.executable(&self.target.triple), PathBuf::from);
        if named.is_none() && !self.target.suffix().is_empty() && path.extension().is_none() {
            path.set_extension(&self.target.suffix()[1..]);
        }
        let bytes = read("executable", &path)?;
        if bytes.is_empty() {
            return Err(InstallerError::Unfit {
                what: "executable",
                path,
                problem: "is empty",
            });
        }
        Ok(bytes)
    }
}

/// A file of an installer: its name, its bytes and its mode.
type Program = (String, Arc<[u8]>, u32);

/// The programs in a folder of companions, under the names that they have when they are installed.
fn programs(folder: &Path, target: &Target) -> Result<Vec<Program>, InstallerError> {
    let suffix = target.suffix();
    let mut found = Vec::new();
    for (built, installed, must) in [
        ("moult-launcher", LAUNCHER, true),
        ("moult-rescue", "moult-rescue", false),
        ("moult-sandbox", "moult-sandbox", false),
    ] {
        let path = folder.join(format!("{built}{suffix}"));
        if must || path.exists() {
            found.push((format!("{installed}{suffix}"), read("program", &path)?, PROGRAM));
        }
    }
    Ok(found)
}

fn read(what: &'static str, path: &Path) -> Result<Arc<[u8]>, InstallerError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(source) => Err(InstallerError::Read {
            what,
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(_path: &Path) -> bool {
    true
}

/// The length of a square PNG's sides: they stand in its first chunk, which is always at the same place.
fn side(png: &[u8]) -> Option<u32> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    let (width, height) = (number(16)?, number(20)?);
    let is_fit = png.starts_with(b"\x89PNG\r\n\x1a\n") && width == height && (48..=512).contains(&width);
    is_fit.then_some(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_a_square_png_of_a_size_that_menus_show() {
        let png = |width: u32, height: u32| {
            let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            bytes.extend(width.to_be_bytes());
            bytes.extend(height.to_be_bytes());
            bytes
        };
        assert_eq!(side(&png(512, 512)), Some(512));
        assert_eq!(side(&png(48, 48)), Some(48));
        for bad in [
            png(512, 511),
            png(32, 32),
            png(1024, 1024),
            b"\x89PNG".to_vec(),
            vec![0; 64],
        ] {
            assert_eq!(side(&bad), None);
        }
    }
}
