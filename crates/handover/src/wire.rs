//! What the two say to each other: JSON lines of at most 16 MiB. Refuses to know sockets and descriptors.
//!
//! Each side may be newer than the other. A line that one side does not know is skipped, a field that it
//! does not know is passed over, and a field that is missing has a default.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::HandOverError;

/// The version of these messages.
pub const PROTOCOL: u32 = 1;

/// The longest message, in bytes, its line end included.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The version of the application that calls.
    pub version: String,
    /// What the launcher called this start: `MOULT_START_TOKEN`.
    pub start: String,
}

/// What the old one says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToNew {
    /// The answer to Hello.
    Welcome(Box<Welcome>),
    /// The old one is frozen, and this is what it had.
    Last(Box<Last>),
    /// Typed into the old window since the last message.
    Keys {
        /// The keys, in their order.
        keys: Vec<Value>,
    },
    /// The listening socket of the local interface. On Unix it comes with this line.
    Listener {
        /// Its port on the loopback address.
        port: u16,
        /// The token that it asks for.
        token: String,
    },
    /// The right to write. On Unix it comes with this line; elsewhere it is free from now on.
    Right,
    /// The old one stays, and the new one must end.
    Stay {
        /// Why, for the log.
        why: String,
    },
    /// The old one sends nothing more, and ends.
    Bye,
}

/// What the new one says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToOld {
    /// The first message.
    Hello {
        /// The version of these messages that it knows.
        protocol: u32,
        /// The application's version.
        version: String,
        /// The offer's token.
        token: String,
        /// What the launcher called this start.
        start: String,
    },
    /// It is alive and does something that takes long.
    Progress {
        /// What it does, for the log.
        what: String,
    },
    /// Its window stands underneath, with shell and widgets, twice painted.
    Ready,
    /// It has the right to write.
    Taken {
        /// How often the right has changed hands.
        generation: u64,
    },
    /// Its window is on top.
    Raised,
    /// It has given the right back, unused.
    Returned,
}

/// What the new one begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Welcome {
    /// The version of these messages that the old one knows.
    pub protocol: u32,
    /// The old one's version.
    pub version: String,
    /// Where its window is.
    pub window: Window,
    /// The board, as it was saved.
    pub board: Value,
    /// The states of the open widgets, as they were saved.
    pub states: Value,
    /// The theme: what colour stands before the first frame.
    pub theme: String,
}

/// A window, in logical pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// The left edge of its frame.
    pub x: f64,
    /// The upper edge of its frame.
    pub y: f64,
    /// The width of its content.
    pub width: f64,
    /// The height of its content.
    pub height: f64,
    /// Physical pixels per logical one.
    pub scale: f64,
    /// Whether it covers the screen.
    pub maximized: bool,
    /// Whether it is minimized.
    pub minimized: bool,
    /// Whether it has the focus.
    pub focused: bool,
    /// The number by which the system knows it, where it can be ordered by that.
    pub native: Option<u64>,
}

/// What the old one had when it was frozen. All of it that counts is saved to disk as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Last {
    /// The widgets' states and unsaved input.
    pub snapshots: Value,
    /// What has the focus, with caret and scroll positions.
    pub focus: Value,
    /// Typed while it froze.
    pub keys: Vec<Value>,
    /// How often the right to write has changed hands.
    pub generation: u64,
}

/// A message as one line.
pub(crate) fn encode(message: &impl Serialize) -> Result<Vec<u8>, HandOverError> {
    let mut line = serde_json::to_vec(message).map_err(|source| HandOverError::Encode { source })?;
    line.push(b'\n');
    if line.len() > LONGEST {
        return Err(HandOverError::TooLong {
            bytes: line.len(),
            limit: LONGEST,
        });
    }
    Ok(line)
}

/// Puts lines together from pieces as they come. What is too long is skipped and never kept.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    searched: usize,
    skipping: bool,
}

impl Lines {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if self.skipping {
            match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    bytes = &bytes[end + 1..];
                    self.skipping = false;
                }
                None => return,
            }
        }
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let found = self.pending[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            let Some(at) = found else {
                self.searched = self.pending.len();
                if self.pending.len() >= LONGEST {
                    self.pending = Vec::new();
                    self.searched = 0;
                    self.skipping = true;
                }
                return None;
            };
            let rest = self.pending.split_off(self.searched + at + 1);
            let mut line = std::mem::replace(&mut self.pending, rest);
            self.searched = 0;
            if line.len() <= LONGEST {
                line.pop();
                return Some(line);
            }
        }
    }
}

/// What a line says; `None` if this version does not know it.
pub(crate) fn decode<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    serde_json::from_slice(line).ok()
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
