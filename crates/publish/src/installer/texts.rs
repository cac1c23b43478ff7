//! The texts of a Linux package: menu entry, description for software centres, manual page.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use flate2::{Compression, GzBuilder};
use jiff::tz::TimeZone;

use super::contents::Contents;

/// The menu entry. It names the launcher, never a version of the application.
///
/// The application calls itself by the product's name, so its windows are found by that.
pub(super) fn desktop_entry(contents: &Contents, command: &str, icon: &str) -> String {
    let installer = &contents.installer;
    let mut text = format!(
        "[Desktop Entry]\nType=Application\nName={name}\nComment={comment}\nExec={command} %U\nIcon={icon}\n\
         Terminal=false\nCategories={categories};\nStartupNotify=true\nStartupWMClass={name}\n",
        name = contents.product.name,
        comment = installer.summary.replace('\\', "\\\\"),
        categories = installer.categories.join(";"),
    );
    if !installer.schemes.is_empty() {
        text.push_str("MimeType=");
        for scheme in &installer.schemes {
            let _ = write!(text, "x-scheme-handler/{scheme};");
        }
        text.push('\n');
    }
    text
}

/// What software centres show.
pub(super) fn metainfo(contents: &Contents) -> String {
    let installer = &contents.installer;
    let identifier = xml(&contents.product.identifier);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<component type=\"desktop-application\">\n  <id>{identifier}</id>\n  \
         <metadata_license>CC0-1.0</metadata_license>\n  <project_license>{}</project_license>\n  <name>{}</name>\n  \
         <summary>{}</summary>\n  <description>\n",
        xml(&installer.license),
        xml(&contents.product.name),
        xml(&installer.summary),
    );
    for paragraph in paragraphs(&installer.description) {
        let _ = writeln!(text, "    <p>{}</p>", xml(&paragraph));
    }
    let name = installer.maintainer.split(" <").next().unwrap_or_default();
    let developer = contents
        .product
        .identifier
        .rsplit_once('.')
        .map_or("", |(first, _)| first);
    let _ = write!(
        text,
        "  </description>\n  <launchable type=\"desktop-id\">{identifier}.desktop</launchable>\n  \
         <url type=\"homepage\">{}</url>\n  <developer id=\"{}\">\n    <name>{}</name>\n  </developer>\n  \
         <provides>\n    <binary>{}</binary>\n  </provides>\n  <content_rating type=\"oars-1.1\"/>\n  <releases>\n    \
         <release version=\"{}\" date=\"{}\"/>\n  </releases>\n</component>\n",
        xml(&installer.homepage),
        xml(developer),
        xml(name),
        xml(&installer.package),
        contents.version,
        contents.date.to_zoned(TimeZone::UTC).date(),
    );
    text
}

/// The manual page, packed.
pub(super) fn manual(contents: &Contents) -> Arc<[u8]> {
    let installer = &contents.installer;
    let name = &installer.package;
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut text = format!(
        ".TH {} 1 \"{}\" \"{} {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n.RI [ LINK ...]\n.SH DESCRIPTION\n",
        roff(&name.to_uppercase()),
        contents.date.to_zoned(TimeZone::UTC).date(),
        roff(&contents.product.name),
        roff(&contents.version.to_string()),
        roff(name),
        roff(&installer.summary),
        roff(name),
    );
    for paragraph in paragraphs(&installer.description) {
        // A line that begins with one of these would be a command.
        let safe = if paragraph.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        let _ = writeln!(text, ".PP\n{safe}{}", roff(&paragraph));
    }
    let _ = writeln!(
        text,
        ".PP\nIt starts the newest version that is in order; one that runs already is brought to the front.\n\
         When none starts, moult\\-rescue fetches one that does.\n\
         .SH FILES\n.TP\n.I ~/.local/share/moult\nsettings, widgets and newer versions\n.SH SEE ALSO\n{}",
        roff(&installer.homepage)
    );
    packed(text.as_bytes())
}

/// Packed as Debian wants it: the best packing, without a time and a name.
pub(super) fn packed(bytes: &[u8]) -> Arc<[u8]> {
    let mut packer = GzBuilder::new().write(Vec::new(), Compression::best());
    // A vector takes everything.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default().into()
}

/// The paragraphs of a text, each on one line.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

/// A text within XML.
pub(super) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
