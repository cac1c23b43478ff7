//! The page and its scripts, against the policy that a frame has: what it holds itself, and nothing else.

use super::{Findings, Widget};

/// What a frame has not, and what it has instead.
const NOT_IN_A_FRAME: [(&str, &str); 6] = [
    (
        "fetch",
        "`fetchFrom` of @moult/widget/network, with the capability `network`",
    ),
    (
        "XMLHttpRequest",
        "`fetchFrom` of @moult/widget/network, with the capability `network`",
    ),
    (
        "WebSocket",
        "`fetchFrom` of @moult/widget/network, with the capability `network`",
    ),
    (
        "localStorage",
        "the state (`snapshot`), or @moult/widget/storage with the capability `storage`",
    ),
    (
        "sessionStorage",
        "the state (`snapshot`), or @moult/widget/storage with the capability `storage`",
    ),
    (
        "indexedDB",
        "the state (`snapshot`), or @moult/widget/storage with the capability `storage`",
    ),
];

/// What the browser would refuse.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let entry = &widget.manifest.entry.ui;
    match widget.files.get(entry).map(|bytes| std::str::from_utf8(bytes)) {
        Some(Ok(page)) => look_at_page(widget, entry, page, findings),
        Some(Err(_)) => findings.fault(
            "page",
            widget.project.shown(entry),
            "the page is not UTF-8",
            "save it as UTF-8",
        ),
        // Packing says that it is missing.
        None => {}
    }
    for script in &widget.scripts {
        for (name, instead) in NOT_IN_A_FRAME {
            // A call, a constructor or an object; not a method or a member of something else.
            let used = script.word(name, |before, behind| {
                before != Some('.') && behind.trim_start().starts_with(['(', '.', '['])
            });
            if let Some(line) = used {
                findings.doubt(
                    "not_in_a_frame",
                    format!("{}:{line}", widget.project.shown(script.path)),
                    format!("`{name}` can't be used in a frame: the host's policy refuses it"),
                    format!("use {instead}"),
                );
            }
        }
        if let Some(line) = script.word("eval", |before, behind| {
            before != Some('.') && behind.starts_with('(')
        }) {
            findings.doubt(
                "eval",
                format!("{}:{line}", widget.project.shown(script.path)),
                "`eval` is refused by the host's policy",
                "write what it does as code",
            );
        }
    }
}

fn look_at_page(widget: &Widget<'_>, entry: &str, page: &str, findings: &mut Findings) {
    let shown = widget.project.shown(entry);
    let folder = entry.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (line, tag) in tags(page) {
        let place = format!("{shown}:{line}");
        let source = tag
            .attribute("src")
            .or_else(|| tag.attribute("href").filter(|_| tag.is("link")));
        if tag.is("script") && source.is_none() {
            findings.fault(
                "inline_script",
                &*place,
                "a script stands in the page itself, and the host's policy refuses it",
                "put it into a file and name that: `<script src=\"widget.js\" defer crossorigin></script>`",
            );
        } else if tag.is("script")
            && tag.attribute("crossorigin").is_none()
            && tag.attribute("type") != Some("module")
        {
            findings.doubt(
                "crossorigin",
                &*place,
                "without `crossorigin` the browser hides what went wrong in the script",
                "write `<script src=\"...\" defer crossorigin></script>`",
            );
        }
        if let Some(name) = tag.handler() {
            findings.fault(
                "inline_script",
                &*place,
                format!("`{name}` is a script in the page itself, and the host's policy refuses it"),
                "call `addEventListener` in a script file",
            );
        }
        if let Some(source) = source {
            look_at_source(widget, folder, source, place, findings);
        }
    }
}

fn look_at_source(widget: &Widget<'_>, folder: &str, source: &str, place: String, findings: &mut Findings) {
    if source.contains("://") || source.starts_with("//") {
        findings.fault(
            "foreign_file",
            place,
            format!("`{source}` is not in the bundle, and a frame reaches nothing else"),
            "put the file into the bundle",
        );
    } else if !source.starts_with("data:") && !source.starts_with("/_moult/") {
        let path = source.split(['?', '#']).next().unwrap_or_default();
        let path = match path.strip_prefix('/') {
            Some(whole) => whole.to_owned(),
            None if folder.is_empty() => path.trim_start_matches("./").to_owned(),
            None => format!("{folder}/{}", path.trim_start_matches("./")),
        };
        if !path.contains("..") && !widget.files.contains_key(&path) {
            findings.fault(
                "missing_file",
                place,
                format!("`{source}` is not in the bundle"),
                "have the build put it there, or correct the name",
            );
        }
    }
}

