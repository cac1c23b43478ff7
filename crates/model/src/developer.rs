//! What `moult widget dev` and the running application say to each other, and how that lies on the wire.
//!
//! The application opens a door on the loopback address while its user has the developer switch on, and writes port
//! and token to [`DOOR`] in its data folder, for the user alone. Who has the token may show one unsigned widget for as
//! long as the connection lasts.
//!
//! A message is its length and that of what follows it (four bytes each, little-endian), JSON, and raw bytes: the
//! bundle. No web page can say that: what a browser sends begins with letters, and so with a length that is refused.

use std::collections::BTreeMap;

use semver::Version;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Bundle;

/// The version of this conversation.
pub const PROTOCOL: u32 = 1;
/// Where the door is written to, below the data folder.
pub const DOOR: &str = "run/developer.json";
/// The publisher that unsigned widgets run under, whatever they call themselves: grants and storage of a real widget
/// are never theirs. No repository has a publisher of this name.
pub const PUBLISHER: &str = "developer";
/// The longest message, in bytes of JSON.
pub const MESSAGE_BYTES: u32 = 64 * 1024;
/// The two lengths before a message.
pub const HEADER_BYTES: usize = 8;

/// Where the door is, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The port on the loopback address.
    pub port: u16,
    /// The token.
    pub token: String,
}

/// What the tool says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToApp {
    /// First: who it is.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The token of the door.
        token: String,
    },
    /// Run the bundle that follows.
    Run,
    /// The newest state of the widget can't be built; what runs goes on.
    Trouble {
        /// What the build said.
        text: String,
    },
}

/// What the application says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToTool {
    /// The token was right.
    Welcome {
        /// The version of the application.
        app: Version,
        /// The version of the host interface.
        host_api: u32,
    },
    /// The bundle runs and is what the user sees.
    Live {
        /// The tile.
        instance: String,
        /// Whether it replaced another, and how long that took.
        swap: Option<Swapped>,
    },
    /// The bundle does not run; what ran before goes on.
    Failed {
        /// Why, in words.
        text: String,
    },
}

/// What a swap took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swapped {
    /// From the order to the new version being ready, in milliseconds.
    pub ready_ms: f64,
    /// From the freeze of the old version to the first frame of the new one, in milliseconds.
    pub switch_ms: f64,
    /// From the bundle being there to the first frame of the new version, in milliseconds.
    pub whole_ms: f64,
}

/// What the developer's widgets look like to the shell, while the switch is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct DeveloperView {
    /// The tiles that show unsigned widgets, each with what went wrong last, if it still does.
    #[ts(type = "Record<string, string | null>")]
    pub tiles: BTreeMap<String, Option<String>>,
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A length that no message has.
    #[error("a message of {message} bytes with {raw} behind it is none")]
    Length {
        /// Of the JSON.
        message: u32,
        /// Of what follows.
        raw: u32,
    },
    /// JSON that is no message.
    #[error("the message can't be read")]
    Message(#[source] serde_json::Error),
}

/// How long a message is, and what follows it.
pub fn lengths(header: [u8; HEADER_BYTES]) -> Result<(usize, usize), WireError> {
    let message = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let raw = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if message == 0 || message > MESSAGE_BYTES || u64::from(raw) > Bundle::MAX_BYTES {
        return Err(WireError::Length { message, raw });
    }
    Ok((message as usize, raw as usize))
}

/// Reads a message.
pub fn read<T: DeserializeOwned>(message: &[u8]) -> Result<T, WireError> {
    serde_json::from_slice(message).map_err(WireError::Message)
}

/// A message as bytes, with its lengths before it; `raw` bytes are sent behind.
pub fn write(message: &impl Serialize, raw: usize) -> Result<Vec<u8>, WireError> {
    let json = serde_json::to_vec(message).map_err(WireError::Message)?;
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&(json.len() as u32).to_le_bytes());
    header[4..].copy_from_slice(&(raw as u32).to_le_bytes());
    lengths(header)?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

/// A text that fits into a message, cut at its end.
pub fn fitting(text: &str) -> String {
    const MOST: usize = 8 * 1024;
    if text.len() <= MOST {
        return text.to_owned();
    }
    let mut end = MOST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n...", &text[..end])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_went() -> Result<(), WireError> {
        let message = ToApp::Trouble {
            text: "x".repeat(100),
        };
        let bytes = write(&message, 7)?;
        let header = bytes[..HEADER_BYTES].try_into().unwrap();
        let (length, raw) = lengths(header)?;
        assert_eq!((length, raw), (bytes.len() - HEADER_BYTES, 7));
        assert_eq!(read::<ToApp>(&bytes[HEADER_BYTES..])?, message);
        Ok(())
    }

    #[test]
    fn what_a_browser_sends_is_no_message() {
        for begin in [
            b"POST / H",
            b"GET /v1/",
            b"OPTIONS ",
            b"\x16\x03\x01\x02\x00\x01\x00\x01",
        ] {
            assert!(lengths(*begin).is_err());
        }
        assert!(lengths([0; 8]).is_err());
        assert!(
            lengths([1, 0, 0, 0, 1, 0, 0, 4]).is_err(),
            "a bundle above the limit"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let text = "é".repeat(10_000);
        let cut = fitting(&text);
        assert!(cut.len() < 9_000 && cut.ends_with("..."));
        assert!(write(&ToApp::Trouble { text: cut }, 0).is_ok());
    }
}
