//! What can go wrong in this crate. Each variant is one action that failed; `words` turns the
//! codes into sentences.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use moult_boot::BootError;
use moult_delta::ApplyError;
use moult_durable::DurableError;
use moult_model::{BundleError, ErrorCode, Subject, Version};
use moult_trust::TrustError;

/// What could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// What is authentic and current could not be said.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The store of installed versions refused.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A record could not be read or written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The settings name no repository that may be asked.
    #[error("`{address}` can't be a repository's address: {why}")]
    Address {
        /// What the settings say.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A path in the repository leads out of it.
    #[error("`{path}` is not a path in the repository")]
    Path {
        /// The path.
        path: String,
    },
    /// The settings name a proxy that can't be one. Its address is not told, since it may hold a password.
    #[error("the proxy in the settings can't be used: {why}")]
    Proxy {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The certificates that the settings name can't be read.
    #[error("`{path}` holds no certificates in PEM form")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        source: reqwest::Error,
    },
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
    /// No answer could be had.
    #[error("`{url}` could not be fetched")]
    Request {
        /// The address.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server refused or failed.
    #[error("`{url}` was answered with {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server asked to be left alone for a while.
    #[error("`{url}` was answered with {status}: not before {seconds} s")]
    Busy {
        /// The address.
        url: String,
        /// The HTTP status: 429 or 503.
        status: u16,
        /// For how long.
        seconds: u64,
    },
    /// The host failed so often that it is left alone for a while. Nothing was asked.
    #[error("{host} failed too often and is left alone for {seconds} s")]
    Resting {
        /// The host.
        host: String,
        /// For how long.
        seconds: u64,
    },
    /// A page came in place of a file: most likely the network wants its user to sign in first.
    #[error("`{url}` was answered with a page in place of the file")]
    Portal {
        /// The address.
        url: String,
    },
    /// The body is packed in a way that was not asked for, or can't be unpacked.
    #[error("`{url}` came packed as {coding}, which can't be read")]
    Coding {
        /// The address.
        url: String,
        /// The `Content-Encoding`.
        coding: String,
    },
    /// So little came that it is as good as nothing.
    #[error("only {per_second} bytes per second came from `{url}`")]
    Crawl {
        /// The address.
        url: String,
        /// Bytes per second.
        per_second: u64,
    },
    /// Nothing came for too long.
    #[error("nothing came from `{url}` for {seconds} s")]
    Stalled {
        /// The address.
        url: String,
        /// How long.
        seconds: u64,
    },
    /// A check took too long.
    #[error("the check took longer than {seconds} s")]
    TooSlow {
        /// What it was given.
        seconds: u32,
    },
    /// The body ended before its announced size.
    #[error("`{url}` ended after {found} of {expected} bytes")]
    CutShort {
        /// The address.
        url: String,
        /// How many bytes came, those of earlier tries included.
        found: u64,
        /// How many were expected.
        expected: u64,
    },
    /// The announced size is not the signed one.
    #[error("`{url}` announces {found} bytes in place of {expected}, and was left")]
    WrongLength {
        /// The address.
        url: String,
        /// How many bytes were announced.
        found: u64,
        /// How many are signed.
        expected: u64,
    },
    /// The body is longer than what was signed.
    #[error("`{url}` has more than the {limit} bytes it should have, and was left")]
    TooLong {
        /// The address.
        url: String,
        /// The signed size in bytes.
        limit: u64,
    },
    /// The server answered a range with other bytes than were asked for.
    #[error("`{url}` was asked for bytes from {asked} on and answered with others")]
    WrongRange {
        /// The address.
        url: String,
        /// Where the range should have begun.
        asked: u64,
    },
    /// A downloaded file does not match its digest. It was deleted.
    #[error("`{url}` does not match its digest")]
    Corrupt {
        /// The address.
        url: String,
    },
    /// A file could not be read or written.
    #[error("`{path}` could not be {action}")]
    Disk {
        /// What was tried: `opened`, `read`, `written`, `removed`, `renamed`, `unpacked`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was here a moment ago is gone: a virus scanner takes away what it dislikes.
    #[error("`{path}` was taken away by another program")]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// A packed file can't be unpacked.
    #[error("`{path}` can't be unpacked")]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A patch could not be applied.
    #[error("the patch `{path}` could not be applied")]
    Apply {
        /// The patch file.
        path: PathBuf,
        /// Why.
        source: ApplyError,
    },
    /// A patch made another file than it should.
    #[error("the patch `{path}` made another file than the one that was announced")]
    WrongResult {
        /// The patch file.
        path: PathBuf,
    },
    /// A rebuilt artifact is not the one that was released.
    #[error("the rebuilt file is not the one that was released as {version}")]
    NotTheRelease {
        /// The release.
        version: Version,
    },
    /// An executable comes without a signature.
    #[error("{version} has no signature")]
    Unsigned {
        /// The release.
        version: Version,
    },
    /// A bundle is malformed.
    #[error("{version} of {subject} is not a bundle")]
    Bundle {
        /// What it should be.
        subject: Subject,
        /// The release.
        version: Version,
        /// Why.
        source: Box<BundleError>,
    },
    /// A bundle says something else of itself than the release that names it.
    #[error("{version} of {subject} says something else of itself than its release: {what}")]
    Contradiction {
        /// What it should be.
        subject: Subject,
        /// The release.
        version: Version,
        /// What differs.
        what: &'static str,
    },
    /// The version that was asked for is not kept.
    #[error("{version} of {subject} is not kept on this computer")]
    NotKept {
        /// What it would be.
        subject: Subject,
        /// The version.
        version: Version,
    },
    /// A piece of work ended by a fault of Moult itself.
    #[error("a piece of work ended without a result")]
    Abandoned,
    /// There is no tokio runtime to run in.
    #[error("the engine was started outside of a tokio runtime")]
    NoRuntime,
}

impl UpdateError {
    /// What kind of problem this is, in the vocabulary of the screen.
    pub fn code(&self) -> ErrorCode {
        if is_disk_full(self) {
            return ErrorCode::DiskFull;
        }
        match self {
            Self::Trust(error) => error.code(),
            Self::Boot(error) => error.code(),
            Self::Address { .. } | Self::Proxy { .. } | Self::Certificates { .. } => ErrorCode::Offline,
            Self::Portal { .. } => ErrorCode::CaptivePortal,
            Self::Durable(DurableError::Held { .. }) | Self::Taken { .. } => ErrorCode::FileHeld,
            Self::Request { source, .. } if source.is_connect() => ErrorCode::Offline,
            Self::Request { source, .. } if source.is_redirect() => ErrorCode::ServerRefused,
            Self::Status { status, .. } if !is_transient_status(*status) => ErrorCode::ServerRefused,
            Self::Request { .. }
            | Self::Status { .. }
            | Self::Busy { .. }
            | Self::Resting { .. }
            | Self::Coding { .. }
            | Self::Crawl { .. }
            | Self::WrongLength { .. }
            | Self::Stalled { .. }
            | Self::TooSlow { .. }
            | Self::CutShort { .. }
            | Self::WrongRange { .. } => ErrorCode::ServerFailed,
            Self::TooLong { .. }
            | Self::Corrupt { .. }
            | Self::Unpack { .. }
            | Self::NotTheRelease { .. } => ErrorCode::FileCorrupt,
            Self::Durable(_) | Self::Disk { .. } => ErrorCode::DiskFailed,
            Self::Apply { .. } | Self::WrongResult { .. } => ErrorCode::PatchFailed,
            Self::Unsigned { .. } => ErrorCode::SignatureInvalid,
            Self::Bundle { .. } | Self::Contradiction { .. } => ErrorCode::BundleInvalid,
            Self::Path { .. } => ErrorCode::IndexInvalid,
            Self::Client { .. } | Self::NotKept { .. } | Self::Abandoned | Self::NoRuntime => {
                ErrorCode::Internal
            }
        }
    }

    /// Whether the same request may well succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Request { source, .. } => !source.is_redirect() && !source.is_builder(),
            Self::Status { status, .. } => is_transient_status(*status),
            Self::Busy { .. }
            | Self::Stalled { .. }
            | Self::Crawl { .. }
            | Self::CutShort { .. }
            | Self::WrongLength { .. }
            | Self::WrongRange { .. } => true,
            _ => false,
        }
    }

    /// Whether nothing was asked, since the host is left alone for a while.
    pub(crate) fn is_resting(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if matches!(error.downcast_ref(), Some(Self::Resting { .. })) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Whether somebody should look at it: the server answered, and what it says should not be.
    pub(crate) fn is_alarming(&self) -> bool {
        match self {
            Self::Status { status, .. } => !is_transient_status(*status),
            Self::Request { source, .. } => source.is_redirect(),
            Self::Corrupt { .. } | Self::TooLong { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// Whether a server that says so may say something else a moment later: it fails, is too slow for the request,
/// or has too many of them.
fn is_transient_status(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

/// The whole chain of causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let next_text = next.to_string();
        // Transparent variants repeat their source.
        if !text.ends_with(&next_text) {
            text.push_str(": ");
            text.push_str(&next_text);
        }
        source = next.source();
    }
    text
}

fn is_disk_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one_wherever_it_shows() {
        let path = Path::new("staging/x.part");
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let cases = [
            (UpdateError::disk("written", path)(full()), ErrorCode::DiskFull),
            (
                UpdateError::disk("written", path)(io::ErrorKind::PermissionDenied.into()),
                ErrorCode::DiskFailed,
            ),
            (
                UpdateError::Unpack {
                    path: path.into(),
                    source: full(),
                },
                ErrorCode::DiskFull,
            ),
            (
                UpdateError::Unpack {
                    path: path.into(),
                    source: io::ErrorKind::Other.into(),
                },
                ErrorCode::FileCorrupt,
            ),
            (
                UpdateError::from(DurableError::Write {
                    path: path.into(),
                    source: full(),
                }),
                ErrorCode::DiskFull,
            ),
        ];
        for (error, code) in cases {
            assert_eq!(error.code(), code, "{error}");
        }
    }

    #[test]
    fn a_host_that_is_left_alone_is_known_through_what_trust_makes_of_it() {
        let resting = || UpdateError::Resting {
            host: "example.org".to_owned(),
            seconds: 30,
        };
        let wrapped = UpdateError::from(TrustError::Transport(moult_trust::TransportError {
            code: ErrorCode::ServerFailed,
            url: "metadata/timestamp.json".to_owned(),
            source: Box::new(resting()),
        }));
        assert!(resting().is_resting());
        assert!(wrapped.is_resting(), "{}", chain(&wrapped));
        assert!(!UpdateError::Abandoned.is_resting());
    }

    #[test]
    fn answers_of_4xx_are_final_and_5xx_are_not() {
        for (status, transient, code) in [
            (400, false, ErrorCode::ServerRefused),
            (404, false, ErrorCode::ServerRefused),
            (302, false, ErrorCode::ServerRefused),
            (410, false, ErrorCode::ServerRefused),
            (408, true, ErrorCode::ServerFailed),
            (429, true, ErrorCode::ServerFailed),
            (500, true, ErrorCode::ServerFailed),
            (503, true, ErrorCode::ServerFailed),
        ] {
            let error = UpdateError::Status {
                url: String::new(),
                status,
            };
            assert_eq!(
                (error.is_transient(), error.code()),
                (transient, code),
                "{status}"
            );
        }
    }
}
