//! A record of which this version may understand only a part: what it understands, and all of it as it was found.
//!
//! After a rollback an older version reads what a newer one wrote. What it does not know must neither stop it
//! nor be lost, so it goes back into the file as it came. This module refuses to know what is in a record.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The field that tells one item of a list from another, where items have a name.
const ITEM_NAME: &str = "instance";

/// A record: the part that is understood, and the whole.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    value: T,
    found: Value,
}

impl<T: Clone + Serialize + DeserializeOwned> Kept<T> {
    /// A record that was never written.
    pub(crate) fn first(value: T) -> serde_json::Result<Self> {
        let found = serde_json::to_value(&value)?;
        Ok(Self { value, found })
    }

    /// Reads a record. What is not understood, or does not fit, keeps the value that it has in `first`.
    /// With it come the names of the fields that were not taken over.
    pub(crate) fn read(
        found: Value,
        first: T,
        fits: impl Fn(&T) -> bool,
    ) -> serde_json::Result<(Self, Vec<String>)> {
        let parse = |value: &Value| T::deserialize(value).ok().filter(|value| fits(value));
        // A list would be read as the fields in their order, which nobody ever wrote.
        if found.is_object()
            && let Some(value) = parse(&found)
        {
            return Ok((Self { value, found }, Vec::new()));
        }
        let mut whole = serde_json::to_value(&first)?;
        let mut refused = Vec::new();
        let fields = found.as_object().cloned().unwrap_or_default();
        for (name, field) in fields {
            if !take_over(&mut whole, &name, &field, &|value| parse(value).is_some()) {
                refused.push(name);
            }
        }
        let value = parse(&whole).unwrap_or(first);
        Ok((Self { value, found }, refused))
    }

    /// What is understood.
    pub(crate) fn value(&self) -> &T {
        &self.value
    }

    /// The whole, as it is to be written.
    pub(crate) fn whole(&self) -> &Value {
        &self.found
    }

    /// Whether what was found has the shape of a record at all. If not, a change would write over all of it.
    pub(crate) fn is_record(&self) -> bool {
        self.found.is_object()
    }

    /// The record with another value. Of what was found, only that changes which differs between the two values.
    pub(crate) fn with(&self, value: T) -> serde_json::Result<Self> {
        let before = serde_json::to_value(&self.value)?;
        let mut after = serde_json::to_value(&value)?;
        // A field of the record itself is never taken out: who does not send it may only not know it.
        if let (Value::Object(before), Value::Object(after)) = (&before, &mut after) {
            for (name, field) in before {
                after.entry(name.clone()).or_insert_with(|| field.clone());
            }
        }
        let found = merge(&self.found, &before, &after);
        Ok(Self { value, found })
    }

    /// The names of the items in the list `field` that were found and are not understood.
    pub(crate) fn unknown_items(&self, field: &str) -> serde_json::Result<Vec<String>> {
        let known = serde_json::to_value(&self.value)?;
        let known = names(&known[field]);
        let all = names(&self.found[field]);
        Ok(all.into_iter().filter(|name| !known.contains(name)).collect())
    }
}

/// Puts a field into the record as far as it is understood: whole, else entry by entry.
fn take_over(whole: &mut Value, name: &str, field: &Value, understood: &dyn Fn(&Value) -> bool) -> bool {
    let Some(fields) = whole.as_object().cloned() else {
        return false;
    };
    let mut with = |value: Value| {
        let mut next = fields.clone();
        next.insert(name.to_owned(), value);
        let next = Value::Object(next);
        understood(&next).then(|| *whole = next).is_some()
    };
    match field {
        _ if with(field.clone()) => true,
        Value::Array(items) => {
            let mut taken = Vec::new();
            for item in items {
                taken.push(item.clone());
                if !with(Value::Array(taken.clone())) {
                    taken.pop();
                }
            }
            false
        }
        Value::Object(entries) => {
            let mut taken = Map::new();
            for (key, entry) in entries {
                taken.insert(key.clone(), entry.clone());
                if !with(Value::Object(taken.clone())) {
                    taken.remove(key);
                }
            }
            false
        }
        _ => false,
    }
}

