//! One key in a file, and what signs with it: the secret in the file, in the clear or sealed; in an environment variable; or
//! a command. It refuses to know which role needs it.

use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sigstore_tuf::Key;
use zeroize::Zeroizing;

use super::error::SignError;
use super::hook;
use super::seal::{Cost, OpenError, Passphrase, Sealed};
use crate::error::BoxedError;

#[derive(Serialize, Deserialize)]
pub(super) struct KeyFile {
    pub(super) role: String,
    pub(super) id: String,
    pub(super) public: Key,
    #[serde(flatten)]
    pub(super) source: Source,
}

/// Where the secret is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// Here: PKCS #8, base64.
    Secret(Zeroizing<String>),
    /// Here, and a passphrase opens it: PKCS #8.
    Sealed(Sealed),
    /// In an environment variable: PKCS #8, base64.
    Environment(String),
    /// Behind a command that signs.
    Command(Vec<String>),
}

/// Where the secret of a key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum KeyPlace {
    /// In the key folder, in the clear.
    Plain,
    /// In the key folder, and a passphrase opens it.
    Sealed,
    /// In an environment variable.
    Environment {
        /// The variable.
        name: String,
    },
    /// Behind a command.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// Not here.
    Elsewhere,
}

/// A key that can sign.
pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) public: Key,
    signer: Signer,
}

enum Signer {
    Pair(Ed25519KeyPair),
    Command(Vec<String>),
}

impl KeyFile {
    /// Reads a key file. Nothing of it is checked.
    pub(super) fn read(path: &Path) -> Result<Self, SignError> {
        serde_json::from_slice(&super::keys::read(path)?).map_err(|source| SignError::KeyFile {
            path: path.to_owned(),
            source: source.into(),
        })
    }

    pub(super) fn place(&self) -> KeyPlace {
        match &self.source {
            Source::Secret(_) => KeyPlace::Plain,
            Source::Sealed(_) => KeyPlace::Sealed,
            Source::Environment(name) => KeyPlace::Environment { name: name.clone() },
            Source::Command(command) => KeyPlace::Command {
                command: command.clone(),
            },
        }
    }

    /// What must be the same when the secret is opened: a sealed secret can't be laid into another key's file.
    pub(super) fn context(&self) -> Vec<u8> {
        format!("{} {}", self.role, self.id).into_bytes()
    }

    /// Closes the secret, if it is here in the clear.
    pub(super) fn seal(&mut self, passphrase: &Passphrase, cost: Cost) -> Result<bool, BoxedError> {
        let Source::Secret(secret) = &self.source else {
            return Ok(false);
        };
        let secret = Zeroizing::new(STANDARD.decode(secret.as_bytes())?);
        self.source = Source::Sealed(Sealed::close(&secret, &self.context(), passphrase, cost)?);
        Ok(true)
    }
}

impl SigningKey {
    /// Makes a key, and the file that holds it.
    pub(super) fn make(role: &str) -> Result<(Self, KeyFile), BoxedError> {
        let pair = Ed25519KeyPair::generate()?;
        let secret = pair.to_pkcs8()?;
        let public = public_key(&pair)?;
        let id = public.key_id()?;
        let file = KeyFile {
            role: role.to_owned(),
            id: id.clone(),
            public: public.clone(),
            source: Source::Secret(Zeroizing::new(STANDARD.encode(secret.as_ref()))),
        };
        let signer = Signer::Pair(pair);
        Ok((Self { id, public, signer }, file))
    }

    /// Reads a key file and checks that it is what it says. The passphrase is asked for only where it is needed.
    pub(super) fn load<'a>(
        path: &Path,
        role: &str,
        passphrase: &dyn Fn() -> Result<&'a Passphrase, SignError>,
    ) -> Result<Self, SignError> {
        let file = KeyFile::read(path)?;
        let refused = |source: BoxedError| SignError::KeyFile {
            path: path.to_owned(),
            source,
        };
        let apart = || refused("role, id, public and secret key do not belong together".into());
        if file.role != role || file.public.key_id().map_err(|error| refused(error.into()))? != file.id {
            return Err(apart());
        }
        let secret = match &file.source {
            Source::Command(command) => {
                return Ok(Self {
                    id: file.id,
                    public: file.public,
                    signer: Signer::Command(command.clone()),
                });
            }
            Source::Secret(secret) => decode(secret).map_err(refused)?,
            Source::Environment(name) => {
                let text = std::env::var(name).map_err(|source| SignError::Environment {
                    name: name.clone(),
                    role: role.to_owned(),
                    source: source.into(),
                })?;
                decode(&Zeroizing::new(text)).map_err(refused)?
            }
            Source::Sealed(sealed) => {
                let passphrase = passphrase()?;
                sealed
                    .open(&file.context(), passphrase)
                    .map_err(|error| match error {
                        OpenError::Wrong => SignError::PassphraseWrong {
                            path: path.to_owned(),
                        },
                        OpenError::Shape(source) => refused(source),
                    })?
            }
        };
        let pair = Ed25519KeyPair::from_pkcs8(&secret).map_err(|error| refused(error.into()))?;
        if public_key(&pair).map_err(refused)? != file.public {
            return Err(apart());
        }
        Ok(Self {
            id: file.id,
            public: file.public,
            signer: Signer::Pair(pair),
        })
    }

    /// The key as metadata lists it.
    pub(super) fn entry(&self) -> (String, Key) {
        (self.id.clone(), self.public.clone())
    }

    /// A signature over the bytes.
    pub(super) fn sign(&self, role: &str, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        let command = match &self.signer {
            Signer::Pair(pair) => return Ok(pair.sign(bytes).as_ref().to_vec()),
            Signer::Command(command) => command,
        };
        let failed = |source| SignError::Hook {
            command: command.join(" "),
            role: role.to_owned(),
            source,
        };
        let signature = hook::sign(command, role, &self.id, bytes).map_err(failed)?;
        // Whatever else signs, the core verifies it all before anything is written; this says it in better words.
        if self.public.scheme == "ed25519" && !self.public.keyval.public.starts_with("---") {
            let public = hex::decode(&self.public.keyval.public).map_err(|error| failed(error.into()))?;
            UnparsedPublicKey::new(&ED25519, public)
                .verify(bytes, &signature)
                .map_err(|_| failed("its signature is not by the key that it stands for".into()))?;
        }
        Ok(signature)
    }
}

fn decode(secret: &str) -> Result<Zeroizing<Vec<u8>>, BoxedError> {
    Ok(Zeroizing::new(STANDARD.decode(secret.trim())?))
}

fn public_key(pair: &Ed25519KeyPair) -> Result<Key, BoxedError> {
    parse_public(&hex::encode(pair.public_key().as_ref()))
}

/// A public key: 64 hexadecimal digits of Ed25519, or JSON as metadata has it.
pub(super) fn parse_public(text: &str) -> Result<Key, BoxedError> {
    let text = text.trim();
    let key: Key = if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let public = text.to_ascii_lowercase();
        serde_json::from_value(serde_json::json!({
            "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public },
        }))?
    } else {
        serde_json::from_str(text)?
    };
    key.verification_key()?;
    Ok(key)
}
