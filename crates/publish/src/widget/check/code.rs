//! Scripts of a bundle as text: where a name stands in quotes, and on which line.

use std::collections::BTreeMap;

/// A script of the bundle.
pub(super) struct Script<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// What stands behind the last point of a path.
pub(super) fn kind(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// All scripts that are text.
pub(super) fn scripts(files: &BTreeMap<String, Vec<u8>>) -> Vec<Script<'_>> {
    let is_script = |path: &str| matches!(kind(path), "js" | "mjs");
    files
        .iter()
        .filter(|(path, _)| is_script(path))
        .filter_map(|(path, bytes)| {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Script { path, text })
        })
        .collect()
}

impl Script<'_> {
    /// Where a text stands in quotes of any kind, but for lines that are comments.
    pub(super) fn quoted(&self, text: &str) -> Option<usize> {
        self.places(text)
            .find(|at| {
                let before = self.text[..*at].chars().next_back();
                let after = self.text[at + text.len()..].chars().next();
                matches!(before, Some('"' | '\'' | '`')) && before == after
            })
            .map(|at| self.line(at))
    }

    /// Where a word stands, whole and not in a comment, with what stands right before and behind it.
    pub(super) fn word(&self, word: &str, fits: impl Fn(Option<char>, &str) -> bool) -> Option<usize> {
        let of_name =
            |found: Option<char>| found.is_some_and(|found| found.is_alphanumeric() || "_$".contains(found));
        self.places(word)
            .find(|at| {
                let before = self.text[..*at].chars().next_back();
                let behind = &self.text[at + word.len()..];
                !of_name(before) && !of_name(behind.chars().next()) && fits(before, behind)
            })
            .map(|at| self.line(at))
    }

    /// Every place of a text that is not in a line that is a comment.
    pub(super) fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.text
            .match_indices(text)
            .map(|(at, _)| at)
            .filter(|at| !self.is_comment(*at))
    }

    fn is_comment(&self, at: usize) -> bool {
        let begin = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[begin..].trim_start();
        // A line of code that begins with a `*` is one in a thousand; minified code has no lines at all.
        ["//", "/*", "* "].iter().any(|mark| line.starts_with(mark)) && !line.starts_with("/*!")
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script<'_> {
        Script { path: "a.js", text }
    }

    #[test]
    fn a_name_counts_in_any_quotes_and_not_in_comments() {
        for (text, line) in [
            ("x\ncall(\"bus.ask\")", Some(2)),
            ("call('bus.ask')", Some(1)),
            ("call(`bus.ask`)", Some(1)),
            ("// call(\"bus.ask\")", None),
            ("/**\n * \"bus.ask\"\n */", None),
            ("call(\"my.bus.ask\")", None),
            ("call(\"bus.ask')", None),
            ("a.bus.ask()", None),
        ] {
            assert_eq!(script(text).quoted("bus.ask"), line, "{text}");
        }
    }

    #[test]
    fn a_word_is_whole() {
        let is_call = |_: Option<char>, behind: &str| behind.starts_with('(');
        assert_eq!(script("a;\nfetch(1)").word("fetch", is_call), Some(2));
        for text in ["prefetch(1)", "fetched(1)", "fetch = 1", "// fetch(1)"] {
            assert_eq!(script(text).word("fetch", is_call), None, "{text}");
        }
    }
}
