//! Row 7: the second signature, that of executables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moult_model::Version;
use moult_trust::sign::Keys;
use moult_trust::verify_signature;

use super::assert_refused;
use crate::support::Outcome;

const VERSION: Version = Version::new(1, 2, 3);

/// Somebody's keys, an executable and its signature.
fn signed() -> Outcome<(tempfile::TempDir, Keys, Vec<u8>, String)> {
    let folder = tempfile::tempdir()?;
    let keys = Keys::create(&folder.path().join("keys"))?;
    let artifact: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let signature = keys.sign_artifact(&artifact, &VERSION, "moult-app")?;
    verify_signature(&keys.minisign_public(), &signature, artifact.as_slice(), &VERSION)?;
    Ok((folder, keys, artifact, signature))
}

#[test]
fn signature_of_another_version() -> Outcome {
    let (_folder, keys, artifact, signature) = signed()?;
    let later = Version::new(1, 2, 4);
    let verdict = verify_signature(&keys.minisign_public(), &signature, artifact.as_slice(), &later);
    assert_refused("signature-of-another-version", "", verdict)
}

#[test]
fn signature_by_another_key() -> Outcome {
    let (folder, keys, artifact, _) = signed()?;
    let other = Keys::create(&folder.path().join("other"))?;
    let signature = other.sign_artifact(&artifact, &VERSION, "moult-app")?;
    let verdict = verify_signature(&keys.minisign_public(), &signature, artifact.as_slice(), &VERSION);
    assert_refused("signature-by-another-key", "", verdict)
}

#[test]
fn signature_over_other_bytes() -> Outcome {
    let (_folder, keys, artifact, signature) = signed()?;
    let key = keys.minisign_public();
    let mut others = vec![
        ("empty".to_owned(), Vec::new()),
        ("cut".to_owned(), artifact[..artifact.len() - 1].to_vec()),
        ("longer".to_owned(), [&artifact[..], &[0]].concat()),
    ];
    for place in (0..artifact.len()).step_by(artifact.len() / 16) {
        let mut changed = artifact.clone();
        changed[place] ^= 1 << (place % 8);
        others.push((format!("a bit of {place}"), changed));
    }
    for (what, bytes) in others {
        let verdict = verify_signature(&key, &signature, bytes.as_slice(), &VERSION);
        assert_refused("signature-over-other-bytes", &what, verdict)?;
    }
    Ok(())
}

#[test]
fn signature_without_a_version() -> Outcome {
    let pair = minisign::KeyPair::generate_unencrypted_keypair()?;
    let key = STANDARD.encode(pair.pk.to_box()?.to_bytes());
    let signature = minisign::sign(None, &pair.sk, &b"an executable"[..], Some("file:app"), None)?;
    let signature = STANDARD.encode(signature.to_bytes());
    let verdict = verify_signature(&key, &signature, &b"an executable"[..], &VERSION);
    assert_refused("signature-without-a-version", "", verdict)
}
