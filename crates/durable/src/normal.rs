//! Names of files as they are compared between runs: without what differs from run to run. Refuses to
//! look at the files.

use std::path::Path;

/// Ends the names of files that are not yet whole.
pub(crate) const LEFTOVER_SUFFIX: &str = ".moult-new";

/// The length of an id: 16 random bytes, hexadecimal.
const ID_LENGTH: usize = 32;

/// A path as text, with `/` between its names.
pub(crate) fn shown(path: &Path) -> String {
    let names = path.iter().map(|name| name.to_string_lossy());
    names.collect::<Vec<_>>().join("/")
}

/// The text of a path with each process's number in the name of an unfinished file replaced by `*`, and
/// each id by `ID`. Digests have twice the length of an id and stay.
pub(crate) fn of(path: &str) -> String {
    let names = path.split('/').map(|name| ids(&unfinished(name)));
    names.collect::<Vec<_>>().join("/")
}

/// `.NAME.PID-NUMBER.moult-new` as `.NAME.*.moult-new`.
fn unfinished(name: &str) -> String {
    let parts = name
        .strip_suffix(LEFTOVER_SUFFIX)
        .filter(|rest| rest.starts_with('.'))
        .and_then(|rest| rest.rsplit_once('.'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match parts {
        Some((own, numbers))
            if numbers
                .split_once('-')
                .is_some_and(|(process, number)| is_number(process) && is_number(number)) =>
        {
            format!("{own}.*{LEFTOVER_SUFFIX}")
        }
        _ => name.to_owned(),
    }
}

fn ids(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut digits = String::new();
    let end = |digits: &mut String, text: &mut String| {
        text.push_str(if digits.len() == ID_LENGTH { "ID" } else { digits });
        digits.clear();
    };
    for character in name.chars() {
        if character.is_ascii_hexdigit() {
            digits.push(character);
        } else {
            end(&mut digits, &mut text);
            text.push(character);
        }
    }
    end(&mut digits, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_replaced_and_nothing_else() {
        let id = "0123456789abcdef0123456789abcdef";
        for (path, expected) in [
            (
                "data/.state.a.4711-12.moult-new",
                "data/.state.a.*.moult-new".to_owned(),
            ),
            ("data/.state.a.moult-new", "data/.state.a.moult-new".to_owned()),
            (
                "data/.state.47-x.moult-new",
                "data/.state.47-x.moult-new".to_owned(),
            ),
            ("data/state.1-2.moult-new", "data/state.1-2.moult-new".to_owned()),
            (&format!("staging/{id}.new"), "staging/ID.new".to_owned()),
            (
                &format!("staging/{id}/.x.1-2.moult-new"),
                "staging/ID/.x.*.moult-new".to_owned(),
            ),
            (
                &format!("bundles/{id}{id}.part"),
                format!("bundles/{id}{id}.part"),
            ),
            (&format!("x-{id}-y"), "x-ID-y".to_owned()),
        ] {
            assert_eq!(of(path), expected);
        }
    }
}
