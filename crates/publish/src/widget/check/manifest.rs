//! The manifest: whether it can be read, whether it makes sense, whether what was built is of it.

use moult_model::bundle::{BundleKind, Size};
use moult_model::{BundleError, BundleManifest};

use super::{Findings, Project, Widget, member};
use crate::PublishError;
use crate::bundle_folder::MANIFEST;

/// Reads the manifest; one that can't be read is the one finding then.
pub(super) fn read(project: &Project, bytes: &[u8], findings: &mut Findings) -> Option<BundleManifest> {
    if project.is_built_apart()
        && let Ok(own) = std::fs::read(project.folder.join(MANIFEST))
        && !says_the_same(&own, bytes)
    {
        findings.fault(
            "stale",
            project.shown(MANIFEST),
            "it differs from the moult.json of the project",
            "build the widget again, then check it again",
        );
    }
    match serde_json::from_slice(bytes) {
        Ok(manifest) => Some(manifest),
        Err(error) => {
            let place = format!("{MANIFEST}:{}:{}", error.line(), error.column());
            let mend = if error.is_data() {
                "docs/bundle-format.md lists every member of a manifest; correct or remove this one"
            } else {
                "correct the JSON at that place"
            };
            findings.fault("manifest", place, error.to_string(), mend);
            None
        }
    }
}

/// Whether two manifests differ in layout at most: a build may write it anew.
fn says_the_same(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes| serde_json::from_slice::<serde_json::Value>(bytes);
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// What makes sense to a host and seldom to an author.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let manifest = widget.manifest;
    if manifest.kind == BundleKind::Shell {
        findings.fault(
            "kind",
            member("kind"),
            "this is a shell, and `moult widget` knows widgets alone",
            "write `\"kind\": \"widget\"` and an id such as `w/you/counter`",
        );
    }
    if manifest.description.is_empty() {
        findings.doubt(
            "description",
            member("description"),
            "nothing says what the widget does",
            "write one sentence: it is shown where widgets are added and where rights are asked for",
        );
    }
    if manifest.sizes.is_empty() {
        findings.doubt(
            "sizes",
            member("sizes"),
            "no size is named",
            "name those that it was tried in, the usual one first: `\"sizes\": [\"s\", \"m\"]`",
        );
    }
    for size in [Size::S, Size::M, Size::L] {
        if manifest.sizes.iter().filter(|found| **found == size).count() > 1 {
            findings.doubt("sizes", member("sizes"), "a size is named twice", "name it once");
        }
    }
}

/// Why it can't be packed, as a finding.
pub(super) fn refused(project: &Project, error: &PublishError, findings: &mut Findings) {
    let PublishError::Pack { source, .. } = error else {
        let mend = error.hint().unwrap_or_else(|| "see the message".to_owned());
        return findings.fault("bundle", project.shown(MANIFEST), error.message(), mend);
    };
    let what = PublishError::message_of(source);
    let (rule, place, mend) = match source {
        BundleError::Manifest(_) | BundleError::Kind { .. } => (
            "manifest",
            MANIFEST.to_owned(),
            "docs/bundle-format.md says what each member may hold",
        ),
        BundleError::NoEntryPoint(path) => (
            "missing_file",
            project.shown(path),
            "have the build put it there, or correct `entry` or `icon` in the manifest",
        ),
        BundleError::Path(path) => (
            "file_name",
            project.shown(path),
            "rename it: parts of `A`-`Z`, `a`-`z`, `0`-`9`, `-`, `_`, `.`, `@`, `+` that neither begin nor end with `.`",
        ),
        BundleError::TooLarge(_) | BundleError::TooManyEntries(_) => (
            "too_large",
            project.whole().to_owned(),
            "leave out what the widget does not use, and make pictures smaller",
        ),
        _ => ("bundle", project.whole().to_owned(), "see docs/bundle-format.md"),
    };
    findings.fault(rule, place, what, mend);
}
