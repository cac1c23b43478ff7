//! The host that a widget is for, and how much it asks of it in bytes.

use moult_model::{Bundle, HOST_API};

use super::code::kind;
use super::{Findings, Project, Widget, member};
use crate::bundle_folder::Packed;
use crate::output::Size;

/// A bundle of more bytes than this is seldom meant: the widgets that come with Moult have some tens of kilobytes.
const LARGE: u64 = 4 * 1024 * 1024;

/// Kinds of files that the host names to the browser. Others are served without a kind, and scripts or styles among
/// them are refused.
const SERVED: [&str; 10] = [
    "html", "js", "mjs", "css", "json", "svg", "png", "webp", "woff2", "wasm",
];

/// The range of hosts, and what the host can't serve.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let range = widget.manifest.host_api;
    let place = || member("host_api");
    if range.min <= range.max && !range.admits(HOST_API) {
        findings.fault(
            "host_api",
            place(),
            format!(
                "hosts of version {} to {} are named, and there is version {HOST_API}",
                range.min, range.max
            ),
            format!("name a range with {HOST_API} in it"),
        );
    } else if range.max > HOST_API {
        findings.doubt(
            "host_api",
            place(),
            format!(
                "version {} of the host can't have been tried: there is {HOST_API}",
                range.max
            ),
            format!("write `\"max\": {HOST_API}` until there is another"),
        );
    }
    for path in widget.files.keys() {
        let kind = kind(path);
        if kind == "map" {
            findings.doubt(
                "source_map",
                widget.project.shown(path),
                "a source map goes into the bundle, and everybody downloads it",
                "have the build leave it out",
            );
        } else if !SERVED.contains(&kind) {
            findings.doubt(
                "file_kind",
                widget.project.shown(path),
                "the host does not name this kind of file to the browser",
                format!("use one of {}", SERVED.join(", ")),
            );
        }
    }
}

/// The size of the whole.
pub(super) fn look_at_size(project: &Project, packed: &Packed, findings: &mut Findings) {
    let bytes = packed.bytes.len() as u64;
    if bytes > LARGE {
        findings.doubt(
            "size",
            project.whole(),
            format!(
                "the bundle has {}; it is allowed ({}) and much for a widget",
                Size(bytes),
                Size(Bundle::MAX_BYTES)
            ),
            "look for pictures that could be smaller, and for libraries that are used for little",
        );
    }
}
