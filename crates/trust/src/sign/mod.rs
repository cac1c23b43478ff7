//! The publishing side: keys, and an editor for a repository of static files. It refuses to know how
//! releases are packed and where the files are served.
//!
//! # Roles
//!
//! | role | lists | lifetime |
//! |---|---|---|
//! | `root` | the keys of the four top-level roles | 365 days |
//! | `timestamp` | the current snapshot | 7 days |
//! | `snapshot` | the version of every role | 30 days |
//! | `targets` | delegations only | 90 days |
//! | `app` | `app/*/index.json`: the executable and the shell | 90 days |
//! | `rollout` | `rollout/*`: nothing yet | 90 days |
//! | `publishers-0` to `publishers-f` | delegations to publishers, by the first character of their names | 90 days |
//! | `publisher-NAME` | `w/NAME/*/index.json` | 90 days |
//!
//! The timestamp is short-lived because its lifetime is how long a client can be kept from news unseen;
//! the snapshot is signed by the same online machine, and seldom enough that clients rarely fetch it. The
//! rest is signed when a release is made, or renewed by [`Editor::resign`] after half its lifetime.
//! All delegations are terminating. Every role has one key and the threshold 1; the sixteen shards share
//! the key `publishers`. A key set with more keys is read and kept, and signed with the keys at hand.
//!
//! # How a commit reaches clients
//!
//! Index files first, then delegated metadata, targets, snapshot, and the timestamp last: each name that
//! is referred to exists before the reference. A new root follows the timestamp, which for that one
//! commit carries the old keys' signatures beside the new ones, so that at each instant a client that
//! knows the old root and one that knows the new root verify what they find. What a commit is about to
//! write is verified by the client's core before the first file is written.

mod commit;
mod document;
mod editor;
mod error;
mod keys;
mod layout;
mod read;

pub use commit::{Committed, Resigned};
pub use editor::Editor;
pub use error::SignError;
pub use keys::Keys;
