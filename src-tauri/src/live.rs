//! Which version of a widget its user sees, where two stand: only that one may act.
//!
//! The stage says when a swap switches and when it is called off; this only keeps it. It refuses to know swaps.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::loads::LiveLoad;

/// The load that the user has in each place, by its token.
#[derive(Debug, Default)]
pub(crate) struct Live(RwLock<HashMap<String, String>>);

impl Live {
    /// From now on this load is the one in its place; the one that was comes back.
    pub(crate) fn set(&self, instance: &str, token: &str) -> Option<String> {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(instance.to_owned(), token.to_owned())
    }

    /// The load in a place.
    pub(crate) fn token(&self, instance: &str) -> Option<String> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(instance)
            .cloned()
    }

    /// Whether a load is the one in its place.
    pub(crate) fn is(&self, load: &LiveLoad) -> bool {
        load.instance
            .as_deref()
            .is_some_and(|instance| self.token(instance).as_ref() == Some(&load.token))
    }

    /// The page is new: nothing stands.
    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