/// What was found, with the change from `before` to `after` in it.
fn merge(found: &Value, before: &Value, after: &Value) -> Value {
    if before == after {
        return found.clone();
    }
    match (found, before, after) {
        _ if found == before => after.clone(),
        (Value::Object(found), Value::Object(before), Value::Object(after)) => {
            let mut merged = found.clone();
            for name in before.keys().filter(|name| !after.contains_key(*name)) {
                merged.remove(name);
            }
            for (name, field) in after {
                let field = match (found.get(name), before.get(name)) {
                    (Some(found), Some(before)) => merge(found, before, field),
                    _ => field.clone(),
                };
                merged.insert(name.clone(), field);
            }
            Value::Object(merged)
        }
        (Value::Array(found), Value::Array(before), Value::Array(after)) => {
            let mut merged: Vec<Value> = after
                .iter()
                .map(|item| match (same(found, item), same(before, item)) {
                    (Some(found), Some(before)) => merge(found, before, item),
                    _ => item.clone(),
                })
                .collect();
            let unknown = found
                .iter()
                .filter(|item| !before.contains(item) && same(before, item).is_none());
            merged.extend(unknown.cloned());
            Value::Array(merged)
        }
        _ => after.clone(),
    }
}

fn same<'a>(items: &'a [Value], item: &Value) -> Option<&'a Value> {
    let name = item.get(ITEM_NAME)?;
    items.iter().find(|other| other.get(ITEM_NAME) == Some(name))
}

fn names(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.get(ITEM_NAME)?.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Example {
        address: String,
        mode: Mode,
        places: BTreeMap<String, u8>,
        tiles: Vec<Tile>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        #[default]
        Quiet,
        Loud,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Tile {
        instance: String,
        at: u8,
    }

    fn read(found: &Value) -> serde_json::Result<(Kept<Example>, Vec<String>)> {
        Kept::read(found.clone(), Example::default(), |value| value.address != "bad")
    }

    fn tile(instance: &str, at: u8) -> Tile {
        Tile {
            instance: instance.to_owned(),
            at,
        }
    }

    #[test]
    fn what_is_understood_is_taken_over_whatever_stands_beside_it() -> serde_json::Result<()> {
        let known = Example {
            address: "a".to_owned(),
            ..Example::default()
        };
        let cases = [
            (json!({ "address": "a", "new": [1] }), known.clone(), vec![]),
            (
                json!({ "address": "a", "mode": "hushed" }),
                known.clone(),
                vec!["mode"],
            ),
            (
                json!({ "address": "a", "mode": { "loud": 3 } }),
                known.clone(),
                vec!["mode"],
            ),
            (
                json!({ "address": "bad", "mode": "loud" }),
                Example {
                    mode: Mode::Loud,
                    ..Example::default()
                },
                vec!["address"],
            ),
            (
                json!({ "address": "a", "places": { "x": 1, "y": "far" } }),
                Example {
                    places: BTreeMap::from([("x".to_owned(), 1)]),
                    ..known.clone()
                },
                vec!["places"],
            ),
            (
                json!({ "address": "a", "tiles": [{ "instance": "one", "at": 1 }, { "instance": "two", "at": "left" }] }),
                Example {
                    tiles: vec![tile("one", 1)],
                    ..known.clone()
                },
                vec!["tiles"],
            ),
            (json!(["another shape"]), Example::default(), vec![]),
        ];
        for (found, expected, refused) in cases {
            let (kept, names) = read(&found)?;
            assert_eq!(
                (kept.value(), names),
                (&expected, refused.into_iter().map(str::to_owned).collect()),
                "{found}"
            );
            assert_eq!(kept.whole(), &found, "reading changes nothing");
        }
        Ok(())
    }

    #[test]
    fn a_change_leaves_everything_else_as_it_was_found() -> serde_json::Result<()> {
        let found = json!({
            "address": "a", "mode": "hushed", "new": { "deep": [1, 2] }, "places": { "x": 1, "y": "far" },
            "tiles": [{ "instance": "one", "at": 1, "colour": "red" }, { "instance": "two", "at": "left" }],
        });
        let (kept, _) = read(&found)?;
        let mut value = kept.value().clone();
        value.address = "b".to_owned();
        value.places.clear();
        value.tiles = vec![tile("three", 3), tile("one", 9)];
        let changed = kept.with(value.clone())?;
        let expected = json!({
            "address": "b", "mode": "hushed", "new": { "deep": [1, 2] }, "places": { "y": "far" },
            "tiles": [
                { "instance": "three", "at": 3 },
                { "instance": "one", "at": 9, "colour": "red" },
                { "instance": "two", "at": "left" },
            ],
        });
        assert_eq!(changed.whole(), &expected);
        value.mode = Mode::Loud;
        assert_eq!(
            changed.with(value)?.whole()["mode"],
            json!("loud"),
            "a choice made here counts"
        );
        Ok(())
    }

    #[test]
    fn items_that_are_not_understood_are_named() -> serde_json::Result<()> {
        let found = json!({ "tiles": [{ "instance": "one", "at": 1 }, { "instance": "two", "at": "left" }] });
        assert_eq!(read(&found)?.0.unknown_items("tiles")?, ["two"]);
        Ok(())
    }
}
