//! Calls that wait for their answer: so many of one instance, and no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Calls of one instance that may wait.
const MOST: usize = 64;

/// The calls that wait, by instance.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<Mutex<HashMap<String, usize>>>);

/// A call that waits. It is over when this is dropped.
#[derive(Debug)]
pub struct Turn {
    waiting: Waiting,
    instance: String,
}

impl Waiting {
    /// Begins a call; none if as many wait as may.
    pub fn begin(&self, instance: &str) -> Option<Turn> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(instance.to_owned()).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        drop(waiting);
        Some(Turn {
            waiting: self.clone(),
            instance: instance.to_owned(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.instance) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.instance);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixty_fifth_call_is_refused_until_one_is_over() {
        let waiting = Waiting::default();
        let mut turns: Vec<_> = (0..MOST).filter_map(|_| waiting.begin("one")).collect();
        assert_eq!(turns.len(), MOST);
        assert!(waiting.begin("one").is_none());
        assert!(waiting.begin("two").is_some());
        turns.pop();
        assert!(waiting.begin("one").is_some());
        drop(turns);
        assert!(waiting.0.lock().is_ok_and(|waiting| waiting.is_empty()));
    }
}
