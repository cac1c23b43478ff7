//! What went wrong, in a form that a person and a program can both use.

use serde::{Deserialize, Serialize};

/// The closed list of things that go wrong. The screen matches on these and never on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No connection could be made.
    Offline,
    /// The server answered 4xx.
    ServerRefused,
    /// The server answered 5xx, or did not answer in time.
    ServerFailed,
    /// A page came in place of a file: the network wants its user to sign in first.
    CaptivePortal,
    /// Signed metadata is broken or signed by the wrong key.
    MetadataInvalid,
    /// Signed metadata is too old to be believed.
    MetadataExpired,
    /// Signed metadata is older than what was seen before.
    MetadataReplayed,
    /// What is believed could not be written to disk, so nothing is installed.
    FloorNotWritten,
    /// An index is broken, too large, or about something else.
    IndexInvalid,
    /// A file does not match its digest.
    FileCorrupt,
    /// A file does not match its publisher's signature.
    SignatureInvalid,
    /// A patch could not be applied.
    PatchFailed,
    /// The disk is full.
    DiskFull,
    /// The disk refused a read or a write.
    DiskFailed,
    /// Another program, most likely a virus scanner, holds a file or took it away.
    FileHeld,
    /// A bundle is malformed or not made for this host.
    BundleInvalid,
    /// The new version could not take over.
    SwitchFailed,
    /// The new version did not accept the old one's state.
    StateRefused,
    /// The new version crashed.
    Crashed,
    /// The new version did not answer in time.
    Hung,
    /// Too much of what the new version did on trial failed.
    TooManyErrors,
    /// The new version's logic answered otherwise than the live one's in a shadow run.
    AnswersDiffer,
    /// The user has not granted what the new version asks for.
    ConsentNeeded,
    /// The bundle does not declare what it asked for.
    NotDeclared,
    /// What was asked for makes no sense.
    InvalidRequest,
    /// It was asked for too often.
    RateLimited,
    /// It has more bytes than it may have.
    TooLarge,
    /// The bundle keeps as much as it may.
    QuotaExceeded,
    /// There are as many of these as there may be.
    TooMany,
    /// No answer came in time.
    TimedOut,
    /// The user or the policy stopped it.
    Cancelled,
    /// A fault of Moult itself.
    Internal,
}

/// Something that went wrong: what happened, what was kept, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Problem {
    /// What kind of thing it is.
    pub code: ErrorCode,
    /// What happened, in one sentence.
    pub happened: String,
    /// What was kept, in one sentence.
    pub kept: String,
    /// What to do about it, if there is something.
    pub advice: Option<String>,
    /// The technical chain of causes, for the log and for support.
    pub detail: String,
}

impl Problem {
    /// A problem with its technical cause; what was kept and what to do are added by who knows.
    pub fn new(code: ErrorCode, happened: impl Into<String>, cause: &dyn std::error::Error) -> Self {
        let mut detail = cause.to_string();
        let mut source = cause.source();
        while let Some(next) = source {
            detail.push_str(": ");
            detail.push_str(&next.to_string());
            source = next.source();
        }
        Self {
            code,
            happened: happened.into(),
            kept: String::new(),
            advice: None,
            detail,
        }
    }

    /// Says what was kept.
    #[must_use]
    pub fn kept(mut self, kept: impl Into<String>) -> Self {
        self.kept = kept.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}
