//! Bundles that take over together with an executable: at its first start, and back with it.

use moult_model::{Digest, Subject, Version};
use serde::{Deserialize, Serialize};

/// What goes with an executable. Written before its trial begins, emptied once it is confirmed or given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The executable.
    pub executable: Digest,
    /// Its bundles. They are in the store.
    pub bundles: Vec<Joined>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Which part.
    pub subject: Subject,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// What ran before.
    pub before: Option<Version>,
}
