//! A disk image for macOS: the application as a bundle, and a link to where applications lie.
//!
//! The bundle is laid out anywhere; signing it and making the image needs macOS.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::texts::xml;
use super::tree::{FILE, Tree};
use super::{Format, InstallerError, program};

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let tree = tree(contents)?;
    let folder = work.join("dmg.root");
    tree.write_to(&folder)?;
    let name = &contents.product.name;
    if let Some(hooks) = contents.installer.sign.get("app") {
        let bundle = folder.join(format!("{name}.app"));
        program::sign(hooks, &bundle, &contents.folder)?;
    }
    let arguments = [
        "create",
        "-quiet",
        "-fs",
        "HFS+",
        "-format",
        "UDZO",
        "-volname",
        name,
        "-srcfolder",
        "dmg.root",
        "moult.dmg",
    ];
    program::run("hdiutil", arguments, work, Some(contents.seconds()))?;
    Ok(work.join("moult.dmg"))
}

/// The image's files.
fn tree(contents: &Contents) -> Result<Tree, InstallerError> {
    let Some(macos) = &contents.installer.macos else {
        return Err(InstallerError::Lacks {
            format: Format::Dmg,
            field: "macos",
        });
    };
    let mut tree = Tree::default();
    let inside = format!("{}.app/Contents", contents.product.name);
    contents.install_into(&mut tree, &format!("{inside}/MacOS"), Format::Dmg);
    if let Some(icon) = &macos.icon {
        let icon = contents.read("icon", icon)?;
        tree.file(format!("{inside}/Resources/icon.icns"), icon, FILE);
    }
    tree.text(format!("{inside}/Info.plist"), list(contents, &macos.minimum));
    tree.text(format!("{inside}/PkgInfo"), "APPL????");
    tree.link("Applications", "/Applications");
    Ok(tree)
}

/// The bundle's description. What is started is the launcher.
fn list(contents: &Contents, minimum: &str) -> String {
    let version = &contents.version;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n",
    );
    let numbers = format!("{}.{}.{}", version.major, version.minor, version.patch);
    for (key, value) in [
        ("CFBundlePackageType", "APPL"),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleIdentifier", &contents.product.identifier),
        ("CFBundleName", &contents.product.name),
        ("CFBundleDisplayName", &contents.product.name),
        ("CFBundleExecutable", &contents.launcher()),
        ("CFBundleIconFile", "icon"),
        ("CFBundleShortVersionString", &numbers),
        ("CFBundleVersion", &numbers),
        ("LSMinimumSystemVersion", minimum),
    ] {
        let _ = writeln!(text, "  <key>{key}</key>\n  <string>{}</string>", xml(value));
    }
    text.push_str("  <key>NSHighResolutionCapable</key>\n  <true/>\n");
    if !contents.installer.schemes.is_empty() {
        let _ = write!(
            text,
            "  <key>CFBundleURLTypes</key>\n  <array>\n    <dict>\n      <key>CFBundleURLName</key>\n      \
             <string>{}</string>\n      <key>CFBundleURLSchemes</key>\n      <array>\n",
            xml(&contents.product.identifier)
        );
        for scheme in &contents.installer.schemes {
            let _ = writeln!(text, "        <string>{}</string>", xml(scheme));
        }
        text.push_str("      </array>\n    </dict>\n  </array>\n");
    }
    text.push_str("</dict>\n</plist>\n");
    text
}
