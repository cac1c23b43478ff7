//! JSON that reads in one way only. Parsers differ in which of two fields of one name they believe, so there is none such here.
//! It refuses to know what the fields mean.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Refuses what is not JSON, is nested too deeply to be read, or has a field twice.
pub(crate) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Plain>(bytes).map(|_| ())
}

/// Anything that has no field twice.
struct Plain;

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_str<E>(self, _value: &str) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        while items.next_element::<Plain>()?.is_some() {}
        Ok(Plain)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Plain, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("`{name}` stands there twice")));
            }
            fields.next_value::<Plain>()?;
            names.insert(name);
        }
        Ok(Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_there_twice_is_found_at_any_depth() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let table = [
            (r#"{"a":1,"b":[{"a":null},{"a":"x"}],"c":-1.5,"d":true}"#, None),
            (r#"{"a":1,"a":1}"#, Some("`a` stands there twice")),
            (
                r#"{"b":[{"c":{"v":1,"\u0076":2}}]}"#,
                Some("`v` stands there twice"),
            ),
            ("", Some("EOF")),
            ("<html>", Some("expected value")),
            ("{} {}", Some("trailing characters")),
            (&deep, Some("recursion limit")),
        ];
        for (text, expected) in table {
            let said = check(text.as_bytes()).err().map(|error| error.to_string());
            match expected {
                None => assert_eq!(said, None, "{text}"),
                Some(expected) => {
                    let said = said.unwrap_or_default();
                    assert!(said.contains(expected), "{}: {said}", &text[..text.len().min(40)]);
                }
            }
        }
    }
}
