//! What can go wrong in this crate. Each variant is one action that failed.

use std::io;

use moult_boot::BootError;
use moult_durable::DurableError;

/// What could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// The right to write could not be taken or taken apart.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A file could not be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The socket or pipe for the successor could not be made.
    #[error("`{name}` could not be listened at")]
    Listen {
        /// The socket or pipe.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The running application could not be reached.
    #[error("the running application could not be reached at `{name}`")]
    Connect {
        /// The socket or pipe.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A message could not be sent.
    #[error("a message of the hand-over could not be sent")]
    Send {
        /// Why.
        source: io::Error,
    },
    /// A message could not be received.
    #[error("a message of the hand-over could not be received")]
    Receive {
        /// Why.
        source: io::Error,
    },
    /// A message is longer than is allowed.
    #[error("a message of the hand-over has {bytes} bytes, more than {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// A message can't be written as JSON.
    #[error("a message of the hand-over can't be encoded")]
    Encode {
        /// Why.
        source: serde_json::Error,
    },
    /// The other side has gone.
    #[error("the other side of the hand-over has gone")]
    Gone,
    /// Something else came where a descriptor was awaited.
    #[error("the right to write did not come: {found}")]
    NoRight {
        /// What came.
        found: &'static str,
    },
    /// The running application goes on, and this process is not needed.
    #[error("the running application goes on: {why}. Nothing was changed")]
    Refused {
        /// Why, in its words.
        why: String,
    },
    /// The text does not name an offer.
    #[error("`{text}` does not name an offer of a hand-over")]
    NotAnOffer {
        /// The text.
        text: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// The local interface could not be set up.
    #[error("the local interface could not be opened")]
    LocalApi {
        /// Why.
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread {
        /// Why.
        source: io::Error,
    },
}
