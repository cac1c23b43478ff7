//! Reading what another version of the program wrote. A value is taken over if it comes back as it was;
//! everything else is kept aside and written back. It refuses to know what the values mean.
//!
//! So an older version that runs after a rollback loses nothing of what the newer one wrote, and is stopped
//! by none of it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Takes from `given` what `T` understands, one value at a time, and leaves the default for the rest.
/// The second part is what was not understood, in the same shape.
pub fn read<T>(given: Map<String, Value>) -> (T, Map<String, Value>)
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut reading = Reading::<T> {
        value: T::default(),
        as_json: as_object(&T::default()),
    };
    let mut rest = Map::new();
    reading.take(&mut Vec::new(), given, &mut rest);
    (reading.value, rest)
}

/// Puts what was not understood back. A value that was changed since is not overwritten.
pub fn write<T: Default + Serialize>(value: &T, rest: &Map<String, Value>) -> Map<String, Value> {
    let mut written = as_object(value);
    put_back(&mut written, &as_object(&T::default()), rest);
    written
}

struct Reading<T> {
    value: T,
    as_json: Map<String, Value>,
}

impl<T: Serialize + DeserializeOwned> Reading<T> {
    fn take(&mut self, path: &mut Vec<String>, given: Map<String, Value>, rest: &mut Map<String, Value>) {
        for (key, value) in given {
            path.push(key);
            let is_branch = at(&self.as_json, path).is_some_and(Value::is_object);
            match value {
                Value::Object(inner) if is_branch => {
                    let mut left = Map::new();
                    self.take(path, inner, &mut left);
                    if !left.is_empty() {
                        keep(rest, path, Value::Object(left));
                    }
                }
                value => {
                    if let Some(left) = self.without_what_it_understands(path, value) {
                        keep(rest, path, left);
                    }
                }
            }
            path.pop();
        }
    }

    /// Takes one value over, and returns what of it was not understood.
    fn without_what_it_understands(&mut self, path: &[String], value: Value) -> Option<Value> {
        let mut candidate = self.as_json.clone();
        if !set(&mut candidate, path, value.clone()) {
            return Some(value);
        }
        let Ok(parsed) = serde_json::from_value::<T>(Value::Object(candidate)) else {
            return Some(value);
        };
        let as_json = as_object(&parsed);
        let Some(left) = at(&as_json, path).map(|understood| difference(&value, understood)) else {
            return Some(value);
        };
        self.value = parsed;
        self.as_json = as_json;
        left
    }
}

/// What is in `given` and did not come back. None: all of it did.
fn difference(given: &Value, understood: &Value) -> Option<Value> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            let left: Map<String, Value> = given
                .iter()
                .filter_map(|(key, value)| {
                    let left = match understood.get(key) {
                        Some(understood) => difference(value, understood)?,
                        None => value.clone(),
                    };
                    Some((key.clone(), left))
                })
                .collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        (given, understood) => (given != understood).then(|| given.clone()),
    }
}

fn as_object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn at<'a>(map: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, others) = path.split_first()?;
    let mut found = map.get(first)?;
    for key in others {
        found = found.as_object()?.get(key)?;
    }
    Some(found)
}

fn set(map: &mut Map<String, Value>, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [last] => {
            map.insert(last.clone(), value);
            true
        }
        [first, others @ ..] => match map.get_mut(first) {
            Some(Value::Object(inner)) => set(inner, others, value),
            _ => false,
        },
    }
}

fn keep(rest: &mut Map<String, Value>, path: &[String], value: Value) {
    if let Some(key) = path.last() {
        rest.insert(key.clone(), value);
    }
}

fn put_back(written: &mut Map<String, Value>, usual: &Map<String, Value>, rest: &Map<String, Value>) {
    for (key, kept) in rest {
        match (written.get_mut(key), kept) {
            (None, _) => drop(written.insert(key.clone(), kept.clone())),
            (Some(Value::Object(inner)), Value::Object(kept)) => {
                let empty = Map::new();
                let usual = usual.get(key).and_then(Value::as_object).unwrap_or(&empty);
                put_back(inner, usual, kept);
            }
            // Still what it is without a wish: nobody chose anything else meanwhile.
            (Some(value), _) if usual.get(key) == Some(value) => *value = kept.clone(),
            (Some(_), _) => {}
        }
    }
}