/// A tag, as far as the rules need it.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }

    /// The first attribute that is a script.
    fn handler(&self) -> Option<&str> {
        let is_handler =
            |name: &str| name.len() > 2 && name.get(..2).is_some_and(|on| on.eq_ignore_ascii_case("on"));
        self.attributes
            .iter()
            .map(|(name, _)| *name)
            .find(|name| is_handler(name))
    }
}

/// The opening tags of a page with their lines, as a browser would read them of any page that people write.
fn tags(page: &str) -> Vec<(usize, Tag<'_>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = page[at..].find('<').map(|begin| at + begin) {
        let rest = &page[begin + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            at = comment.find("-->").map_or(page.len(), |end| begin + 4 + end + 3);
            continue;
        }
        at = begin + 1;
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            continue;
        }
        let (tag, length) = read_tag(rest);
        let line = page[..begin].bytes().filter(|byte| *byte == b'\n').count() + 1;
        at += length;
        // What stands in a script or a style is no page.
        if let Some(raw) = ["script", "style"].into_iter().find(|raw| tag.is(raw)) {
            let close = format!("</{raw}");
            at += page[at..]
                .to_ascii_lowercase()
                .find(&close)
                .unwrap_or(page.len() - at);
        }
        found.push((line, tag));
    }
    found
}

/// Reads a tag after its `<`, and says how long it is.
fn read_tag(text: &str) -> (Tag<'_>, usize) {
    let ends_name = |found: char| found.is_ascii_whitespace() || "/>=".contains(found);
    let name_end = text.find(ends_name).unwrap_or(text.len());
    let mut tag = Tag {
        name: &text[..name_end],
        attributes: Vec::new(),
    };
    let mut at = name_end;
    loop {
        let rest = &text[at..];
        let skipped = rest.len()
            - rest
                .trim_start_matches(|found: char| found.is_ascii_whitespace() || found == '/')
                .len();
        at += skipped;
        let rest = &text[at..];
        if rest.is_empty() || rest.starts_with('>') {
            return (tag, at);
        }
        // A stray `=` counts as a name, as it does in browsers, so that each round gets on.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let name_end = rest[first..]
            .find(ends_name)
            .map_or(rest.len(), |end| first + end);
        let name = &rest[..name_end];
        at += name_end;
        let after = text[at..].trim_start();
        let Some(value) = after.strip_prefix('=') else {
            tag.attributes.push((name, ""));
            continue;
        };
        let value = value.trim_start();
        at = text.len() - value.len();
        let quote = value.chars().next().filter(|quote| "\"'".contains(*quote));
        let (value, length) = if let Some(quote) = quote {
            let inside = &value[1..];
            let end = inside.find(quote).unwrap_or(inside.len());
            (&inside[..end], (end + 2).min(value.len()))
        } else {
            let ends = |found: char| found.is_ascii_whitespace() || found == '>';
            let end = value.find(ends).unwrap_or(value.len());
            (&value[..end], end)
        };
        tag.attributes.push((name, value));
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_browsers_do() {
        let page = "<!doctype html>\n<!-- <script> -->\n<script src='a.js' defer\n crossorigin></script>\n\
                    <style>a > b { content: '<script>' }</style><p onclick=x() =>a<b c";
        let found: Vec<_> = tags(page)
            .into_iter()
            .map(|(line, tag)| {
                (
                    line,
                    tag.name.to_owned(),
                    tag.attributes.len(),
                    tag.handler().is_some(),
                )
            })
            .collect();
        let expected = [
            (3, "script", 3, false),
            (5, "style", 0, false),
            (5, "p", 2, true),
            (5, "b", 1, false),
        ];
        assert_eq!(
            found,
            expected.map(|(line, name, count, handler)| (line, name.to_owned(), count, handler))
        );
    }
}
