//! Settings of a widget: what the manifest declares, the host draws, and the bundle gets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most settings of one bundle.
pub(super) const MAX_SETTINGS: usize = 32;
/// The longest key, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 40;
/// The longest text where a setting does not say, in characters.
pub(super) const USUAL_TEXT: u32 = 256;
/// The longest text that any setting may hold, in characters.
pub(super) const MAX_TEXT: u32 = 4_096;

/// Words for a person: one text, or one for each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(untagged)]
pub enum Words {
    /// The same in each language.
    One(String),
    /// By language (`en`, `zh`). `en` is always there.
    Each(BTreeMap<String, String>),
}

impl Words {
    /// The words in a language, or in English.
    pub fn in_language(&self, language: &str) -> &str {
        match self {
            Self::One(words) => words,
            Self::Each(each) => each
                .get(language)
                .or_else(|| each.get(language.split('-').next().unwrap_or_default()))
                .or_else(|| each.get("en"))
                .map_or("", String::as_str),
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::One(words) => !words.is_empty(),
            Self::Each(each) => each.get("en").is_some_and(|words| !words.is_empty()),
        }
    }
}

/// One setting. Members that its kind does not have are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What may be chosen.
    pub kind: FieldKind,
    /// What it is called.
    pub title: Words,
    /// What it does, if the title does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<Words>,
    /// What it is until somebody chooses.
    #[ts(type = "unknown")]
    pub default: Value,
    /// `text`: the longest, in characters; 256 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub max_length: Option<u32>,
    /// `number`: the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub min: Option<f64>,
    /// `number`: the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub max: Option<f64>,
    /// `number`: from one value to the next; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub step: Option<f64>,
    /// `number`: what stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<Words>,
    /// `choice`: what there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<ChoiceOption>>")]
    pub options: Vec<ChoiceOption>,
}

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// On or off.
    Switch,
    /// A line of text.
    Text,
    /// A number.
    Number,
    /// One of some.
    Choice,
    /// A colour, `#rrggbb`.
    Color,
    /// A time zone of the IANA, or empty for the computer's own.
    Zone,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    /// What the bundle gets.
    pub value: String,
    /// What it is called.
    pub title: Words,
}

impl Setting {
    /// Whether a value may be chosen.
    pub fn admits(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (FieldKind::Switch, Value::Bool(_)) => true,
            (FieldKind::Text, Value::String(text)) => {
                text.chars().count() <= self.max_length.unwrap_or(USUAL_TEXT) as usize
            }
            (FieldKind::Number, Value::Number(number)) => {
                let bounds = self.min.zip(self.max);
                let number = number.as_f64();
                bounds
                    .zip(number)
                    .is_some_and(|((min, max), number)| (min..=max).contains(&number))
            }
            (FieldKind::Choice, Value::String(value)) => {
                self.options.iter().any(|option| option.value == *value)
            }
            (FieldKind::Color, Value::String(color)) => {
                let digits = color.strip_prefix('#').unwrap_or_default();
                digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            }
            (FieldKind::Zone, Value::String(zone)) => {
                let known = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
                zone.len() <= 64 && zone.bytes().all(known)
            }
            _ => false,
        }
    }

    /// Whether the declaration itself makes sense.
    pub(super) fn is_sound(&self) -> bool {
        let described = self.description.as_ref().is_none_or(Words::is_complete);
        let (text, number) = (self.kind == FieldKind::Text, self.kind == FieldKind::Number);
        let field = (text || self.max_length.is_none())
            && self.max_length.is_none_or(|most| most <= MAX_TEXT)
            && number == (self.min.is_some() && self.max.is_some())
            && (number
                || (self.min.is_none() && self.max.is_none() && self.step.is_none() && self.unit.is_none()))
            && self.step.is_none_or(|step| step > 0.0)
            && (self.kind == FieldKind::Choice) != self.options.is_empty()
            && self.options.len() <= 64
            && self.options.iter().all(|option| option.title.is_complete());
        self.title.is_complete() && described && field && self.admits(&self.default)
    }
}

/// The values that a bundle gets: what was chosen where it fits, else the default. What it does not declare is left out.
pub fn values(declared: &BTreeMap<String, Setting>, chosen: &Map<String, Value>) -> Map<String, Value> {
    let value = |(key, setting): (&String, &Setting)| {
        let chosen = chosen.get(key).filter(|value| setting.admits(value));
        (key.clone(), chosen.unwrap_or(&setting.default).clone())
    };
    declared.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setting(declared: Value) -> Setting {
        serde_json::from_value(declared).unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn a_value_that_does_not_fit_is_the_default() {
        let cases = [
            (
                json!({"kind": "switch", "title": "T", "default": true}),
                json!(false),
                json!("false"),
            ),
            (
                json!({"kind": "text", "title": "T", "default": "", "max_length": 3}),
                json!("äöü"),
                json!("four"),
            ),
            (
                json!({"kind": "number", "title": "T", "default": 5, "min": 1, "max": 9}),
                json!(9),
                json!(9.5),
            ),
            (
                json!({"kind": "choice", "title": "T", "default": "a", "options": [
                    {"value": "a", "title": "A"}, {"value": "b", "title": {"en": "B", "zh": "乙"}}]}),
                json!("b"),
                json!("c"),
            ),
            (
                json!({"kind": "color", "title": "T", "default": "#000000"}),
                json!("#a0B1c2"),
                json!("red"),
            ),
            (
                json!({"kind": "zone", "title": "T", "default": ""}),
                json!("Asia/Shanghai"),
                json!("../etc"),
            ),
        ];
        for (declared, fits, does_not) in cases {
            let declared = BTreeMap::from([("key".to_owned(), setting(declared))]);
            let get = |chosen: &Value| {
                let chosen =
                    Map::from_iter([("key".to_owned(), chosen.clone()), ("other".to_owned(), json!(1))]);
                values(&declared, &chosen)
            };
            assert!(declared["key"].is_sound(), "{declared:?}");
            assert_eq!(get(&fits), Map::from_iter([("key".to_owned(), fits.clone())]));
            assert_eq!(get(&does_not)["key"], declared["key"].default, "{does_not}");
        }
    }

    #[test]
    fn members_of_another_kind_are_refused() {
        for wrong in [
            json!({"kind": "switch", "title": "T", "default": true, "min": 0}),
            json!({"kind": "number", "title": "T", "default": 1, "min": 0}),
            json!({"kind": "number", "title": "T", "default": 1, "min": 0, "max": 2, "step": 0}),
            json!({"kind": "text", "title": "T", "default": "", "max_length": 5000}),
            json!({"kind": "text", "title": {"zh": "无"}, "default": ""}),
            json!({"kind": "choice", "title": "T", "default": "a"}),
        ] {
            assert!(!setting(wrong.clone()).is_sound(), "{wrong}");
        }
        let unknown = json!({"kind": "switch", "title": "T", "default": true, "other": 1});
        assert!(serde_json::from_value::<Setting>(unknown).is_err());
    }

    #[test]
    fn words_are_found_by_language_and_else_in_english() {
        let words = Words::Each(BTreeMap::from([
            ("en".to_owned(), "Seconds".to_owned()),
            ("zh".to_owned(), "秒".to_owned()),
        ]));
        for (language, expected) in [
            ("en", "Seconds"),
            ("zh-CN", "秒"),
            ("zh", "秒"),
            ("fr", "Seconds"),
        ] {
            assert_eq!(words.in_language(language), expected);
        }
    }
}
