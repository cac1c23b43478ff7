//! An rpm. It has no scripts either: the file triggers of the distributions do what menus and icons need.

use std::path::{Path, PathBuf};

use rpm::{BuildConfig, CompressionWithLevel, Dependency, FileOptions, PackageBuilder};

use super::contents::Contents;
use super::tree::{Entry, FILE};
use super::{Format, InstallerError, linux};

/// How hard to pack.
const PACKING: i32 = 19;

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let file = work.join("rpm");
    let bytes = package(contents)?;
    std::fs::write(&file, bytes).map_err(|source| InstallerError::Pack {
        format: Format::Rpm,
        source,
    })?;
    Ok(file)
}

fn package(contents: &Contents) -> Result<Vec<u8>, InstallerError> {
    let failed = |error: rpm::Error| InstallerError::Rpm(Box::new(error));
    let installer = &contents.installer;
    let mut tree = linux::system_tree(contents, Format::Rpm);
    let licenses = format!("usr/share/licenses/{}", installer.package);
    for (name, bytes) in &contents.licenses {
        tree.file(format!("{licenses}/{name}"), bytes.clone(), FILE);
    }
    // Version 4 is what every rpm in use reads.
    let date = u32::try_from(contents.seconds()).unwrap_or(u32::MAX);
    let config = BuildConfig::v4()
        .source_date(date)
        .compression(CompressionWithLevel::Zstd(PACKING));
    let mut builder = PackageBuilder::new(
        &installer.package,
        &Format::Rpm.version(&contents.version),
        &installer.license,
        Format::Rpm.processor(&contents.target)?,
        &installer.summary,
    );
    builder
        .using_config(config)
        .release("1")
        .url(&installer.homepage)
        .vendor(&installer.maintainer)
        .packager(&installer.maintainer)
        .build_host("localhost")
        .cookie(format!("{} {}", installer.package, contents.version))
        .description(installer.description.trim());
    for name in &installer.rpm.requires {
        builder.requires(Dependency::any(name));
    }
    for name in &installer.rpm.recommends {
        builder.recommends(Dependency::any(name));
    }
    // Only what is this package's alone: the others are the system's.
    for folder in [linux::install_folder(contents), licenses.clone()] {
        if tree.folders().contains(folder.as_str()) {
            let options = FileOptions::dir(format!("/{folder}")).permissions(0o755);
            builder.with_dir_entry(options).map_err(failed)?;
        }
    }
    for (path, entry) in tree.entries() {
        let whole = format!("/{path}");
        match entry {
            Entry::File { bytes, mode } => {
                let mut options = FileOptions::new(whole).permissions(*mode as u16);
                if path.starts_with(&licenses) {
                    options = options.license();
                } else if path.starts_with("usr/share/man/") {
                    options = options.doc();
                }
                builder
                    .with_file_contents(bytes.to_vec(), options)
                    .map_err(failed)?;
            }
            Entry::Link(to) => {
                builder
                    .with_symlink(FileOptions::symlink(whole, to))
                    .map_err(failed)?;
            }
            Entry::Folder => {}
        }
    }
    let package = builder.build().map_err(failed)?;
    let mut bytes = Vec::new();
    package.write(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
