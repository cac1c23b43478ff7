//! The key folder: one file per key, for its owner alone. It signs what it is given and refuses to know
//! what that means.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moult_durable::{create_dir_all, write_atomic};
use moult_model::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sigstore_tuf::Key;
use sigstore_tuf::canonical_json::to_canonical_bytes;

use super::error::SignError;
use super::layout::KEY_ROLES;
use crate::client::Anchor;

/// A folder with the secret keys of a publisher.
///
/// Each TUF key is a file `ROLE.ID.json` (Ed25519, PKCS #8) with the first 16 digits of its id; a role
/// whose key was replaced has several, and metadata says which of them counts. `minisign.key` is not
/// encrypted. The folder is open to its owner alone (0700, files 0600, where the system knows modes).
/// `public/` holds what is compiled into the application: `root.json`, `floor.json`, `minisign.pub`.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    folder: PathBuf,
    minisign_public: String,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    role: String,
    id: String,
    public: Key,
    /// PKCS #8, base64.
    secret: String,
}

/// A key that can sign.
pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) public: Key,
    pair: Ed25519KeyPair,
}

impl Keys {
    /// Makes the folder and a key for each role. Goes on where an interrupted call stopped; refuses a
    /// folder that is complete.
    pub fn create(folder: &Path) -> Result<Self, SignError> {
        let public = folder.join("public");
        let marker = public.join("minisign.pub");
        if marker.exists() {
            return Err(SignError::Exists { path: marker });
        }
        create_dir_all(folder)?;
        protect_folder(folder)?;
        create_dir_all(&public)?;
        let keys = Self {
            folder: folder.to_owned(),
            minisign_public: String::new(),
        };
        for role in KEY_ROLES {
            if keys.ids(role)?.is_empty() {
                keys.generate(role)?;
            }
        }
        let generate = |source: minisign::PError| SignError::Generate {
            role: "minisign".to_owned(),
            source: source.into(),
        };
        let pair = minisign::KeyPair::generate_unencrypted_keypair().map_err(generate)?;
        let secret = pair.sk.to_box(None).map_err(generate)?.to_bytes();
        write_secret(&folder.join("minisign.key"), &secret)?;
        let text = pair.pk.to_box().map_err(generate)?.to_bytes();
        write_atomic(&marker, STANDARD.encode(text).as_bytes())?;
        Self::open(folder)
    }

    /// Opens a folder that [`Self::create`] made.
    pub fn open(folder: &Path) -> Result<Self, SignError> {
        let marker = folder.join("public/minisign.pub");
        let minisign_public = String::from_utf8_lossy(&read(&marker)?).trim().to_owned();
        Ok(Self {
            folder: folder.to_owned(),
            minisign_public,
        })
    }

    /// The key folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The minisign public key, base64 as Tauri's updater configuration has it.
    pub fn minisign_public(&self) -> String {
        self.minisign_public.clone()
    }

    /// Signs a file with minisign, base64 as Tauri has it, with its version in the trusted comment.
    ///
    /// `file_name` tells people what was signed. Two signatures over the same bytes differ.
    pub fn sign_artifact(
        &self,
        bytes: &[u8],
        version: &Version,
        file_name: &str,
    ) -> Result<String, SignError> {
        let failed = |source| SignError::Minisign {
            file_name: file_name.chars().take(200).collect(),
            source,
        };
        // A tab would start a field of its own in the comment.
        if file_name.chars().any(char::is_control) {
            return Err(failed("the name has a control character".into()));
        }
        let path = self.folder.join("minisign.key");
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let secret = minisign::SecretKeyBox::from_string(&text)
            .and_then(minisign::SecretKeyBox::into_unencrypted_secret_key)
            .map_err(|source| SignError::KeyFile {
                path,
                source: source.into(),
            })?;
        let comment = format!("file:{file_name}\tversion:{version}");
        let signature = minisign::sign(
            None,
            &secret,
            bytes,
            Some(&comment),
            Some("signature from moult secret key"),
        )
        .map_err(|source| failed(source.into()))?;
        Ok(STANDARD.encode(signature.to_bytes()))
    }

    /// What is compiled into the application, as the last commit left it.
    pub fn anchor(&self) -> Result<Anchor, SignError> {
        let root = read(&self.public("root.json"))?;
        let path = self.public("floor.json");
        let floor = serde_json::from_slice(&read(&path)?).map_err(|source| SignError::Encode {
            name: path.display().to_string(),
            source: source.into(),
        })?;
        Ok(Anchor {
            root,
            floor,
            minisign: self.minisign_public(),
        })
    }

