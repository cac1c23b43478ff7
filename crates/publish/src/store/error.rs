//! Why files could not be brought to a store or back.

use std::io;
use std::path::PathBuf;

use moult_durable::DurableError;

/// Why a store was not read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The address names no store that is known.
    #[error("the store `{url}` is not one that is known")]
    Unknown {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: Option<object_store::Error>,
    },
    /// The store answers with an error, or does not answer.
    #[error("the store `{store}` failed to {action} `{path}`")]
    Failed {
        /// The store.
        store: String,
        /// What was asked of it.
        action: &'static str,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file changed after it was read.
    #[error("`{path}` in the store `{store}` was changed by somebody else")]
    Changed {
        /// The store.
        store: String,
        /// The file.
        path: String,
    },
    /// A versioned file is there with other bytes.
    #[error("the store `{store}` has another `{path}`: somebody else published at the same time")]
    Rival {
        /// The store.
        store: String,
        /// The file.
        path: String,
    },
    /// Another publisher is at work.
    #[error("another publisher is at work on the store `{store}` since {since}")]
    Busy {
        /// The store.
        store: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// The store has what this folder has not.
    #[error("the repository's folder is behind the store `{store}`")]
    Behind {
        /// The store.
        store: String,
    },
    /// The store has what this folder has not, and this folder has what the store has not.
    #[error("the store `{store}` and the repository's folder have gone different ways")]
    Parted {
        /// The store.
        store: String,
    },
    /// The store is older than what was signed here, or of other keys.
    #[error("what is in the store `{store}` can't be what was published with these keys")]
    Foreign {
        /// The store.
        store: String,
        /// Why.
        #[source]
        source: Box<moult_trust::sign::SignError>,
    },
    /// There is no store to push to or pull from.
    #[error("the configuration has no store")]
    None,
    /// A local file can't be read.
    #[error("`{path}` can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A local file can't be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// The program that was to reach the store can't be started, or failed.
    #[error("`{program}` failed to {action} `{path}`: {problem}")]
    Script {
        /// The program.
        program: String,
        /// What was asked of it.
        action: &'static str,
        /// The file.
        path: String,
        /// What it said, or why it can't be started.
        problem: String,
    },
    /// A file that is larger than its kind ever is.
    #[error("`{path}` in the store `{store}` is too large to be what it is named")]
    TooLarge {
        /// The store.
        store: String,
        /// The file.
        path: String,
    },
}

impl StoreError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unknown { .. } => {
                    "a store is a folder, or an address that begins with s3://, gs:// or az:// and names a bucket"
                }
                Self::Failed { .. } => {
                    "clients see what they saw before; look at the address, the rights and the network, then run `moult push`"
                }
                Self::Changed { .. } => {
                    "clients see one of the two, whole; run `moult pull`, then publish again"
                }
                Self::Rival { .. } => {
                    "clients see one of the two, whole; `moult pull --discard` drops what was signed here, then publish again"
                }
                Self::Busy { .. } => {
                    "wait until it ends; if it was interrupted and does not come back, `moult push --take-over`"
                }
                Self::Behind { .. } => "run `moult pull`, then try again",
                Self::Parted { .. } => {
                    "`moult pull --discard` drops what was signed here and never pushed; then publish again"
                }
                Self::Foreign { .. } => "compare the address of the store and the key folder with their copies",
                Self::None => "add `repository.store` to the configuration",
                Self::Script { .. } => "docs/publishing.md says what the program is asked and has to answer",
                Self::TooLarge { .. } => "look at what else writes to the store",
                Self::Read { .. } | Self::Write(_) => return None,
            }
            .to_owned(),
        )
    }

    /// Whether whoever gave the command can put it right.
    pub fn is_users_mistake(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Write(_))
    }
}
