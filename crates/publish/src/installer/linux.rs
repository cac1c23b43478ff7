//! How a Linux system is laid out. All four formats have the same folders; what only a package manager can
//! look after (files of the system, documentation) is a deb's and an rpm's alone.

use super::Format;
use super::contents::Contents;
use super::texts;
use super::tree::{FILE, Tree};

/// The folder with the launcher and the application.
pub(super) fn install_folder(contents: &Contents) -> String {
    format!("usr/lib/{}", contents.installer.package)
}

/// The files of the application, its menu entry and its icon, below `usr`.
pub(super) fn tree(contents: &Contents, format: Format) -> Tree {
    let package = &contents.installer.package;
    let identifier = &contents.product.identifier;
    let mut tree = Tree::default();
    let folder = install_folder(contents);
    contents.install_into(&mut tree, &folder, format);
    // The launcher finds its folder by its own path without links.
    tree.link(
        format!("usr/bin/{package}"),
        format!("../lib/{package}/{}", contents.launcher()),
    );
    tree.text(
        format!("usr/share/applications/{identifier}.desktop"),
        texts::desktop_entry(contents, package, package),
    );
    let side = contents.icon_side;
    tree.file(
        format!("usr/share/icons/hicolor/{side}x{side}/apps/{package}.png"),
        contents.icon.clone(),
        FILE,
    );
    tree.text(
        format!("usr/share/metainfo/{identifier}.metainfo.xml"),
        texts::metainfo(contents),
    );
    tree
}

/// The same with what a package manager looks after.
pub(super) fn system_tree(contents: &Contents, format: Format) -> Tree {
    let package = &contents.installer.package;
    let mut tree = tree(contents, format);
    if contents.has_rescue() {
        tree.link("usr/bin/moult-rescue", format!("../lib/{package}/moult-rescue"));
        // The manual speaks of both.
        tree.link("usr/share/man/man1/moult-rescue.1.gz", format!("{package}.1.gz"));
    }
    for (path, bytes) in &contents.system {
        tree.file(path.clone(), bytes.clone(), FILE);
    }
    let manual = texts::manual(contents);
    tree.file(format!("usr/share/man/man1/{package}.1.gz"), manual, FILE);
    tree
}
