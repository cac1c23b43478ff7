//! The minisign signature, and that Tauri's updater reads the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moult_model::{ErrorCode, Version};
use moult_trust::sign::Keys;
use moult_trust::{TrustError, verify_signature};

use crate::support::Outcome;

const ARTIFACT: &[u8] = b"an executable";

fn decoded(text: &str) -> Outcome<String> {
    Ok(String::from_utf8(STANDARD.decode(text)?)?)
}

#[test]
fn what_was_signed_passes_and_nothing_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    let keys = Keys::create(&folder.path().join("keys"))?;
    let other = Keys::create(&folder.path().join("other"))?;
    let version = Version::new(1, 2, 3);
    let signature = keys.sign_artifact(ARTIFACT, &version, "moult-app")?;
    let text = decoded(&signature)?;
    let renamed = STANDARD.encode(text.replace("version:1.2.3", "version:9.9.9"));
    let key = keys.minisign_public();
    let table = [
        ("as signed", &key, &signature, ARTIFACT, version.clone(), true),
        (
            "other bytes",
            &key,
            &signature,
            &b"an Executable"[..],
            version.clone(),
            false,
        ),
        ("no bytes", &key, &signature, b"", version.clone(), false),
        (
            "another version",
            &key,
            &signature,
            ARTIFACT,
            Version::new(1, 2, 4),
            false,
        ),
        (
            "a build of the version",
            &key,
            &signature,
            ARTIFACT,
            "1.2.3+1".parse()?,
            false,
        ),
        (
            "another key",
            &other.minisign_public(),
            &signature,
            ARTIFACT,
            version.clone(),
            false,
        ),
        (
            "a changed comment",
            &key,
            &renamed,
            ARTIFACT,
            Version::new(9, 9, 9),
            false,
        ),
        ("not base64", &key, &text, ARTIFACT, version.clone(), false),
        (
            "no signature",
            &key,
            &String::new(),
            ARTIFACT,
            version.clone(),
            false,
        ),
        ("no key", &String::new(), &signature, ARTIFACT, version, false),
    ];
    for (what, key, signature, bytes, version, passes) in table {
        let verdict = verify_signature(key, signature, bytes, &version).map_err(|error| error.code());
        let expected = if passes {
            Ok(())
        } else {
            Err(ErrorCode::SignatureInvalid)
        };
        assert_eq!(verdict, expected, "{what}");
    }
    Ok(())
}

#[test]
fn a_signature_without_a_version_does_not_pass() -> Outcome {
    let pair = minisign::KeyPair::generate_unencrypted_keypair()?;
    let key = STANDARD.encode(pair.pk.to_box()?.to_bytes());
    for comment in ["timestamp:1\tfile:app", "app-version:1.0.0", "file:version:1.0.0"] {
        let signature = minisign::sign(None, &pair.sk, ARTIFACT, Some(comment), None)?;
        let signature = STANDARD.encode(signature.to_bytes());
        let verdict = verify_signature(&key, &signature, ARTIFACT, &Version::new(1, 0, 0));
        assert!(
            matches!(verdict, Err(TrustError::SignedVersion { signed: None, .. })),
            "{comment}"
        );
    }
    Ok(())
}

#[test]
fn a_file_name_can_not_bring_a_version_of_its_own() -> Outcome {
    let folder = tempfile::tempdir()?;
    let keys = Keys::create(&folder.path().join("keys"))?;
    assert!(
        keys.sign_artifact(ARTIFACT, &Version::new(1, 0, 0), "a\tversion:9.9.9")
            .is_err()
    );
    assert!(
        keys.sign_artifact(ARTIFACT, &Version::new(1, 0, 0), "a\nb")
            .is_err()
    );
    Ok(())
}

/// The steps of `tauri-plugin-updater` 2.14 with `requireSignedVersion`.
#[test]
fn tauris_updater_accepts_the_same_signature() -> Outcome {
    let folder = tempfile::tempdir()?;
    let keys = Keys::create(&folder.path().join("keys"))?;
    for version in ["1.2.3", "2.0.0-beta.1", "0.1.0+build.7"] {
        let signature = keys.sign_artifact(ARTIFACT, &version.parse()?, "Moult 1.AppImage")?;
        let key = minisign_verify::PublicKey::decode(&decoded(&keys.minisign_public())?)?;
        let signature = minisign_verify::Signature::decode(&decoded(&signature)?)?;
        key.verify(ARTIFACT, &signature, true)?;
        let mut fields = signature.trusted_comment().split('\t');
        assert_eq!(
            fields.find_map(|field| field.strip_prefix("version:")),
            Some(version)
        );
    }
    Ok(())
}
