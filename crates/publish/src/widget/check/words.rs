//! The words for people: which languages, and whether each text has them all. And settings that nothing reads.

use std::collections::BTreeMap;

use moult_model::bundle::{Setting, Words};

use super::{Findings, Widget, member};

/// Locales and settings.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let locales = &widget.manifest.locales;
    if locales.is_empty() {
        findings.doubt(
            "locales",
            member("locales"),
            "no language is named",
            "name those that the widget speaks: `\"locales\": [\"en\", \"zh\"]`",
        );
    }
    for (place, locale) in locales.iter().enumerate() {
        let at = || member(&format!("locales[{place}]"));
        if !is_language(locale) {
            findings.fault(
                "locales",
                at(),
                format!("`{locale}` is no language tag"),
                "write a tag of BCP 47 such as `en`, `zh` or `pt-BR`",
            );
        } else if locales[..place].contains(locale) {
            findings.doubt(
                "locales",
                at(),
                format!("`{locale}` is named twice"),
                "name it once",
            );
        }
    }
    for (key, setting) in &widget.manifest.settings {
        look_at_setting(widget, key, setting, findings);
    }
}

fn look_at_setting(widget: &Widget<'_>, key: &str, setting: &Setting, findings: &mut Findings) {
    let mut texts: Vec<(String, &Words)> = vec![("title".to_owned(), &setting.title)];
    texts.extend(
        setting
            .description
            .iter()
            .map(|words| ("description".to_owned(), words)),
    );
    texts.extend(setting.unit.iter().map(|words| ("unit".to_owned(), words)));
    let options = setting.options.iter().enumerate();
    texts.extend(options.map(|(place, option)| (format!("options[{place}].title"), &option.title)));
    for (what, words) in texts {
        let Words::Each(each) = words else { continue };
        let place = member(&format!("settings.{key}.{what}"));
        for language in missing(each, &widget.manifest.locales) {
            findings.doubt(
                "untranslated",
                &*place,
                format!("it has no text in `{language}`, which `locales` names"),
                format!("add `\"{language}\": \"...\"`"),
            );
        }
    }
    // Of `zone_1` and `zone_2` code often has the first part alone.
    let stem = key.trim_end_matches(|last: char| last.is_ascii_digit());
    let is_read = widget.manifest.entry.logic.is_some()
        || widget
            .scripts
            .iter()
            .any(|script| script.places(stem).next().is_some());
    if !is_read && !widget.scripts.is_empty() {
        findings.doubt(
            "setting_unread",
            member(&format!("settings.{key}")),
            "the code never names it",
            format!("read `settings[\"{key}\"]`, or remove the setting"),
        );
    }
}

/// The languages that should have a text and have none. A text in `zh` serves `zh-Hans` as well.
fn missing<'a>(each: &BTreeMap<String, String>, locales: &'a [String]) -> Vec<&'a str> {
    let has = |language: &str| {
        let short = language.split('-').next().unwrap_or_default();
        [language, short]
            .iter()
            .any(|name| each.get(*name).is_some_and(|text| !text.is_empty()))
    };
    let named = locales.iter().map(String::as_str);
    named.filter(|language| !has(language)).collect()
}

/// Whether a text has the form of a language tag: a language, then parts of 1 to 8 letters and digits.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_have_their_form() {
        for tag in ["en", "zh", "zh-Hans", "pt-BR", "sr-Latn-RS", "de-CH-1996"] {
            assert!(is_language(tag), "{tag}");
        }
        for tag in ["", "e", "english language", "en_US", "en-", "-en", "12"] {
            assert!(!is_language(tag), "{tag}");
        }
    }
}
