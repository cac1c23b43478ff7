//! What the application and the child process say to each other.
//!
//! A frame is its kind (one byte), its length (four, little-endian) and its bytes. Kind 0 is a message in JSON, kind 1
//! is raw: compiled code, or a component to compile, which belongs to the message before it. A frame that is too long or
//! can't be read ends the connection: one side of it is wrong.

use std::io::{self, Read, Write};

use moult_model::Digest;
use moult_model::stage::SavedState;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest message, in bytes: a state with what surrounds it.
pub const MESSAGE_BYTES: u32 = 4 << 20;
/// The longest raw frame, in bytes: compiled code is some times larger than the component.
pub const RAW_BYTES: u32 = 256 << 20;
/// The largest component that is compiled, in bytes.
pub const COMPONENT_BYTES: usize = 16 << 20;

const MESSAGE: u8 = 0;
const RAW: u8 = 1;

/// What logic may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of all its instances' linear memories, in bytes.
    pub memory_bytes: u64,
    /// Processor time for one call into it, in milliseconds.
    pub event_ms: u32,
    /// A snapshot, or one answer, in bytes.
    pub answer_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            event_ms: 50,
            answer_bytes: 1 << 20,
        }
    }
}

/// Names an instance for as long as its child process lives.
pub type InstanceNumber = u32;
/// Names a question until it is answered.
pub type Number = u64;

/// What the child is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToChild {
    /// Compile the component in the raw frame that follows.
    Compile,
    /// Start an instance of the compiled code in the raw frame that follows.
    Start {
        /// Its name from now on.
        instance: InstanceNumber,
        /// Names the component that the code was made of: instances of one share it.
        component: Digest,
        /// What it may use.
        limits: Limits,
        /// The settings of this instance.
        settings: Value,
        /// The state that it takes over, if there is one.
        state: Option<SavedState>,
        /// The schema of the state that it writes.
        schema: u32,
    },
    /// Handle an event.
    Handle {
        /// Which one.
        instance: InstanceNumber,
        /// Names the answer.
        number: Number,
        /// The event.
        event: Value,
    },
    /// Say the state.
    Snapshot {
        /// Which one.
        instance: InstanceNumber,
        /// Names the answer.
        number: Number,
    },
    /// Take over a state.
    Restore {
        /// Which one.
        instance: InstanceNumber,
        /// Names the answer.
        number: Number,
        /// The state.
        state: SavedState,
    },
    /// What became of a call of an instance.
    Answer {
        /// Whose.
        instance: InstanceNumber,
        /// The call.
        number: Number,
        /// A value, or a problem.
        outcome: Result<Value, Value>,
    },
    /// End an instance, whatever it does.
    Stop {
        /// Which one.
        instance: InstanceNumber,
    },
}

/// What the child says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FromChild {
    /// The first message. Says what was done to take rights away.
    Hello {
        /// What is in force, in words, for the log.
        confined: Vec<String>,
        /// Names engine, version, settings and processor: code compiled by another one is not run.
        engine: String,
    },
    /// The compiled code is in the raw frame that follows.
    Compiled,
    /// The component could not be compiled.
    NotCompiled {
        /// Why.
        fault: Fault,
    },
    /// An instance started and took over its state.
    Started {
        /// Which one.
        instance: InstanceNumber,
    },
    /// What became of an event, a snapshot or a restore: the answer, the state, or null.
    Done {
        /// Which one.
        instance: InstanceNumber,
        /// As asked.
        number: Number,
        /// The value.
        value: Value,
    },
    /// An instance refused the state; it goes on.
    Refused {
        /// Which one.
        instance: InstanceNumber,
        /// As asked; none if it was the one to start with.
        number: Option<Number>,
        /// Its words.
        reason: String,
    },
    /// An instance ended by a fault of its own. Nothing more comes of it.
    Failed {
        /// Which one.
        instance: InstanceNumber,
        /// Why.
        fault: Fault,
    },
    /// An instance uses a capability, and waits.
    Call {
        /// Which one.
        instance: InstanceNumber,
        /// Names the answer.
        number: Number,
        /// As in docs/host-api.md.
        capability: String,
        /// Its request.
        request: Value,
    },
    /// An instance says something to its page.
    Said {
        /// Which one.
        instance: InstanceNumber,
        /// What.
        event: Value,
    },
    /// An instance leaves a line in its log.
    Logged {
        /// Which one.
        instance: InstanceNumber,
        /// The line.
        line: String,
    },
}

