//! Values that several widgets see. They live as long as the application: who writes one sets it anew at its start.
//! Pure: it holds values, and tells nobody.

use std::collections::BTreeMap;

use serde_json::Value;

/// All values, by their whole names. How many one widget has, its manifest bounds.
#[derive(Debug, Default)]
pub struct Shared {
    values: BTreeMap<String, Value>,
}

impl Shared {
    /// Sets a value. Whether it differs from before: only then is there something to tell.
    pub fn set(&mut self, name: &str, value: Value) -> bool {
        if self.values.get(name) == Some(&value) {
            return false;
        }
        self.values.insert(name.to_owned(), value);
        true
    }

    /// A value; null if it was never set.
    pub fn get(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_what_was_set_last_and_only_a_change_is_told() {
        let mut shared = Shared::default();
        assert_eq!(shared.get("w/a/b:city"), Value::Null);
        let cases = [
            (json!("Lisbon"), true),
            (json!("Lisbon"), false),
            (json!("Porto"), true),
            (Value::Null, true),
            (Value::Null, false),
        ];
        for (value, changes) in cases {
            assert_eq!(shared.set("w/a/b:city", value.clone()), changes, "{value}");
            assert_eq!(shared.get("w/a/b:city"), value);
        }
        assert_eq!(shared.get("w/c/d:city"), Value::Null);
    }
}
