//! Release channels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A release channel: `stable`, `beta`, `nightly`, or any name of 1 to 32 characters
/// from `a-z`, `0-9` and `-`.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[derive(ts_rs::TS)]
#[ts(type = "string")]
pub struct Channel(String);

/// A text that can't name a channel.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` can't name a channel: use 1 to 32 characters from a-z, 0-9 and -")]
pub struct ChannelError(String);

impl Channel {
    /// The channel that everybody follows who has not said otherwise.
    pub fn stable() -> Self {
        Self("stable".to_owned())
    }

    /// The channel's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::stable()
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ChannelError(text.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for Channel {
    type Error = ChannelError;

    fn try_from(text: String) -> Result<Self, ChannelError> {
        text.parse()
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["stable", "beta", "nightly", "pr-1234", "x"] {
            assert!(good.parse::<Channel>().is_ok(), "{good}");
        }
        for bad in ["", "Stable", "a b", "../x", "ä", &"x".repeat(33)] {
            assert!(bad.parse::<Channel>().is_err(), "{bad}");
        }
    }
}
