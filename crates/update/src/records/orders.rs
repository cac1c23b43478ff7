//! The orders as they lie on the disk: each is read on its own, so that one that only another version understands costs
//! none of the others.

use std::path::Path;

use moult_durable::TwoCopy;
use moult_model::rollout::Order;
use serde::Deserialize as _;
use serde_json::Value;

use super::{object, understood};
use crate::select::Standing;

/// The orders that are in force in a data folder. None are, if what was noted can't be read: whoever asks is not the engine, which
/// would say so.
pub fn orders_in_force(data: &Path) -> Standing {
    let noted = TwoCopy::<Value>::new(data.join("update"), "orders").load();
    read(noted.ok().flatten().unwrap_or_default())
}

pub(super) fn read(value: Value) -> Standing {
    let mut fields = object(value);
    for list in ["newest", "noted"] {
        let lines = understood::<Order>(fields.get(list));
        fields.insert(list.to_owned(), lines.into());
    }
    Standing::deserialize(Value::Object(fields)).unwrap_or_default()
}
