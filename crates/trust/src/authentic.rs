//! The type of what was verified. It knows nothing of how.

use std::ops::Deref;

/// A value whose bytes were verified against signed, current metadata.
///
/// Only this crate makes one, so whoever asks for an `Authentic<T>` can't be handed anything else.
/// It can be read, not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentic<T>(T);

impl<T> Authentic<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Authentic<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> AsRef<T> for Authentic<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}