/// Why an instance, or a component that was to become one, is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Fault {
    /// What it was.
    pub kind: FaultKind,
    /// What the engine said of it.
    pub detail: String,
}

/// What may be wrong with logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It is no component, or not one of a world that this host knows.
    Unfit,
    /// Compiling took too long or too much memory.
    CompileBomb,
    /// It trapped.
    Trapped,
    /// One call into it took too long.
    TimedOut,
    /// It asked for more memory than it may have.
    OutOfMemory,
    /// An answer or a snapshot was too large or was no JSON.
    BadAnswer,
    /// Its process ended.
    ProcessEnded,
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unfit => "it is no widget logic",
            Self::CompileBomb => "it could not be compiled within its limits",
            Self::Trapped => "it trapped",
            Self::TimedOut => "it took too long",
            Self::OutOfMemory => "it asked for too much memory",
            Self::BadAnswer => "it gave an answer that can't be used",
            Self::ProcessEnded => "its process ended",
        })
    }
}

/// A frame that was read.
#[derive(Debug)]
pub enum Frame<T> {
    /// A message.
    Message(T),
    /// Raw bytes.
    Raw(Vec<u8>),
}

/// Writes a message.
pub fn write_message<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(message).map_err(io::Error::other)?;
    write_frame(to, MESSAGE, &bytes, MESSAGE_BYTES)
}

/// Writes raw bytes.
pub fn write_raw(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    write_frame(to, RAW, bytes, RAW_BYTES)
}

fn write_frame(to: &mut impl Write, kind: u8, bytes: &[u8], most: u32) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= most);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the frame is too long"))?;
    let mut head = [kind, 0, 0, 0, 0];
    head[1..].copy_from_slice(&length.to_le_bytes());
    to.write_all(&head)?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads a frame; none at the orderly end of the connection.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<Frame<T>>> {
    let mut head = [0; 5];
    let mut got = 0;
    while got < head.len() {
        match from.read(&mut head[got..]) {
            Ok(0) if got == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => got += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let most = match head[0] {
        MESSAGE => MESSAGE_BYTES,
        RAW => RAW_BYTES,
        kind => return Err(invalid(format!("there is no kind {kind} of frame"))),
    };
    if length > most {
        return Err(invalid(format!("a frame of {length} bytes is too long")));
    }
    // Grows as the bytes come: nothing is allocated by a length alone.
    let mut bytes = Vec::new();
    let read = from.take(length.into()).read_to_end(&mut bytes)?;
    if read < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if head[0] == RAW {
        return Ok(Some(Frame::Raw(bytes)));
    }
    serde_json::from_slice(&bytes)
        .map(|message| Some(Frame::Message(message)))
        .map_err(|error| invalid(format!("a message can't be read: {error}")))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Option<Frame<ToChild>>> {
        read_frame(&mut &bytes[..])
    }

    #[test]
    fn what_is_written_is_read() -> io::Result<()> {
        let stop = ToChild::Stop { instance: 7 };
        let mut bytes = Vec::new();
        write_message(&mut bytes, &stop)?;
        write_raw(&mut bytes, b"code")?;
        let mut from = &bytes[..];
        assert!(
            matches!(read_frame::<ToChild>(&mut from)?, Some(Frame::Message(message)) if message == stop)
        );
        assert!(matches!(read_frame::<ToChild>(&mut from)?, Some(Frame::Raw(raw)) if raw == b"code"));
        assert!(read_frame::<ToChild>(&mut from)?.is_none());
        Ok(())
    }

    #[test]
    fn what_is_no_frame_ends_the_connection() {
        let cases: [(&str, &[u8]); 6] = [
            ("an unknown kind", &[2, 0, 0, 0, 0]),
            ("half a head", &[0, 1]),
            ("half a body", &[1, 4, 0, 0, 0, 1, 2]),
            ("a message that is too long", &[0, 255, 255, 255, 255]),
            ("raw bytes that are too long", &[1, 1, 0, 0, 0x10]),
            ("a message that is none", b"\0\x02\0\0\0{}"),
        ];
        for (what, bytes) in cases {
            assert!(read(bytes).is_err(), "{what}");
        }
    }

    #[test]
    fn a_length_alone_takes_no_memory() {
        let mut bytes = vec![1];
        bytes.extend_from_slice(&RAW_BYTES.to_le_bytes());
        let error = read(&bytes).map(|_| ());
        assert_eq!(
            error.map_err(|error| error.kind()),
            Err(io::ErrorKind::UnexpectedEof)
        );
    }
}
