//! Who used what, and whether it was let: the last uses of each widget, for its user to look at. Pure.

use std::collections::{BTreeMap, VecDeque};

use moult_model::WidgetId;
use moult_model::stage::CapabilityUse;

/// So many are kept of each widget.
const KEPT: usize = 100;

/// The last uses of all widgets.
#[derive(Debug, Default)]
pub struct Uses {
    widgets: BTreeMap<WidgetId, VecDeque<CapabilityUse>>,
}

impl Uses {
    /// Notes a use. One like the last of its kind is counted with it: a widget that looks every second must not push out
    /// what it did once.
    pub fn note(&mut self, widget: &WidgetId, used: CapabilityUse) {
        let of_widget = self.widgets.entry(widget.clone()).or_default();
        let like = |other: &CapabilityUse| {
            (&*other.instance, &*other.call, other.by_logic, other.refused)
                == (&*used.instance, &*used.call, used.by_logic, used.refused)
        };
        let count = match of_widget
            .iter()
            .position(like)
            .and_then(|at| of_widget.remove(at))
        {
            Some(before) => before.count.saturating_add(used.count),
            None => used.count,
        };
        of_widget.push_back(CapabilityUse { count, ..used });
        while of_widget.len() > KEPT {
            of_widget.pop_front();
        }
    }

    /// The uses of a widget, the last first.
    pub fn of(&self, widget: &WidgetId) -> Vec<CapabilityUse> {
        let uses = self.widgets.get(widget);
        uses.into_iter().flatten().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use moult_model::ErrorCode;

    use super::*;

    fn used(call: &str, at: &str, refused: Option<ErrorCode>) -> CapabilityUse {
        CapabilityUse {
            instance: "one".to_owned(),
            by_logic: false,
            call: call.to_owned(),
            refused,
            at: at.to_owned(),
            count: 1,
        }
    }

    #[test]
    fn what_is_done_often_is_one_line_and_what_is_done_once_stays() {
        let mut uses = Uses::default();
        let Ok(widget) = "a/b".parse::<WidgetId>() else {
            unreachable!("a valid id")
        };
        uses.note(&widget, used("open.url", "0", None));
        for second in 1..=500 {
            uses.note(&widget, used("system.figures", &second.to_string(), None));
        }
        uses.note(
            &widget,
            used("system.figures", "501", Some(ErrorCode::RateLimited)),
        );
        let told: Vec<_> = uses
            .of(&widget)
            .into_iter()
            .map(|one| (one.call, one.count, one.at, one.refused))
            .collect();
        let expected = [
            ("system.figures", 1, "501", Some(ErrorCode::RateLimited)),
            ("system.figures", 500, "500", None),
            ("open.url", 1, "0", None),
        ]
        .map(|(call, count, at, refused)| (call.to_owned(), count, at.to_owned(), refused));
        assert_eq!(told, expected);
        for number in 0..2 * KEPT {
            uses.note(&widget, used(&number.to_string(), "600", None));
        }
        assert_eq!(uses.of(&widget).len(), KEPT);
    }
}
