//! A secret that a passphrase opens: scrypt makes a key of it, ChaCha20-Poly1305 closes the secret. It refuses to know what
//! the secret is for.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::BoxedError;

const KDF: &str = "scrypt";
const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// What a file may ask of memory at most, in bytes: who alters one must not be able to use up a computer.
const MOST_MEMORY: u64 = 1 << 30;

/// What opens sealed keys. It is wiped from memory with the last of its copies.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase; an end of line at its end, as files and pipes have, does not belong to it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// How much work it is to try one passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The logarithm of scrypt's N, to the base of 2.
    pub log_n: u8,
}

impl Default for Cost {
    /// 128 MiB of memory, and about half a second.
    fn default() -> Self {
        Self { log_n: 17 }
    }
}

/// A secret that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    kdf: String,
    log_n: u8,
    r: u32,
    p: u32,
    /// Base64, as all below.
    salt: String,
    nonce: String,
    bytes: String,
}

/// Why a secret stays closed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("the passphrase is wrong, or the file was altered")]
    Wrong,
    #[error(transparent)]
    Shape(BoxedError),
}

impl Sealed {
    /// Closes a secret. `context` is not secret and has to be the same when it is opened.
    pub(super) fn close(
        secret: &[u8],
        context: &[u8],
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Self, BoxedError> {
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_LEN]);
        aws_lc_rs::rand::fill(&mut salt)?;
        aws_lc_rs::rand::fill(&mut nonce)?;
        let mut sealed = Self {
            kdf: KDF.to_owned(),
            log_n: cost.log_n,
            r: 8,
            p: 1,
            salt: STANDARD.encode(salt),
            nonce: STANDARD.encode(nonce),
            bytes: String::new(),
        };
        let mut bytes = secret.to_vec();
        sealed.key(passphrase)?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut bytes,
        )?;
        sealed.bytes = STANDARD.encode(bytes);
        Ok(sealed)
    }

    /// Opens a secret.
    pub(super) fn open(
        &self,
        context: &[u8],
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let shape = |error: BoxedError| OpenError::Shape(error);
        let nonce = STANDARD
            .decode(&self.nonce)
            .map_err(|error| shape(error.into()))?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|error| shape(error.into()))?;
        let mut bytes = STANDARD
            .decode(&self.bytes)
            .map_err(|error| shape(error.into()))?;
        let key = self.key(passphrase).map_err(shape)?;
        let opened = key
            .open_in_place(nonce, Aad::from(context), &mut bytes)
            .map_err(|_| OpenError::Wrong)?;
        let secret = Zeroizing::new(opened.to_vec());
        Ok(secret)
    }

    fn key(&self, passphrase: &Passphrase) -> Result<LessSafeKey, BoxedError> {
        if self.kdf != KDF {
            return Err(format!("`{}` is not known; {KDF} is", self.kdf).into());
        }
        let memory = 1_u64
            .checked_shl(self.log_n.into())
            .and_then(|n| n.checked_mul(128)?.checked_mul(self.r.into()))
            .filter(|memory| *memory <= MOST_MEMORY && (1..=16).contains(&self.p));
        if memory.is_none() {
            return Err("it asks for more memory or time than is allowed".into());
        }
        let parameters =
            scrypt::Params::new(self.log_n, self.r, self.p, KEY_BYTES).map_err(|error| error.to_string())?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let salt = STANDARD.decode(&self.salt)?;
        scrypt::scrypt(passphrase.text().as_bytes(), &salt, &parameters, key.as_mut())
            .map_err(|error| error.to_string())?;
        Ok(LessSafeKey::new(UnboundKey::new(
            &CHACHA20_POLY1305,
            key.as_ref(),
        )?))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { log_n: 4 };

    type Change = fn(&mut Sealed);

    #[test]
    fn opens_with_its_passphrase_and_context_alone() {
        let right = Passphrase::new("a horse, a battery\n");
        let sealed = Sealed::close(b"secret", b"timestamp", &right, CHEAP).unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("secret"));
        let opened = |context: &[u8], text: &str| sealed.open(context, &Passphrase::new(text)).ok();
        assert_eq!(
            opened(b"timestamp", "a horse, a battery").unwrap().as_slice(),
            b"secret"
        );
        assert!(opened(b"timestamp", "a horse, a battery ").is_none());
        assert!(opened(b"timestamp", "").is_none());
        assert!(
            opened(b"root", "a horse, a battery").is_none(),
            "the key of another role"
        );
    }

    #[test]
    fn one_passphrase_closes_two_secrets_differently() {
        let passphrase = Passphrase::new("x");
        let close = || Sealed::close(b"secret", b"", &passphrase, CHEAP).unwrap();
        assert_ne!(close(), close());
    }

    #[test]
    fn what_was_altered_stays_closed() {
        let passphrase = Passphrase::new("x");
        let good = Sealed::close(b"secret", b"", &passphrase, CHEAP).unwrap();
        let table: [(&str, Change); 7] = [
            ("bytes", |sealed| {
                sealed.bytes = STANDARD.encode([0; 22]);
            }),
            ("no bytes", |sealed| sealed.bytes.clear()),
            ("salt", |sealed| sealed.salt = STANDARD.encode([0; 16])),
            ("nonce", |sealed| sealed.nonce.clear()),
            ("another way", |sealed| sealed.kdf = "none".to_owned()),
            ("64 TiB of memory", |sealed| sealed.log_n = 40),
            ("no end", |sealed| sealed.p = u32::MAX),
        ];
        for (what, change) in table {
            let mut sealed = good.clone();
            change(&mut sealed);
            assert!(sealed.open(b"", &passphrase).is_err(), "{what}");
        }
    }
}
