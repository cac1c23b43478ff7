//! A snap. Its executable is renewed by the store, with the snap, so its label switches Moult's own way off;
//! widgets and the shell are renewed as ever, in the user's folder of the snap.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::tree::{FILE, Tree};
use super::{Format, InstallerError, linux, squashfs, texts};

/// Where the content snap with GTK and WebKitGTK is mounted.
const PLATFORM: &str = "gnome-platform";

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let package = &contents.installer.package;
    let mut tree = linux::tree(contents, Format::Snap);
    tree.text("meta/snap.yaml", description(contents)?);
    let icon = format!("${{SNAP}}/meta/gui/{package}.png");
    tree.text(
        format!("meta/gui/{package}.desktop"),
        texts::desktop_entry(contents, package, &icon),
    );
    tree.file(format!("meta/gui/{package}.png"), contents.icon.clone(), FILE);
    if contents.installer.snap.platform.is_some() {
        mount_points(&mut tree);
    }
    // As `snap pack` does it; the store refuses other packings.
    let options = ["-comp", "xz", "-no-fragments"];
    squashfs::make(&tree, work, "snap", contents.seconds(), &options)
}

fn mount_points(tree: &mut Tree) {
    tree.folder(PLATFORM);
}

/// The text of `meta/snap.yaml`. Words are written as JSON has them, which YAML reads the same.
fn description(contents: &Contents) -> Result<String, InstallerError> {
    let installer = &contents.installer;
    let package = &installer.package;
    let grade = if contents.version.pre.is_empty() {
        "stable"
    } else {
        "devel"
    };
    let mut text = format!(
        "name: {package}\ntitle: {}\nversion: {}\nsummary: {}\ndescription: {}\nlicense: {}\nlinks:\n  website: [{}]\n\
         base: {}\ngrade: {grade}\nconfinement: strict\narchitectures: [{}]\n",
        word(&contents.product.name),
        word(&contents.version.to_string()),
        word(&installer.summary),
        word(installer.description.trim()),
        word(&installer.license),
        word(&installer.homepage),
        word(&installer.snap.base),
        Format::Snap.processor(&contents.target)?,
    );
    let mut plugs: Vec<&str> = installer.snap.plugs.iter().map(String::as_str).collect();
    let library = contents.target.library_folder();
    let mut environment = vec![
        // The folder that stays the same from one revision of the snap to the next.
        (
            "XDG_DATA_HOME".to_owned(),
            "$SNAP_USER_COMMON/.local/share".to_owned(),
        ),
        ("XDG_CACHE_HOME".to_owned(), "$SNAP_USER_COMMON/.cache".to_owned()),
    ];
    if let Some(platform) = &installer.snap.platform {
        plugs.push(platform);
        let within = format!("$SNAP/{PLATFORM}/usr");
        let _ = write!(
            text,
            "plugs:\n  {platform}:\n    interface: content\n    target: $SNAP/{PLATFORM}\n    default-provider: {platform}\n\
             layout:\n  /usr/lib/{library}/webkit2gtk-4.1:\n    bind: {within}/lib/{library}/webkit2gtk-4.1\n",
            platform = word(platform),
        );
        environment.extend([
            (
                "LD_LIBRARY_PATH".to_owned(),
                format!("{within}/lib/{library}:{within}/lib"),
            ),
            (
                "XDG_DATA_DIRS".to_owned(),
                format!("$SNAP/usr/share:{within}/share:/usr/share"),
            ),
            ("GTK_PATH".to_owned(), format!("{within}/lib/{library}/gtk-3.0")),
        ]);
    }
    let _ = write!(
        text,
        "apps:\n  {package}:\n    command: {}/{}\n    desktop: meta/gui/{package}.desktop\n    plugs:\n",
        linux::install_folder(contents),
        contents.launcher(),
    );
    for plug in plugs {
        let _ = writeln!(text, "      - {}", word(plug));
    }
    text.push_str("    environment:\n");
    for (name, value) in environment {
        let _ = writeln!(text, "      {name}: {}", word(&value));
    }
    Ok(text)
}

fn word(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
