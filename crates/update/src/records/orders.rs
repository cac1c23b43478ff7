//! The orders as they lie on the disk: each is read on its own, so that one that only another version understands costs
//! none of the others.

use moult_model::rollout::Order;
use serde::Deserialize as _;
use serde_json::Value;

use super::{object, understood};
use crate::select::Standing;

pub(super) fn read(value: Value) -> Standing {
    let mut fields = object(value);
    for list in ["newest", "noted"] {
        let lines = understood::<Order>(fields.get(list));
        fields.insert(list.to_owned(), lines.into());
    }
    Standing::deserialize(Value::Object(fields)).unwrap_or_default()
}
