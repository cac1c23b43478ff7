//! Says what is authentic and current, and refuses to know what it is used for.
//!
//! # What is believed, and why
//!
//! A [`Client`] believes nothing that it has not verified from the root key that is compiled into the
//! application ([`Anchor`]). What it downloads, what lies in its own folder and what a proxy answers are
//! all treated alike: as bytes that must carry the right signatures.
//!
//! | hazard | what stops it |
//! |---|---|
//! | a file changed on its way | the signature of its role, or the digest that a signed role pins |
//! | an old state served again (replay) | versions never go down: the stored metadata, and below it the [`Floor`] |
//! | one old state served for ever (freeze) | the timestamp role expires after days |
//! | parts of several states (mix and match) | the timestamp pins the snapshot, the snapshot pins every role |
//! | a publisher who lists another's files | a delegation names the only paths that its role is believed for |
//! | a stolen key | its delegator signs a new one; the floor of the old key ends with it |
//! | a signed index with foreign contents | subject, triple, size and every path are checked before it is handed out |
//!
//! The floor is the lowest version of each role that will ever be believed again. It lives in two copies
//! apart from the metadata, and a third is compiled into the application, so that deleting, emptying,
//! tearing or restoring files never brings an older state back. It belongs to a role *and its keys*: when
//! a verified root or a delegator replaces the keys, the floor of that role starts anew. The version of
//! the root itself knows no such exception. The floor is on disk before [`Client::refresh`] and
//! [`Client::index`] return; if it can't be written, nothing is handed out ([`TrustError::FloorNotWritten`]).
//!
//! What is expired blocks installing, never running: [`TrustError::Expired`] is an answer to a check.
//!
//! What must be quick is ordered by the role `rollout` ([`Client::orders`]), in its metadata itself: reading it costs a request
//! when it has changed and none when it has not. It names artifacts and nothing else, so it can only take away.
//!
//! Verified data is a type: [`Authentic`] has no public constructor.
//!
//! The executable carries a second signature, independent of the repository: [`verify_signature`].
//!
//! # Limits
//!
//! One client at a time works in a folder. A call reads and writes a few small files, with fsync, on the
//! task that awaits it. Metadata: 512 KB for a root, 16 KB for the timestamp, 2 MB for the snapshot, 5 MB
//! for each other role (256 KB for `rollout`); an index: [`moult_model::Index::MAX_BYTES`]. One refresh follows 32 new roots at most; the
//! next one goes on from there.

mod authentic;
mod client;
mod error;
mod floor;
mod floors;
mod index;
mod orders;
mod plain;
mod rehearsal;
#[cfg(feature = "sign")]
pub mod sign;
mod signature;
mod source;
mod store;
mod transport;

pub use authentic::Authentic;
pub use client::{Anchor, Beliefs, Client, Refreshed};
pub use error::TrustError;
pub use floor::{Floor, RoleFloor};
pub use floors::FloorOrigin;
pub use rehearsal::rehearse;
pub use signature::{signed_version, verify_signature};
pub use transport::{GetFuture, Reply, Transport, TransportError};
