//! What installers are made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What installers are made from. In a path `{target}` stands for the target triple and `{arch}` for its first part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Installer {
    /// The folder that installers are written to.
    #[serde(default = "default_folder")]
    pub folder: String,
    /// The package's name and the command's: lower-case letters, digits and -. It begins with `moult`, by which the
    /// application finds its own package.
    pub package: String,
    /// What it is, in one line without a full stop at its end.
    pub summary: String,
    /// What it is, in paragraphs.
    pub description: String,
    /// The icon, a square PNG of 48 to 512 pixels.
    pub icon: String,
    /// The licence, as an SPDX expression.
    pub license: String,
    /// The texts of the licence.
    #[serde(default)]
    pub license_files: Vec<String>,
    /// The address of the product's page.
    pub homepage: String,
    /// Who makes the packages: a name, and an address in angle brackets.
    pub maintainer: String,
    /// The categories of the menu entry, as freedesktop.org has them.
    #[serde(default = "default_categories")]
    pub categories: Vec<String>,
    /// The schemes of links that open the application.
    #[serde(default)]
    pub schemes: Vec<String>,
    /// The folder with the programs beside the application, the same that it is built with as `MOULT_COMPANIONS`:
    /// `moult-launcher`, and `moult-rescue` and `moult-sandbox` if they are there.
    pub companions: String,
    /// More files beside the application: name and source.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
    /// Files of a Linux system that a deb and an rpm install: whole path and source.
    #[serde(default)]
    pub system: BTreeMap<String, String>,
    /// The Debian package.
    #[serde(default)]
    pub deb: Deb,
    /// The rpm package.
    #[serde(default)]
    pub rpm: Rpm,
    /// The AppImage. None: it is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appimage: Option<AppImage>,
    /// The snap.
    #[serde(default)]
    pub snap: Snap,
    /// What is for Windows alone. None: nothing is made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// What is for macOS alone. None: nothing is made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos: Option<Macos>,
    /// Commands that sign. By format (`nsis`, `dmg`, ...) they are run on the finished file before it is hashed; `app`
    /// is run on macOS' application before it is put into the dmg.
    #[serde(default)]
    pub sign: BTreeMap<String, Vec<Hook>>,
}

/// A command: a program and its arguments, without a shell. `{file}` stands for the file.
pub type Hook = Vec<String>;

/// The Debian package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deb {
    /// The section of the archive.
    pub section: String,
    /// What it needs.
    pub depends: Vec<String>,
    /// What is good to have.
    pub recommends: Vec<String>,
}

/// The rpm package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rpm {
    /// What it needs: names of packages or of libraries, such as `libgtk-3.so.0()(64bit)`.
    pub requires: Vec<String>,
    /// What is good to have.
    pub recommends: Vec<String>,
}

/// The AppImage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppImage {
    /// The runtime of type 2 that stands before the file system: `cargo xtask setup` lays one for x86_64 into `target/tools`.
    pub runtime: String,
}

/// The snap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Snap {
    /// The snap that it runs on.
    pub base: String,
    /// What it may do.
    pub plugs: Vec<String>,
    /// The content snap with GTK and WebKitGTK, of the same name as its plug. None: its libraries come from elsewhere.
    pub platform: Option<String>,
}

/// What is for Windows alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// The icon, an ICO.
    pub icon: String,
    /// A file with the macros `NSIS_HOOK_PREUNINSTALL` and `NSIS_HOOK_POSTUNINSTALL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<String>,
    /// The installer's code for Windows Installer: a GUID that never changes. None: no MSI is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade_code: Option<String>,
}

/// What is for macOS alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Macos {
    /// The icon, an ICNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The oldest macOS that it runs on.
    pub minimum: String,
}

impl Default for Deb {
    fn default() -> Self {
        Self {
            section: "utils".to_owned(),
            depends: Vec::new(),
            recommends: Vec::new(),
        }
    }
}

impl Default for Snap {
    fn default() -> Self {
        let plugs = ["desktop", "desktop-legacy", "network", "opengl", "wayland", "x11"];
        Self {
            base: "core24".to_owned(),
            plugs: plugs.map(str::to_owned).to_vec(),
            platform: Some("gnome-46-2404".to_owned()),
        }
    }
}

fn default_folder() -> String {
    "dist/installers".to_owned()
}

fn default_categories() -> Vec<String> {
    vec!["Utility".to_owned()]
}
