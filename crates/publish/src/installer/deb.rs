//! A Debian package: an archive of two archives. It has no scripts: what menus and icons need, dpkg's triggers do.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use liblzma::write::XzEncoder;
use md5::{Digest as _, Md5};

use super::contents::Contents;
use super::texts::{packed, paragraphs};
use super::tree::{Entry, FILE, PROGRAM, Tree};
use super::{Format, InstallerError, linux};

/// How hard to pack. More gains less than one in a hundred here and takes far more memory to unpack.
const PACKING: u32 = 6;
/// What a name in a plain header can hold.
const NAME: usize = 100;

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let file = work.join("deb");
    archive(contents)
        .and_then(|bytes| std::fs::write(&file, bytes))
        .map_err(|source| InstallerError::Pack {
            format: Format::Deb,
            source,
        })?;
    Ok(file)
}

fn archive(contents: &Contents) -> io::Result<Vec<u8>> {
    let tree = tree(contents)?;
    let mut control = Tree::default();
    control.text("control", fields(contents, &tree)?);
    control.text("md5sums", sums(&tree));
    let date = contents.seconds().unsigned_abs();
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.xz", tar(&control, date)?),
        ("data.tar.xz", tar(&tree, date)?),
    ];
    let mut deb = ar::Builder::new(Vec::new());
    for (name, bytes) in parts {
        let mut header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(date);
        deb.append(&header, bytes.as_slice())?;
    }
    deb.into_inner()
}

/// What is installed: with Debian's own documents.
fn tree(contents: &Contents) -> io::Result<Tree> {
    let installer = &contents.installer;
    let mut tree = linux::system_tree(contents, Format::Deb);
    let documents = format!("usr/share/doc/{}", installer.package);
    tree.text(format!("{documents}/copyright"), copyright(contents));
    let date =
        jiff::fmt::rfc2822::to_string(&contents.date.to_zoned(TimeZone::UTC)).map_err(io::Error::other)?;
    let changes = format!(
        "{} ({}) stable; urgency=medium\n\n  * Version {}. What changed is told at\n    {}\n\n -- {}  {date}\n",
        installer.package,
        Format::Deb.version(&contents.version),
        contents.version,
        installer.homepage,
        installer.maintainer,
    );
    let changes = packed(changes.as_bytes());
    tree.file(format!("{documents}/changelog.gz"), changes, FILE);
    let overrides = overrides(contents);
    tree.text(
        format!("usr/share/lintian/overrides/{}", installer.package),
        overrides,
    );
    Ok(tree)
}

/// What lintian would find, and why it is so. Programs that are not packed make some of it needless, which it does not mind.
fn overrides(contents: &Contents) -> String {
    let package = &contents.installer.package;
    format!(
        "# It must start when libraries of the system are broken.\n\
         {package}: statically-linked-binary [usr/lib/{package}/*]\n\
         # It tells its user how it is renewed, so it looks whether it came as a package.\n\
         {package}: uses-dpkg-database-directly [usr/lib/{package}/*]\n"
    )
}

/// The control file.
fn fields(contents: &Contents, tree: &Tree) -> io::Result<String> {
    let installer = &contents.installer;
    let processor = Format::Deb
        .processor(&contents.target)
        .map_err(io::Error::other)?;
    let mut text = format!(
        "Package: {}\nVersion: {}\nArchitecture: {processor}\nMaintainer: {}\nInstalled-Size: {}\n",
        installer.package,
        Format::Deb.version(&contents.version),
        installer.maintainer,
        installed_size(tree),
    );
    for (field, words) in [
        ("Depends", &installer.deb.depends),
        ("Recommends", &installer.deb.recommends),
    ] {
        if !words.is_empty() {
            let _ = writeln!(text, "{field}: {}", words.join(", "));
        }
    }
    let _ = write!(
        text,
        "Section: {}\nPriority: optional\nHomepage: {}\nDescription: {}\n",
        installer.deb.section, installer.homepage, installer.summary,
    );
    for (at, paragraph) in paragraphs(&installer.description).iter().enumerate() {
        if at > 0 {
            text.push_str(" .\n");
        }
        for line in wrapped(paragraph) {
            let _ = writeln!(text, " {line}");
        }
    }
    Ok(text)
}

