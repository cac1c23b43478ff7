//! Reads the orders of the role `rollout`, and checks that they are ones. It refuses to know who obeys them.

use moult_model::rollout::{Act, Orders};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{BoxedError, TrustError};

/// The role that gives orders.
pub(crate) const ROLE: &str = "rollout";

/// The largest metadata of the role that is fetched, in bytes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// Parses orders and refuses those that can't be obeyed as a whole.
///
/// What is unknown is never read as "nothing is ordered": whoever asked keeps to the orders that it has.
pub(crate) fn check(custom: Option<&Value>) -> Result<Orders, TrustError> {
    #[derive(Deserialize)]
    struct Shape {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| TrustError::Orders {
        what: "they can't be read".to_owned(),
        source: Some(BoxedError::from(error)),
    };
    let custom = custom.ok_or_else(|| refused("there is a place for them, and nothing in it"))?;
    let Shape { format } = Shape::deserialize(custom).map_err(unreadable)?;
    if format != Orders::FORMAT {
        return Err(refused(format!(
            "they have format {format}; {} is known",
            Orders::FORMAT
        )));
    }
    let count = custom["orders"].as_array().map_or(0, Vec::len);
    if count > Orders::MOST {
        return Err(refused(format!("they are {count}, more than {}", Orders::MOST)));
    }
    let orders = Orders::deserialize(custom).map_err(unreadable)?;
    for order in &orders.orders {
        let whose = format!("{} of {}", order.digest.short(), order.subject);
        if let Err(error) = order.given.parse::<jiff::Timestamp>() {
            return Err(TrustError::Orders {
                what: format!("nobody can tell when that about {whose} was given"),
                source: Some(error.into()),
            });
        }
        if order
            .reason
            .as_ref()
            .is_some_and(|reason| reason.chars().count() > LONGEST_REASON)
        {
            return Err(refused(format!(
                "the reason for that about {whose} is longer than {LONGEST_REASON} characters"
            )));
        }
        if matches!(&order.act, Act::Recall { to } if *to == order.digest) {
            return Err(refused(format!("{whose} is recalled to itself")));
        }
    }
    Ok(orders)
}

fn refused(what: impl Into<String>) -> TrustError {
    TrustError::Orders {
        what: what.into(),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(change: &Value) -> Value {
        let mut order = json!({
            "subject": "w/moult/notes",
            "digest": "a".repeat(64),
            "hold_epoch": 0,
            "act": { "kind": "hold" },
            "given": "2026-11-30T12:00:00Z",
        });
        for (field, value) in change.as_object().into_iter().flatten() {
            order[field] = value.clone();
        }
        order
    }

    #[test]
    fn what_can_not_be_obeyed_is_refused_in_words() {
        let one = |change: Value| json!({ "format": 1, "orders": [order(&change)] });
        let many: Vec<_> = (0..=Orders::MOST).map(|_| order(&json!({}))).collect();
        let table = [
            (json!({ "format": 2, "orders": 7 }), "format 2"),
            (json!({ "orders": [] }), "can't be read"),
            (json!([]), "can't be read"),
            (json!({ "format": 1 }), "can't be read"),
            (json!({ "format": 1, "orders": many }), "1025, more than 1024"),
            (one(json!({ "act": { "kind": "erase" } })), "can't be read"),
            (
                one(json!({ "act": { "kind": "limit", "share": 10_001 } })),
                "can't be read",
            ),
            (
                one(json!({ "act": { "kind": "recall", "to": "a".repeat(64) } })),
                "recalled to itself",
            ),
            (one(json!({ "subject": "../x" })), "can't be read"),
            (one(json!({ "digest": "a" })), "can't be read"),
            (one(json!({ "given": "yesterday" })), "when that about"),
            (one(json!({ "reason": "x".repeat(501) })), "longer than 500"),
        ];
        for (custom, expected) in table {
            let text = match check(Some(&custom)) {
                Ok(orders) => format!("{orders:?}"),
                Err(error) => error.to_string(),
            };
            assert!(text.contains(expected), "{custom}: {text}");
        }
        assert!(check(None).is_err());
        assert!(check(Some(&one(json!({ "reason": "x".repeat(500), "later": 1 })))).is_ok());
    }
}
