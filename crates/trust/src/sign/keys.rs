//! The key folder: one file per key, for its owner alone. It signs what it is given and refuses to know
//! what that means.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use moult_durable::{create_dir_all, write_atomic};
use serde_json::Value;
use sigstore_tuf::Key;
use sigstore_tuf::canonical_json::to_canonical_bytes;

use super::error::SignError;
use super::key_file::{KeyFile, KeyPlace, SigningKey, Source, parse_public};
use super::layout::KEY_ROLES;
use super::seal::{Cost, Passphrase};
use crate::client::Anchor;
use crate::error::BoxedError;

/// A folder with the secret keys of a publisher, or with what leads to them.
///
/// Each TUF key is a file `ROLE.ID.json` with the first 16 digits of its id; a role whose key was replaced has several, and metadata
/// says which of them counts. A key file holds the secret (Ed25519, PKCS #8), in the clear or sealed by a passphrase, or
/// names an environment variable that holds it, or a command that signs. `minisign.key` is in the clear, sealed by the same passphrase,
/// or encrypted as minisign itself does. The folder is open to its owner alone (0700, files 0600, where the system knows
/// modes). `public/` holds what is compiled into the application: `root.json`, `floor.json`, `minisign.pub`.
#[derive(Clone)]
pub struct Keys {
    folder: PathBuf,
    minisign_public: String,
    passphrase: Arc<OnceLock<Passphrase>>,
    ask: Option<AskPassphrase>,
}

