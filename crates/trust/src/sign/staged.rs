//! Changes that are made and not yet signed by all who must: what goes to the computers that have the keys. It refuses to
//! know how it gets there.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp as Time;
use moult_durable::write_atomic;
use moult_model::rollout::Orders;
use moult_model::{Digest, Index};
use serde::{Deserialize, Serialize};

use super::commit::Committed;
use super::draft::Draft;
use super::editor::{Editor, public_floor, served_path};
use super::error::SignError;
use super::keys::Keys;

const FORMAT: u32 = 1;

/// Documents that wait for signatures, and the index files that belong to them.
///
/// Nothing of it is believed because it is there: it is checked against the repository when it is signed and when it is finished, and clients
/// check the signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    format: u32,
    /// Index files by path, relative to the repository.
    files: BTreeMap<String, String>,
    drafts: Vec<Draft>,
}

/// A document that waits, or is signed by all who must.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The role.
    pub role: String,
    /// The version that it gets.
    pub version: u64,
    /// How many signatures are needed and how many there are, of the set of keys that lacks some.
    pub lacks: Option<(usize, usize)>,
}

impl Staged {
    /// Reads what was staged.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let bytes = super::keys::read(path)?;
        let refused = |what: String| SignError::Staged {
            path: path.to_owned(),
            what,
        };
        let staged: Self = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        if staged.format != FORMAT {
            return Err(refused(format!(
                "it has format {}; {FORMAT} is known",
                staged.format
            )));
        }
        Ok(staged)
    }

    /// Writes it, to be carried to who signs.
    pub fn write(&self, path: &Path) -> Result<(), SignError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|source| SignError::Encode {
            name: path.display().to_string(),
            source: source.into(),
        })?;
        Ok(write_atomic(path, &bytes)?)
    }

    /// The documents, in the order in which they are published.
    pub fn documents(&self) -> Vec<Waiting> {
        let waiting = |draft: &Draft| Waiting {
            role: draft.role.clone(),
            version: draft.signed["version"].as_u64().unwrap_or_default(),
            lacks: draft.lacking(),
        };
        self.drafts.iter().map(waiting).collect()
    }

    /// Whether all have signed who must.
    pub fn is_complete(&self) -> bool {
        self.drafts.iter().all(|draft| draft.lacking().is_none())
    }

    /// The indexes that would be published.
    pub fn indexes(&self) -> Vec<Index> {
        let index = |text: &String| serde_json::from_str(text).ok();
        self.files.values().filter_map(index).collect()
    }

    /// A document as it would be signed, for people and tools to look at.
    pub fn document(&self, role: &str) -> Option<&serde_json::Value> {
        let mut drafts = self.drafts.iter();
        drafts.find(|draft| draft.role == role).map(|draft| &draft.signed)
    }
}

impl Editor {
    /// Makes what [`Self::commit`] would make, signed with the keys that are at hand, and publishes nothing.
    pub fn stage(&mut self, now: Time) -> Result<Staged, SignError> {
        let before = self.documents.clone();
        let drafts = self.drafts(now);
        self.documents = before;
        let mut drafts = drafts?;
        for draft in &mut drafts {
            draft.sign(&self.keys)?;
        }
        let text =
            |(path, bytes): (&String, &Vec<u8>)| (path.clone(), String::from_utf8_lossy(bytes).into_owned());
        Ok(Staged {
            format: FORMAT,
            files: self.files.iter().map(text).collect(),
            drafts,
        })
    }

    /// Adds the signatures of the keys that are at hand, and gives the roles that got one. Refuses what is not on top of what is published:
    /// nobody should sign what nobody can use.
    pub fn sign_staged(&self, staged: &mut Staged, path: &Path) -> Result<Vec<String>, SignError> {
        self.check_staged(staged, path)?;
        let mut signed = Vec::new();
        for draft in &mut staged.drafts {
            if draft.sign(&self.keys)? > 0 {
                signed.push(draft.role.clone());
            }
        }
        Ok(signed)
    }

