//! Why something is not believed. Texts for the screen are made elsewhere, from the code.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use moult_durable::DurableError;
use moult_model::{ErrorCode, Subject, Version};

use crate::source::SourceError;
use crate::transport::TransportError;

pub(crate) type BoxedError = Box<dyn Error + Send + Sync>;

/// Why the client does not hand something out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The root that is compiled into the application is not usable.
    #[error("the built-in root can't be used")]
    Anchor {
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// The client's folder can't be made.
    #[error("the folder {path} can't be made")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: DurableError,
    },
    /// The repository could not be reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The repository lacks a file that it must have.
    #[error("the repository has no {path}")]
    Missing {
        /// The file's path in the repository.
        path: String,
    },
    /// Signed metadata is malformed, signed by the wrong keys, or does not fit together.
    #[error("signed metadata is not valid: {what}")]
    Invalid {
        /// What is wrong with it.
        what: String,
        /// What was found below, if there is more to tell.
        #[source]
        source: Option<BoxedError>,
    },
    /// A role's metadata is older than what was believed before.
    #[error("{role} has version {offered}, but version {believed} was believed before")]
    Replayed {
        /// The role.
        role: String,
        /// The lowest version that is believed.
        believed: u64,
        /// The version that was offered.
        offered: u64,
    },
    /// A role's metadata is too old to be believed.
    #[error("{role} expired at {expires}")]
    Expired {
        /// The role.
        role: String,
        /// When it expired.
        expires: Timestamp,
    },
    /// What is believed could not be written to disk. Nothing is handed out until a refresh ends well.
    #[error("what is believed could not be written to disk")]
    FloorNotWritten {
        /// Why.
        #[source]
        source: DurableError,
    },
    /// Nothing is known to be current: no refresh has ended well yet.
    #[error("no refresh has ended well yet")]
    NotRefreshed {
        /// What the last refresh failed with.
        last: ErrorCode,
    },
    /// No role that may do so lists an index for the subject.
    #[error("nothing is published as {path}")]
    NotPublished {
        /// The path of the index.
        path: String,
    },
    /// An index is broken, too large, or about something else.
    #[error("the index of {subject} is not valid: {what}")]
    Index {
        /// The subject that was asked for.
        subject: Subject,
        /// What is wrong with it.
        what: String,
        /// What was found below, if there is more to tell.
        #[source]
        source: Option<BoxedError>,
    },
    /// The orders of the role `rollout` are broken, too many, or in a shape of tomorrow. What was ordered before stays in force.
    #[error("the orders can't be obeyed: {what}")]
    Orders {
        /// What is wrong with them.
        what: String,
        /// What was found below, if there is more to tell.
        #[source]
        source: Option<BoxedError>,
    },
    /// A minisign key or signature can't be read.
    #[error("the {part} is not in minisign's form")]
    SignatureMalformed {
        /// `public key` or `signature`.
        part: &'static str,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A minisign signature is not over these bytes or not by this key.
    #[error("the signature does not fit the file")]
    SignatureWrong {
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A minisign signature is right, but names another version or none.
    #[error("the file is signed as {}, not as version {expected}", signed.as_deref().unwrap_or("no version"))]
    SignedVersion {
        /// The version in the trusted comment.
        signed: Option<String>,
        /// The version that was asked for.
        expected: Version,
    },
    /// The bytes to verify could not be read.
    #[error("the file to verify could not be read")]
    Artifact {
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl TrustError {
    /// What kind of failure it is, for the screen and for decisions.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Anchor { .. } => ErrorCode::Internal,
            Self::Folder { .. } | Self::Artifact { .. } => ErrorCode::DiskFailed,
            Self::Transport(error) => error.code,
            Self::Missing { .. } => ErrorCode::ServerRefused,
            Self::Invalid { .. } | Self::Orders { .. } => ErrorCode::MetadataInvalid,
            Self::Replayed { .. } => ErrorCode::MetadataReplayed,
            Self::Expired { .. } => ErrorCode::MetadataExpired,
            Self::FloorNotWritten { .. } => ErrorCode::FloorNotWritten,
            Self::NotRefreshed { last } => *last,
            Self::NotPublished { .. } | Self::Index { .. } => ErrorCode::IndexInvalid,
            Self::SignatureMalformed { .. } | Self::SignatureWrong { .. } | Self::SignedVersion { .. } => {
                ErrorCode::SignatureInvalid
            }
        }
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.into(),
            source: None,
        }
    }

    /// Says in this crate's words what the verification core found.
    pub(crate) fn from_core(error: sigstore_tuf::Error) -> Self {
        use sigstore_tuf::Error as Core;
        match error {
            Core::Expired { role, expires } => Self::Expired { role, expires },
            Core::Rollback { role, trusted, new } => Self::Replayed {
                role,
                believed: trusted,
                offered: new,
            },
            Core::BadRootVersion { trusted, new } if new <= trusted => Self::Replayed {
                role: "root".to_owned(),
                believed: trusted,
                offered: new,
            },
            Core::Transport {
                message,
                source: Some(source),
            } => match source.downcast::<SourceError>() {
                Ok(error) => (*error).into(),
                Err(source) => Self::Invalid {
                    what: message,
                    source: Some(source),
                },
            },
            Core::Transport {
                message,
                source: None,
            } => Self::invalid(message),
            other => Self::Invalid {
                what: "verification failed".to_owned(),
                source: Some(Box::new(other)),
            },
        }
    }
}

impl From<SourceError> for TrustError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::NotPlain { path, source } => Self::Invalid {
                what: format!("{path} can't be read in one way only"),
                source: Some(source.into()),
            },
            SourceError::Transport(error) => Self::Transport(error),
            SourceError::Missing { path } => Self::Missing { path },
            SourceError::TooLarge { .. } | SourceError::UnaskedNotModified { .. } => {
                Self::invalid(error.to_string())
            }
        }
    }
}
