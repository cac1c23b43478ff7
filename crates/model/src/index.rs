//! The index target: what a subject's publisher has released, and how to get from one release to another.
//!
//! TUF authenticates the index alone. Everything it lists is named by digest, so the index
//! authenticates the rest. It holds at most [`Index::MAX_BYTES`].

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::bundle::{HostApi, Permission};
use crate::{Channel, Digest, ReleasePolicy, Subject};

/// Everything a client needs to know about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The version of this shape: 1. A client that meets a higher one keeps what it has.
    pub format: u32,
    /// What the index is about. A client refuses an index that was signed for something else.
    pub subject: Subject,
    /// The target triple, for executables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triple: Option<String>,
    /// The releases, newest first.
    pub releases: Vec<Release>,
    /// The patches between them.
    #[serde(default)]
    pub patches: Vec<Patch>,
}

/// One version, as it was released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// The channels it is offered on.
    pub channels: Vec<Channel>,
    /// When it was published, RFC 3339 in UTC.
    pub published: String,
    /// Release notes in Markdown, by language tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// Whether the versions before it should not be used any longer: it can't be skipped, and is not put off
    /// for long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    /// SHA-256 of the artifact itself: what is installed, and what patches start from and lead to.
    pub digest: Digest,
    /// The artifact's size in bytes.
    pub size: u64,
    /// The whole artifact as a download.
    pub full: Download,
    /// The minisign signature over the artifact, base64 over the signature file as Tauri writes it.
    /// An executable without one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The host versions a bundle can run in. Of an executable: those that it offers, of which the highest counts; without
    /// it what runs now is taken to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_api: Option<HostApi>,
    /// What a bundle may ask for, copied from its manifest: consent is asked before anything is fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// The state schema a bundle writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_schema: Option<u32>,
    /// Who may have it, and when.
    #[serde(flatten)]
    pub policy: ReleasePolicy,
}

/// A file beside the index, named by the digest of its bytes as they are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Its path in the repository, relative to the targets folder.
    pub path: String,
    /// Its size in bytes: what goes over the wire.
    pub size: u64,
    /// SHA-256 of its bytes as served.
    pub digest: Digest,
    /// How the artifact is packed in it.
    pub encoding: Encoding,
}

/// How a full file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The artifact as it is.
    Identity,
    /// One zstd frame.
    Zstd,
}

/// A delta from one artifact to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The artifact it starts from.
    pub from: Digest,
    /// The artifact it leads to.
    pub to: Digest,
    /// Its path in the repository, relative to the targets folder.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of the patch file.
    pub digest: Digest,
    /// The version of the patch format (`patches/FORMAT.md`).
    pub format: u16,
}

impl Index {
    /// The version of the shape that this code writes and reads.
    pub const FORMAT: u32 = 1;
    /// The largest index that is published or read, in bytes.
    pub const MAX_BYTES: u64 = 64 * 1024;

    /// An index that lists nothing yet.
    pub fn empty(subject: Subject, triple: Option<String>) -> Self {
        Self {
            format: Self::FORMAT,
            subject,
            triple,
            releases: Vec::new(),
            patches: Vec::new(),
        }
    }

    /// The release with this artifact.
    pub fn release_of(&self, digest: &Digest) -> Option<&Release> {
        self.releases.iter().find(|release| release.digest == *digest)
    }

    /// The release with this version.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases.iter().find(|release| release.version == *version)
    }
}