    /// Publishes what all have signed who must. It is verified by the client's core before the first file is written. The editor goes on
    /// from there.
    pub fn finish(&mut self, staged: &Staged, path: &Path) -> Result<Committed, SignError> {
        self.check_staged(staged, path)?;
        if let Some((draft, (needed, found))) = staged
            .drafts
            .iter()
            .find_map(|draft| Some((draft, draft.lacking()?)))
        {
            let role = draft.role.clone();
            return Err(SignError::TooFewKeys { role, needed, found });
        }
        let bytes = |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
        self.files = staged.files.iter().map(bytes).collect();
        self.changed = staged.drafts.iter().map(|draft| draft.role.clone()).collect();
        let (batch, trusted) = self.prepare(&staged.drafts)?;
        let anchor = self.keys.anchor()?;
        anchor
            .floor
            .admit(&public_floor(&trusted))
            .map_err(|error| SignError::Repository {
                path: self.repository.clone(),
                source: error.into(),
            })?;
        let mut committed = self.write_out(batch, trusted)?;
        self.reload()?;
        if let Some(timestamp) = staged.document("timestamp") {
            committed.timestamp_version = timestamp["version"].as_u64().unwrap_or_default();
            if let Some(expires) = timestamp["expires"].as_str().and_then(|text| text.parse().ok()) {
                committed.expires = expires;
            }
        }
        Ok(committed)
    }

    /// Whether what was staged is on top of what is published: it comes from another computer, and its names and versions have to be those
    /// that this repository would get next.
    pub fn check_staged(&self, staged: &Staged, path: &Path) -> Result<(), SignError> {
        let refused = |what: String| {
            Err(SignError::Staged {
                path: path.to_owned(),
                what,
            })
        };
        if !self.changed.is_empty() {
            return refused("other changes wait to be committed".to_owned());
        }
        for (file, text) in &staged.files {
            let digest = Digest::of(text.as_bytes());
            let is_index = serde_json::from_str::<Index>(text).is_ok_and(|index| {
                let triple = index.triple.as_deref().unwrap_or_default();
                *file == served_path(&index.subject.index_path(triple), &digest.to_string())
            });
            let is_of_orders = text.is_empty() && *file == served_path(Orders::PATH, &digest.to_string());
            if !is_index && !is_of_orders {
                return refused(format!("{file} is no index of its name"));
            }
        }
        for draft in &staged.drafts {
            let role = draft.role.as_str();
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if role.is_empty() || !role.bytes().all(plain) {
                return refused(format!("`{role}` is no role"));
            }
            let next = self.version_of(role).saturating_add(1);
            if draft.signed["version"] != next {
                return refused(format!(
                    "it would make {} of {role}, but {next} is next; stage it again",
                    draft.signed["version"]
                ));
            }
            if draft.paths != paths(role, next) {
                return refused(format!("{:?} is no place for {role}", draft.paths));
            }
        }
        Ok(())
    }

    fn version_of(&self, role: &str) -> u64 {
        let documents = &self.documents;
        match role {
            "root" => documents.root.head.version,
            "timestamp" => documents.timestamp.head.version,
            "snapshot" => documents.snapshot.head.version,
            role => {
                let known = documents.targets.get(role).map(|targets| targets.head.version);
                // One that comes back goes on from the version that the snapshot still has.
                known.or(documents.snapshot.pinned(role)).unwrap_or_default()
            }
        }
    }
}

/// Where the next version of a role goes.
pub(super) fn paths(role: &str, version: u64) -> Vec<String> {
    match role {
        "timestamp" => vec!["metadata/timestamp.json".to_owned()],
        "root" => vec![
            format!("metadata/{version}.root.json"),
            "metadata/root.json".to_owned(),
        ],
        role => vec![format!("metadata/{version}.{role}.json")],
    }
}

impl Keys {
    /// Whether the folder has a key that could sign what waits.
    pub fn can_sign(&self, staged: &Staged) -> bool {
        staged
            .drafts
            .iter()
            .any(|draft| draft.lacking().is_some() && draft.is_signable(self))
    }
}
