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
//! | `rollout` | `rollout/orders.json`: what is stopped or called back | 30 days |
//! | `publishers-0` to `publishers-f` | delegations to publishers, by the first character of their names | 90 days |
//! | `publisher-NAME` | `w/NAME/*/index.json` | 90 days |
//!
//! The timestamp is short-lived because its lifetime is how long a client can be kept from news unseen;
//! the snapshot is signed by the same online machine, and seldom enough that clients rarely fetch it, and so
//! is `rollout`. The rest is signed when a release is made, or renewed by [`Editor::resign`] after half its lifetime.
//! All delegations are terminating. Every role begins with one key and the threshold 1; the sixteen shards share
//! the key `publishers`. [`Editor::change_keys`] gives a role several keys, of which some must sign.
//!
//! # When the keys are elsewhere
//!
//! A key may be in the folder, sealed by a passphrase or not, in an environment variable, or behind a command ([`Keys`]). What needs
//! keys of several computers is staged ([`Editor::stage`]), carried around, signed by each ([`Editor::sign_staged`]) and then published
//! ([`Editor::finish`]). [`OnlineSigner`] is the other end of a command: it signs the three online roles, and looks at what it signs.
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
mod draft;
mod editor;
mod error;
mod hook;
mod key_file;
mod keys;
mod layout;
mod minisign_key;
mod online;
mod orders;
mod read;
mod role_keys;
mod seal;
mod sealing;
mod staged;
mod state;

pub use commit::{Committed, Resigned};
pub use editor::Editor;
pub use error::SignError;
pub use key_file::KeyPlace;
pub use keys::{AskPassphrase, HeldKey, Keys, random_token};
pub use online::OnlineSigner;
pub use role_keys::KeyChange;
pub use seal::{Cost, Passphrase};
pub use staged::{Staged, Waiting};
pub use state::{Expiry, RoleState};