/// A paragraph in lines of at most 76 characters.
fn wrapped(paragraph: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 76 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// In KiB, each file rounded up, as Debian's own tools count; a folder or a link counts as one.
fn installed_size(tree: &Tree) -> u64 {
    let files: u64 = tree
        .entries()
        .map(|(_, entry)| match entry {
            Entry::File { bytes, .. } => (bytes.len() as u64).div_ceil(1024),
            Entry::Link(_) | Entry::Folder => 1,
        })
        .sum();
    files + tree.folders().len() as u64
}

fn sums(tree: &Tree) -> String {
    let mut text = String::new();
    for (path, entry) in tree.entries() {
        if let Entry::File { bytes, .. } = entry {
            let _ = writeln!(text, "{}  {path}", hex::encode(Md5::digest(bytes)));
        }
    }
    text
}

/// Who holds the rights, and the licence, in Debian's machine-readable form. Licences that every Debian has are
/// named, not repeated.
fn copyright(contents: &Contents) -> String {
    let installer = &contents.installer;
    let name = installer.maintainer.split(" <").next().unwrap_or_default();
    let license = installer
        .license
        .replace(" OR ", " or ")
        .replace(" AND ", " and ");
    let mut text = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: {}\n\
         Upstream-Contact: {}\nSource: {}\n\nFiles: *\nCopyright: {} {name}\nLicense: {license}\n",
        contents.product.name,
        installer.maintainer,
        installer.homepage,
        contents.date.to_zoned(TimeZone::UTC).year(),
    );
    for (file, bytes) in &contents.licenses {
        let license = String::from_utf8_lossy(bytes);
        if license.contains("Apache License") {
            text.push_str(" The text of the Apache License, Version 2.0, is in\n /usr/share/common-licenses/Apache-2.0.\n .\n");
            continue;
        }
        let _ = writeln!(text, " {file}:\n .");
        for line in license.trim_end().lines() {
            let line = line.trim_end();
            let _ = writeln!(text, " {}", if line.is_empty() { "." } else { line });
        }
        text.push_str(" .\n");
    }
    text.truncate(text.trim_end_matches(" .\n").len());
    text
}

/// A packed archive of everything, all of it the administrator's.
fn tar(tree: &Tree, date: u64) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(XzEncoder::new(Vec::new(), PACKING));
    let folders = tree.folders();
    let mut entry = |name: &str, kind, mode, size: u64, link: Option<&str>, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(date);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        header.set_size(size);
        if let Some(link) = link {
            header.set_link_name(link)?;
        }
        let plain = format!("./{name}");
        if plain.len() < NAME {
            // The crate would take the `./` away that dpkg writes before each name.
            header.as_old_mut().name[..plain.len()].copy_from_slice(plain.as_bytes());
            header.set_cksum();
            archive.append(&header, bytes)
        } else {
            archive.append_data(&mut header, name, bytes)
        }
    };
    entry("", tar::EntryType::Directory, PROGRAM, 0, None, &[])?;
    for folder in folders {
        entry(
            &format!("{folder}/"),
            tar::EntryType::Directory,
            PROGRAM,
            0,
            None,
            &[],
        )?;
    }
    for (path, found) in tree.entries() {
        match found {
            Entry::File { bytes, mode } => {
                entry(
                    path,
                    tar::EntryType::Regular,
                    *mode,
                    bytes.len() as u64,
                    None,
                    bytes,
                )?;
            }
            Entry::Link(to) => entry(path, tar::EntryType::Symlink, 0o777, 0, Some(to), &[])?,
            Entry::Folder => {}
        }
    }
    let mut packer = archive.into_inner()?;
    packer.flush()?;
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_between_words() {
        let text = "word ".repeat(40);
        let lines = wrapped(text.trim());
        assert!(lines.iter().all(|line| line.len() <= 76), "{lines:?}");
        assert_eq!(lines.join(" "), text.trim());
    }

    #[test]
    fn sizes_are_rounded_up_file_by_file() {
        let mut tree = Tree::default();
        tree.file("usr/a", vec![0; 1025], FILE);
        tree.file("usr/b", vec![0; 1], FILE);
        tree.link("usr/c", "a");
        assert_eq!(installed_size(&tree), 2 + 1 + 1 + 1);
    }
}
