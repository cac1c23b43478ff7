//! The second, independent check on executables: a minisign signature as Tauri's updater reads it. It
//! knows nothing of the repository.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};
use moult_model::Version;

use crate::error::TrustError;

/// Verifies that the holder of the minisign key signed these bytes as this version.
///
/// `public_key` and `signature` are base64 over the ordinary two and four lines of text, as Tauri's
/// configuration and `latest.json` have them. The version stands in the trusted comment, as the field
/// `version:` among fields that are separated by tabs, and is read only after the comment's own
/// signature was verified. The artifact is read once, in pieces; signatures that are not over its hash
/// (minisign before 0.6) are refused. What passes here passes in `tauri-plugin-updater` with
/// `requireSignedVersion`, too.
pub fn verify_signature(
    public_key: &str,
    signature: &str,
    artifact: impl Read,
    version: &Version,
) -> Result<(), TrustError> {
    let signed = verify_any_version(public_key, signature, artifact)?;
    let matches = signed
        .as_deref()
        .and_then(parsed)
        .is_some_and(|signed| signed == *version);
    if matches {
        Ok(())
    } else {
        Err(TrustError::SignedVersion {
            signed,
            expected: version.clone(),
        })
    }
}

/// Verifies that the holder of the minisign key signed these bytes, as [`verify_signature`] does, and
/// tells as which version. `None`: as none, or as something that is no version.
pub fn signed_version(
    public_key: &str,
    signature: &str,
    artifact: impl Read,
) -> Result<Option<Version>, TrustError> {
    let signed = verify_any_version(public_key, signature, artifact)?;
    Ok(signed.as_deref().and_then(parsed))
}

fn parsed(signed: &str) -> Option<Version> {
    Version::parse(signed.trim_start_matches('v')).ok()
}

/// The text of the field `version:`, from a signature that was verified.
fn verify_any_version(
    public_key: &str,
    signature: &str,
    mut artifact: impl Read,
) -> Result<Option<String>, TrustError> {
    let wrong = |source: minisign_verify::Error| TrustError::SignatureWrong {
        source: source.into(),
    };
    let key = PublicKey::decode(&text(public_key, "public key")?).map_err(|source| {
        TrustError::SignatureMalformed {
            part: "public key",
            source: source.into(),
        }
    })?;
    let signature = Signature::decode(&text(signature, "signature")?).map_err(|source| {
        TrustError::SignatureMalformed {
            part: "signature",
            source: source.into(),
        }
    })?;
    let mut verifier = key.verify_stream(&signature).map_err(wrong)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match artifact.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => verifier.update(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(TrustError::Artifact { source }),
        }
    }
    verifier.finalize().map_err(wrong)?;
    let signed = signature
        .trusted_comment()
        .split('\t')
        .find_map(|field| field.strip_prefix("version:"));
    Ok(signed.map(str::to_owned))
}

fn text(encoded: &str, part: &'static str) -> Result<String, TrustError> {
    let malformed = |source| TrustError::SignatureMalformed { part, source };
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| malformed(error.into()))?;
    String::from_utf8(bytes).map_err(|error| malformed(error.into()))
}
