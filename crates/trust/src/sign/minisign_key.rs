//! The second key of executables, minisign's: in the clear, closed with the passphrase of the key folder, or encrypted as minisign does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moult_model::Version;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::SignError;
use super::keys::{Keys, read, write_secret};
use super::seal::{Cost, OpenError, Passphrase, Sealed};
use crate::error::BoxedError;

/// The file of the secret key.
pub(super) const MINISIGN: &str = "minisign.key";

/// The file, closed.
#[derive(Serialize, Deserialize)]
struct SealedFile {
    sealed: Sealed,
}

impl Keys {
    /// Whether minisign's secret key is here.
    pub fn has_minisign(&self) -> bool {
        self.folder().join(MINISIGN).exists()
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
        let secret = self.minisign_secret()?;
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

    /// Makes the key, and gives the public one, base64 as Tauri has it.
    pub(super) fn make_minisign(&self) -> Result<String, SignError> {
        let generate = |source: minisign::PError| SignError::Generate {
            role: "minisign".to_owned(),
            source: source.into(),
        };
        let pair = minisign::KeyPair::generate_unencrypted_keypair().map_err(generate)?;
        let secret = Zeroizing::new(pair.sk.to_box(None).map_err(generate)?.to_bytes());
        write_secret(&self.folder().join(MINISIGN), &secret)?;
        let text = pair.pk.to_box().map_err(generate)?.to_bytes();
        Ok(STANDARD.encode(text))
    }

    pub(super) fn has_sealed_minisign(&self) -> Result<bool, SignError> {
        let path = self.folder().join(MINISIGN);
        Ok(path.exists() && read(&path)?.starts_with(b"{"))
    }

    /// Closes the key if it is in the clear, and says whether it did.
    pub(super) fn seal_minisign(&self, passphrase: &Passphrase, cost: Cost) -> Result<bool, SignError> {
        let path = self.folder().join(MINISIGN);
        if !path.exists() {
            return Ok(false);
        }
        let clear = Zeroizing::new(read(&path)?);
        let refused = |source| SignError::KeyFile {
            path: path.clone(),
            source,
        };
        let is_encrypted = || -> Result<bool, BoxedError> {
            let text = String::from_utf8_lossy(&clear).into_owned();
            // What is not encrypted opens without a password.
            Ok(minisign::SecretKeyBox::from_string(&text)?
                .into_unencrypted_secret_key()
                .is_err())
        };
        if clear.starts_with(b"{") || is_encrypted().map_err(refused)? {
            return Ok(false);
        }
        let sealed = Sealed::close(&clear, MINISIGN.as_bytes(), passphrase, cost).map_err(refused)?;
        let bytes =
            serde_json::to_vec_pretty(&SealedFile { sealed }).map_err(|error| refused(error.into()))?;
        write_secret(&path, &bytes)?;
        Ok(true)
    }

    fn minisign_secret(&self) -> Result<minisign::SecretKey, SignError> {
        let path = self.folder().join(MINISIGN);
        let refused = |source: BoxedError| SignError::KeyFile {
            path: path.clone(),
            source,
        };
        let mut bytes = Zeroizing::new(read(&path)?);
        if bytes.starts_with(b"{") {
            let file: SealedFile = serde_json::from_slice(&bytes).map_err(|error| refused(error.into()))?;
            let passphrase = self.passphrase(&path)?;
            bytes = file
                .sealed
                .open(MINISIGN.as_bytes(), passphrase)
                .map_err(|error| match error {
                    OpenError::Wrong => SignError::PassphraseWrong { path: path.clone() },
                    OpenError::Shape(source) => refused(source),
                })?;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let boxed = || minisign::SecretKeyBox::from_string(&text).map_err(|source| refused(source.into()));
        match boxed()?.into_unencrypted_secret_key() {
            Ok(secret) => Ok(secret),
            // minisign's own encryption, which other tools make.
            Err(_) if text.contains("encrypted") => {
                let passphrase = self.passphrase(&path)?.text().to_owned();
                boxed()?
                    .into_secret_key(Some(passphrase))
                    .map_err(|_| SignError::PassphraseWrong { path: path.clone() })
            }
            Err(source) => Err(refused(source.into())),
        }
    }
}
