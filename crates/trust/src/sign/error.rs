//! Why something is not published. It stands apart from the client's errors: the two never meet.

use std::io;
use std::path::PathBuf;

use moult_durable::DurableError;
use moult_model::Subject;

use crate::error::{BoxedError, TrustError};

/// Why keys or a repository could not be made, read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// There is something already, and it is not overwritten.
    #[error("{path} exists already")]
    Exists {
        /// What exists.
        path: PathBuf,
    },
    /// A file can't be read.
    #[error("{path} can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or folder can't be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// A file that holds a secret can't be written for its owner alone.
    #[error("{path} can't be written for its owner alone")]
    Secret {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key file does not hold the key that it should.
    #[error("{path} does not hold a key of its name")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// No key that may sign for a role is in the key folder.
    #[error("{folder} has no key that may sign for {role}")]
    KeyMissing {
        /// The key folder.
        folder: PathBuf,
        /// The role.
        role: String,
    },
    /// A sealed key is needed, and nothing opens it.
    #[error("{path} is sealed, and no passphrase was given")]
    PassphraseNeeded {
        /// The key file.
        path: PathBuf,
    },
    /// A sealed key does not open.
    #[error("{path} does not open: the passphrase is wrong, or the file was altered")]
    PassphraseWrong {
        /// The key file.
        path: PathBuf,
    },
    /// An environment variable that should hold a key does not.
    #[error("the environment variable {name} has no key for {role}")]
    Environment {
        /// The variable.
        name: String,
        /// The role.
        role: String,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A command that should sign did not.
    #[error("`{command}` did not sign for {role}")]
    Hook {
        /// The command.
        command: String,
        /// The role.
        role: String,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// Fewer keys are at hand than must sign.
    #[error("{role} needs {needed} signatures, and keys for {found} are at hand")]
    TooFewKeys {
        /// The role.
        role: String,
        /// How many must sign.
        needed: usize,
        /// How many can.
        found: usize,
    },
    /// A set of keys that a role can't have.
    #[error("{role} can't have these keys: {what}")]
    KeySet {
        /// The role.
        role: String,
        /// What is wrong with them.
        what: String,
    },
    /// Orders that clients would not obey.
    #[error("clients would not obey these orders")]
    Orders {
        /// Why.
        #[source]
        source: Box<TrustError>,
    },
    /// What was staged can't be read, or is not on top of what is published.
    #[error("{path} can't be signed: {what}")]
    Staged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A document that this service does not sign.
    #[error("this is not signed: {what}")]
    NotSigned {
        /// Why.
        what: String,
    },
    /// The key folder has several keys for a role, and nothing says which is meant.
    #[error("{folder} has several keys for {role}")]
    KeyAmbiguous {
        /// The key folder.
        folder: PathBuf,
        /// The role.
        role: String,
    },
    /// A key can't be made.
    #[error("a key for {role} can't be made")]
    Generate {
        /// The role.
        role: String,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A minisign signature can't be made.
    #[error("{file_name} can't be signed with minisign")]
    Minisign {
        /// The name that was to be signed.
        file_name: String,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// A document can't be written as JSON.
    #[error("{name} can't be encoded")]
    Encode {
        /// The document.
        name: String,
        /// Why.
        #[source]
        source: BoxedError,
    },
    /// The repository, or what a commit would make of it, does not verify.
    #[error("the repository {path} does not verify")]
    Repository {
        /// The repository.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<TrustError>,
    },
    /// An earlier commit of this editor failed while it wrote. Opening the repository anew goes on from
    /// what is there; changes since the last good commit have to be made again.
    #[error("a commit to {path} was interrupted; the repository must be opened again")]
    Interrupted {
        /// The repository.
        path: PathBuf,
    },
    /// A publisher's metadata does not verify, so it is not built upon.
    #[error("the metadata of the publisher {publisher} does not verify: {why}")]
    Publisher {
        /// The publisher.
        publisher: String,
        /// Why.
        why: String,
    },
    /// The repository has no such publisher.
    #[error("the repository has no publisher {publisher}")]
    UnknownPublisher {
        /// The publisher.
        publisher: String,
    },
    /// A text can't name a publisher.
    #[error("`{name}` can't name a publisher: use 1 to 40 characters from a-z, 0-9 and -")]
    PublisherName {
        /// The text.
        name: String,
    },
    /// There is no such role, or it has no keys to be replaced.
    #[error("the repository has no role {role} whose keys can be replaced")]
    UnknownRole {
        /// The role.
        role: String,
    },
    /// A text is not a target triple.
    #[error("`{triple}` is not a target triple")]
    Triple {
        /// The text.
        triple: String,
    },
    /// An index would be refused by clients.
    #[error("clients would refuse the index of {subject}")]
    Index {
        /// What it is about.
        subject: Subject,
        /// Why.
        #[source]
        source: Box<TrustError>,
    },
}