    /// Signs metadata with those of the keys that are in the folder, and gives the file's bytes.
    ///
    /// This is what a service does that signs at a distance: `signed` is the document, `ids` the keys
    /// that may sign for `role`, and at least one of them must be here.
    pub fn sign_metadata(&self, role: &str, ids: &[String], signed: &Value) -> Result<Vec<u8>, SignError> {
        let encode = |source: crate::error::BoxedError| SignError::Encode {
            name: format!("{role}.json"),
            source,
        };
        let canonical = to_canonical_bytes(signed).map_err(|error| encode(error.into()))?;
        let mut signatures = Vec::new();
        for id in ids {
            if let Some(key) = self.key(role, id)? {
                let signature = hex::encode(key.pair.sign(&canonical).as_ref());
                signatures.push(serde_json::json!({ "keyid": key.id, "sig": signature }));
            }
        }
        if signatures.is_empty() {
            return Err(SignError::KeyMissing {
                folder: self.folder.clone(),
                role: role.to_owned(),
            });
        }
        let file = serde_json::json!({ "signatures": signatures, "signed": signed });
        serde_json::to_vec(&file).map_err(|error| encode(error.into()))
    }

    /// Whether a key that may sign is in the folder.
    pub(super) fn has_any(&self, role: &str, ids: &[String]) -> bool {
        ids.iter().any(|id| self.path(role, id).exists())
    }

    /// The one key of a role that has no metadata yet.
    pub(super) fn only(&self, role: &str) -> Result<SigningKey, SignError> {
        let mut paths = self.ids(role)?;
        let (folder, role) = (self.folder.clone(), role.to_owned());
        match (paths.pop(), paths.is_empty()) {
            (Some(path), true) => load(&path, &role),
            (Some(_), false) => Err(SignError::KeyAmbiguous { folder, role }),
            (None, _) => Err(SignError::KeyMissing { folder, role }),
        }
    }

    /// Makes a key for a role. It is on disk when this returns.
    pub(super) fn generate(&self, role: &str) -> Result<SigningKey, SignError> {
        let failed = |source| SignError::Generate {
            role: role.to_owned(),
            source,
        };
        let pair = Ed25519KeyPair::generate().map_err(|error| failed(error.into()))?;
        let secret = pair.to_pkcs8().map_err(|error| failed(error.into()))?;
        let public = public_key(&pair).map_err(failed)?;
        let id = public.key_id().map_err(|error| failed(error.into()))?;
        let secret = STANDARD.encode(secret.as_ref());
        let file = KeyFile {
            role: role.to_owned(),
            id: id.clone(),
            public: public.clone(),
            secret,
        };
        let bytes = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
        write_secret(&self.path(role, &id), &bytes)?;
        Ok(SigningKey { id, public, pair })
    }

    /// A file that is compiled into the application.
    pub(super) fn public(&self, name: &str) -> PathBuf {
        self.folder.join("public").join(name)
    }

    fn key(&self, role: &str, id: &str) -> Result<Option<SigningKey>, SignError> {
        let path = self.path(role, id);
        if !path.exists() {
            return Ok(None);
        }
        let key = load(&path, role)?;
        Ok((key.id == id).then_some(key))
    }

    fn path(&self, role: &str, id: &str) -> PathBuf {
        // An id comes from metadata and may be anything; a key of ours is named by its digits.
        let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        self.folder.join(format!("{role}.{digits}.json"))
    }

    /// The key files of a role.
    fn ids(&self, role: &str) -> Result<Vec<PathBuf>, SignError> {
        let failed = |source| SignError::Read {
            path: self.folder.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let mut parts = name.split('.');
            if parts.next() == Some(role) && parts.next_back() == Some("json") {
                found.push(path);
            }
        }
        Ok(found)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    pub(super) fn entry(&self) -> (String, Key) {
        (self.id.clone(), self.public.clone())
    }
}

fn public_key(pair: &Ed25519KeyPair) -> Result<Key, crate::error::BoxedError> {
    let public = hex::encode(pair.public_key().as_ref());
    let key = serde_json::json!({
        "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public },
    });
    Ok(serde_json::from_value(key)?)
}

/// Reads a key file and checks that it is what it says.
fn load(path: &Path, role: &str) -> Result<SigningKey, SignError> {
    let bytes = read(path)?;
    let parse = || -> Result<SigningKey, crate::error::BoxedError> {
        let file: KeyFile = serde_json::from_slice(&bytes)?;
        let pair = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(&file.secret)?)?;
        let public = public_key(&pair)?;
        if file.role != role || public != file.public || public.key_id()? != file.id {
            return Err("role, id, public and secret key do not belong together".into());
        }
        Ok(SigningKey {
            id: file.id,
            public,
            pair,
        })
    };
    parse().map_err(|source| SignError::KeyFile {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, SignError> {
    fs::read(path).map_err(|source| SignError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that nobody but its owner could read at any time.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), SignError> {
    let failed = |source| SignError::Secret {
        path: path.to_owned(),
        source,
    };
    let new = path.with_extension("new");
    if let Err(error) = moult_durable::fs::remove_file(&new)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(failed(error));
    }
    let mut file = moult_durable::fs::create_new_with_mode(&new, 0o600).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync()).map_err(failed)?;
    drop(file);
    moult_durable::rename(&new, path)?;
    Ok(())
}

fn protect_folder(path: &Path) -> Result<(), SignError> {
    moult_durable::fs::set_mode(path, 0o700).map_err(|source| SignError::Secret {
        path: path.to_owned(),
        source,
    })
}
