//! What the user has decided, per widget.

use std::collections::BTreeMap;

use moult_model::WidgetId;
use moult_model::bundle::Permission;
use serde::{Deserialize, Serialize};

/// A decision of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// When it was decided, RFC 3339 in UTC.
    pub at: String,
}

/// All decisions. Nothing is allowed that is not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    widgets: BTreeMap<WidgetId, BTreeMap<String, Decision>>,
}

impl Grants {
    /// Records a decision; the last one counts.
    pub fn decide(&mut self, widget: &WidgetId, capability: &str, allowed: bool, at: String) {
        self.widgets
            .entry(widget.clone())
            .or_default()
            .insert(capability.to_owned(), Decision { allowed, at });
    }

    /// The decision on one capability, if there was one.
    pub fn decision(&self, widget: &WidgetId, capability: &str) -> Option<&Decision> {
        self.widgets.get(widget)?.get(capability)
    }

    /// Whether a widget may use a capability.
    pub fn allows(&self, widget: &WidgetId, capability: &str) -> bool {
        self.decision(widget, capability)
            .is_some_and(|decision| decision.allowed)
    }

    /// Of what a manifest asks for, that which is allowed.
    pub fn allowed_of(&self, widget: &WidgetId, permissions: &[Permission]) -> Vec<String> {
        permissions
            .iter()
            .map(|permission| permission.capability.clone())
            .filter(|capability| self.allows(widget, capability))
            .collect()
    }

    /// Of what a manifest asks for, that which was never decided on.
    pub fn undecided_of<'a>(&self, widget: &WidgetId, permissions: &'a [Permission]) -> Vec<&'a Permission> {
        permissions
            .iter()
            .filter(|permission| self.decision(widget, &permission.capability).is_none())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widget(id: &str) -> WidgetId {
        id.parse().unwrap_or_else(|_| unreachable!("a valid id"))
    }

    #[test]
    fn nothing_is_allowed_that_was_not_granted_to_this_very_widget() {
        let mut grants = Grants::default();
        grants.decide(
            &widget("moult/system"),
            "system.figures",
            true,
            "2026-01-01T00:00:00Z".into(),
        );
        assert!(grants.allows(&widget("moult/system"), "system.figures"));
        assert!(!grants.allows(&widget("moult/system"), "network"));
        assert!(!grants.allows(&widget("other/system"), "system.figures"));
    }

    #[test]
    fn the_last_decision_counts() {
        let mut grants = Grants::default();
        for allowed in [true, false] {
            grants.decide(&widget("a/b"), "system.figures", allowed, String::new());
        }
        assert!(!grants.allows(&widget("a/b"), "system.figures"));
        assert!(grants.decision(&widget("a/b"), "system.figures").is_some());
    }
}
