//! The picture of the widget.

use super::code::kind;
use super::{Findings, Widget, member};
use crate::output::Size;

/// A picture of more bytes than this is not made for the size that it is shown at.
const LARGE: usize = 128 * 1024;

/// Whether there is one, and whether it can be shown.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let Some(path) = &widget.manifest.icon else {
        return findings.doubt(
            "icon",
            member("icon"),
            "the widget has no picture",
            "draw one as SVG, put it into the bundle and name it: `\"icon\": \"icon.svg\"`",
        );
    };
    // Packing says that it is missing.
    let Some(bytes) = widget.files.get(path) else {
        return;
    };
    let place = widget.project.shown(path);
    let problem = if kind(path) == "svg" {
        svg(bytes)
    } else if kind(path) == "png" {
        png(bytes)
    } else {
        Some((
            "it is neither SVG nor PNG",
            "name a file that ends in `.svg` or `.png`",
        ))
    };
    if let Some((what, mend)) = problem {
        findings.fault("icon", &*place, what, mend);
    }
    if bytes.len() > LARGE {
        let what = format!(
            "it has {}, and is shown no larger than a thumb",
            Size(bytes.len() as u64)
        );
        findings.doubt("icon", place, what, "make it smaller");
    }
}

type Problem = (&'static str, &'static str);

fn svg(bytes: &[u8]) -> Option<Problem> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(("it is not UTF-8", "save it as UTF-8"));
    };
    let lower = text.to_ascii_lowercase();
    if !lower.contains("<svg") {
        return Some(("it is no SVG", "save the drawing as SVG"));
    }
    if lower.contains("<script") || lower.contains("javascript:") || lower.contains(" onload=") {
        return Some(("a script stands in it", "save the drawing without scripts"));
    }
    let reaches = ["href=\"http", "href='http", "url(http", "<image"];
    if reaches.iter().any(|reach| lower.contains(reach)) {
        return Some(("it shows another file", "draw all of it in the one file"));
    }
    if !text.contains("viewBox") {
        return Some((
            "it has no `viewBox`, so it is cut where it is shown smaller",
            "add one, such as `viewBox=\"0 0 24 24\"`",
        ));
    }
    None
}

fn png(bytes: &[u8]) -> Option<Problem> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("it is no PNG", "save the picture as PNG"));
    }
    let side = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    match side(16).zip(side(20)) {
        Some((width, height)) if width == height && width >= 64 => None,
        Some(_) => Some((
            "it is not a square of at least 64 by 64",
            "save it as a square, best 128 by 128",
        )),
        None => Some(("it ends early", "save the picture again")),
    }
}
