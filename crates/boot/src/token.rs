//! The name of one start. Refuses to know what is started.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::layout::START_TOKEN_VARIABLE;
use crate::{BootError, platform};

/// Names one start of an executable: the launcher hands it out, and what is said about a start later
/// (that it is confirmed, that it takes over) names it again. So a process of an earlier start can't
/// speak for a later one.
///
/// It is 32 hexadecimal digits. Any text is read, since a later release may use another shape.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartToken(String);

impl StartToken {
    /// A new one.
    pub fn random() -> Result<Self, BootError> {
        Ok(Self::of(platform::random()?))
    }

    /// The one of these bytes.
    pub fn of(bytes: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(DIGITS[usize::from(digit)]));
        Self(digits.collect())
    }

    /// What the launcher told this process; `None` if no launcher started it.
    pub fn from_environment() -> Option<Self> {
        Self::named(&std::env::var(START_TOKEN_VARIABLE).ok()?)
    }

    /// A token by its text; `None` if that is empty.
    pub fn named(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StartToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_hexadecimal_and_none_is_like_another() {
        let token = StartToken::of([0x0f; 16]);
        assert_eq!(token.as_str(), "0f".repeat(16));
        assert_eq!(StartToken::named(token.as_str()), Some(token));
        assert_eq!(StartToken::named(""), None);
        let random = [StartToken::random(), StartToken::random()].map(Result::ok);
        assert!(random[0].is_some() && random[0] != random[1]);
    }
}