/// Gets the passphrase of a key folder, if somebody says it.
pub type AskPassphrase = fn(folder: &Path) -> Option<Passphrase>;

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
            passphrase: Arc::default(),
            ask: None,
        };
        for role in KEY_ROLES {
            if keys.ids(role)?.is_empty() {
                keys.generate(role)?;
            }
        }
        let text = keys.make_minisign()?;
        write_atomic(&marker, text.as_bytes())?;
        Self::open(folder)
    }

    /// Opens a folder that [`Self::create`] made.
    pub fn open(folder: &Path) -> Result<Self, SignError> {
        let marker = folder.join("public/minisign.pub");
        let minisign_public = String::from_utf8_lossy(&read(&marker)?).trim().to_owned();
        Ok(Self {
            folder: folder.to_owned(),
            minisign_public,
            passphrase: Arc::default(),
            ask: None,
        })
    }

    /// The same keys with what opens those that are sealed. Keys that are made from now on are sealed too.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = Arc::new(OnceLock::from(passphrase));
        self
    }

    /// The same keys with somebody who is asked when a sealed one is needed: once, and not before.
    #[must_use]
    pub fn asking(mut self, ask: AskPassphrase) -> Self {
        self.ask = Some(ask);
        self
    }

    /// What opens the sealed key in this file.
    pub(super) fn passphrase(&self, path: &Path) -> Result<&Passphrase, SignError> {
        if self.passphrase.get().is_none()
            && let Some(passphrase) = self.ask.and_then(|ask| ask(&self.folder))
        {
            return Ok(self.passphrase.get_or_init(|| passphrase));
        }
        self.passphrase.get().ok_or_else(|| SignError::PassphraseNeeded {
            path: path.to_owned(),
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
        let encode = |source: BoxedError| SignError::Encode {
            name: format!("{role}.json"),
            source,
        };
        let canonical = to_canonical_bytes(signed).map_err(|error| encode(error.into()))?;
        let signatures = self.signatures(role, ids, &canonical)?;
        if signatures.is_empty() {
            return Err(SignError::KeyMissing {
                folder: self.folder.clone(),
                role: role.to_owned(),
            });
        }
        let file = serde_json::json!({ "signatures": signatures, "signed": signed });
        serde_json::to_vec(&file).map_err(|error| encode(error.into()))
    }

    /// A signature in hexadecimal digits by each of the keys that is here.
    pub(super) fn signatures(
        &self,
        role: &str,
        ids: &[String],
        canonical: &[u8],
    ) -> Result<Vec<Value>, SignError> {
        let mut signatures = Vec::new();
        for id in ids {
            if let Some(key) = self.key(role, id)? {
                let signature = hex::encode(key.sign(role, canonical)?);
                signatures.push(serde_json::json!({ "keyid": key.id, "sig": signature }));
            }
        }
        Ok(signatures)
    }

    /// How many of the keys are here.
    pub(super) fn count(&self, role: &str, ids: &[String]) -> usize {
        ids.iter().filter(|id| self.path(role, id).exists()).count()
    }

    /// The one key of a role that has no metadata yet.
    pub(super) fn only(&self, role: &str) -> Result<SigningKey, SignError> {
        let mut paths = self.ids(role)?;
        let (folder, role) = (self.folder.clone(), role.to_owned());
        match (paths.pop(), paths.is_empty()) {
            (Some(path), true) => SigningKey::load(&path, &role, &|| self.passphrase(&path)),
            (Some(_), false) => Err(SignError::KeyAmbiguous { folder, role }),
            (None, _) => Err(SignError::KeyMissing { folder, role }),
        }
    }

    /// Where a key of a role is.
    pub(super) fn place(&self, role: &str, id: &str) -> KeyPlace {
        let path = self.path(role, id);
        let file = path.exists().then(|| KeyFile::read(&path).ok()).flatten();
        file.filter(|file| file.id == id)
            .map_or(KeyPlace::Elsewhere, |file| file.place())
    }

    /// Makes a key for a role. It is on disk when this returns.
    pub(super) fn generate(&self, role: &str) -> Result<SigningKey, SignError> {
        let failed = |source| SignError::Generate {
            role: role.to_owned(),
            source,
        };
        let (key, mut file) = SigningKey::make(role).map_err(failed)?;
        let path = self.path(role, &key.id);
        // Where others are sealed a new one is not left open.
        if self.passphrase.get().is_some() || self.has_sealed()? {
            let passphrase = self.passphrase(&path)?;
            file.seal(passphrase, Cost::default()).map_err(failed)?;
        }
        self.write_key(&path, &file)?;
        Ok(key)
    }

    /// Takes in a key whose secret is elsewhere, and says what signs with it.
    pub(super) fn take_in(&self, role: &str, held: &HeldKey) -> Result<(String, Key), SignError> {
        let failed = |source| SignError::Generate {
            role: role.to_owned(),
            source,
        };
        let public = parse_public(&held.public).map_err(failed)?;
        let id = public.key_id().map_err(|error| failed(error.into()))?;
        let source = match &held.place {
            KeyPlace::Command { command } => Some(Source::Command(command.clone())),
            KeyPlace::Environment { name } => Some(Source::Environment(name.clone())),
            KeyPlace::Elsewhere | KeyPlace::Plain | KeyPlace::Sealed => None,
        };
        if let Some(source) = source {
            let (role, id, public) = (role.to_owned(), id.clone(), public.clone());
            let path = self.path(&role, &id);
            self.write_key(
                &path,
                &KeyFile {
                    role,
                    id,
                    public,
                    source,
                },
            )?;
        }
        Ok((id, public))
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
        let key = SigningKey::load(&path, role, &|| self.passphrase(&path))?;
        Ok((key.id == id).then_some(key))
    }

    fn path(&self, role: &str, id: &str) -> PathBuf {
        // An id comes from metadata and may be anything; a key of ours is named by its digits.
        let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        self.folder.join(format!("{role}.{digits}.json"))
    }

    /// The key files of a role.
    pub(super) fn ids(&self, role: &str) -> Result<Vec<PathBuf>, SignError> {
        let is_of_role = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.split('.').next() == Some(role))
        };
        Ok(self.files()?.into_iter().filter(is_of_role).collect())
    }

    /// All key files but minisign's, in order.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, SignError> {
        let failed = |source| SignError::Read {
            path: self.folder.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    pub(super) fn write_key(&self, path: &Path, file: &KeyFile) -> Result<(), SignError> {
        let bytes = serde_json::to_vec_pretty(file).map_err(|source| SignError::Encode {
            name: path.display().to_string(),
            source: source.into(),
        })?;
        write_secret(path, &zeroize::Zeroizing::new(bytes))
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.folder == other.folder && self.minisign_public == other.minisign_public
    }
}

impl Eq for Keys {}

/// A key whose secret is not in the key folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// The public key: 64 hexadecimal digits of Ed25519, or JSON as metadata has it (`keytype`, `scheme`, `keyval`).
    pub public: String,
    /// Where the secret is: an environment variable, a command, or [`KeyPlace::Elsewhere`].
    pub place: KeyPlace,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// A random text of 256 bits, in hexadecimal digits.
pub fn random_token() -> Result<String, SignError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|source| SignError::Generate {
        role: "a token".to_owned(),
        source: source.into(),
    })?;
    Ok(hex::encode(bytes))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, SignError> {
    fs::read(path).map_err(|source| SignError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that nobody but its owner could read at any time.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), SignError> {
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
