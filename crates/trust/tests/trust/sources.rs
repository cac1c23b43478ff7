//! Where secret keys may be: sealed in their files, in the environment, behind a command, behind a service.

use std::fs;

use moult_model::Version;
use moult_trust::sign::{Cost, HeldKey, KeyChange, KeyPlace, Keys, OnlineSigner, Passphrase, SignError};
use moult_trust::verify_signature;
use serde_json::{Value, json};

use crate::support::{Computer, Mirror, Outcome, Site, at, signed, verdict};

const CHEAP: Cost = Cost { log_n: 4 };

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse")
}

#[tokio::test]
async fn sealed_keys_sign_with_their_passphrase_and_are_nowhere_in_the_clear() -> Outcome {
    let site = Site::new()?;
    assert!(!site.keys.has_sealed()?);
    let secrets: Vec<String> = fs::read_dir(site.keys.folder())?
        .filter_map(|entry| fs::read(entry.ok()?.path()).ok())
        .filter_map(|bytes| {
            let file = serde_json::from_slice::<Value>(&bytes).ok()?;
            file["secret"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(secrets.len(), 9);
    let minisign = fs::read_to_string(site.keys.folder().join("minisign.key"))?;
    let minisign = minisign.lines().nth(1).unwrap_or_default().to_owned();

    let names = site.keys.seal(&passphrase(), CHEAP)?;
    assert_eq!(names.len(), 10, "{names:?}");
    assert!(site.keys.has_sealed()?);
    assert!(site.keys.seal(&passphrase(), CHEAP)?.is_empty(), "all are sealed");
    for (path, bytes) in crate::support::files_of(site.keys.folder())? {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            secrets
                .iter()
                .chain([&minisign])
                .all(|secret| !text.contains(secret.as_str())),
            "{path}"
        );
    }

    let mut closed = site.editor()?;
    crate::support::add_release(&mut closed, "app", "1.1.0")?;
    assert!(matches!(
        closed.commit(at(0)),
        Err(SignError::PassphraseNeeded { .. })
    ));
    drop(closed);
    assert!(matches!(
        site.keys.sign_artifact(b"x", &Version::new(1, 0, 0), "x"),
        Err(SignError::PassphraseNeeded { .. })
    ));
    let wrong = site
        .keys
        .clone()
        .with_passphrase(Passphrase::new("correct house"));
    let refused = moult_trust::sign::Editor::open(&site.repository(), &wrong)?.resign(at(1));
    assert!(
        matches!(refused, Err(SignError::PassphraseWrong { .. })),
        "{refused:?}"
    );

    let keys = site.keys.clone().with_passphrase(passphrase());
    let mut editor = moult_trust::sign::Editor::open(&site.repository(), &keys)?;
    crate::support::add_release(&mut editor, "app", "1.1.0")?;
    editor.commit(at(0))?;
    drop(editor);
    let signature = keys.sign_artifact(b"x", &Version::new(1, 0, 0), "x")?;
    verify_signature(
        &keys.minisign_public(),
        &signature,
        &b"x"[..],
        &Version::new(1, 0, 0),
    )?;
    let mut computer = Computer::new(site.anchor()?, &Mirror::serving(site.files()?))?;
    assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in names {
            let mode = fs::metadata(site.keys.folder().join(&name))?.permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_key_that_is_made_with_a_passphrase_is_sealed_from_the_beginning() -> Outcome {
    let site = Site::new()?;
    let keys = site.keys.clone().with_passphrase(passphrase());
    let mut editor = moult_trust::sign::Editor::open(&site.repository(), &keys)?;
    let made = editor.change_keys("app", &KeyChange::one())?;
    editor.commit(at(0))?;
    let states = editor.role_states();
    let app = states.iter().find(|state| state.expiry.role == "app");
    assert_eq!(
        app.and_then(|app| app.keys.get(&made[0])),
        Some(&KeyPlace::Sealed)
    );
    Ok(())
}

/// Another key folder, whose key for the role signs for somebody else.
fn elsewhere(role: &str) -> Outcome<(tempfile::TempDir, Value)> {
    let folder = tempfile::tempdir()?;
    let keys = Keys::create(&folder.path().join("keys"))?;
    for entry in fs::read_dir(keys.folder())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(&format!("{role}.")) {
            return Ok((folder, serde_json::from_slice(&fs::read(path)?)?));
        }
    }
    Err("no such key".into())
}

fn hold(site: &Site, role: &str, held: HeldKey) -> Outcome {
    let mut editor = site.editor()?;
    let change = KeyChange {
        held: vec![held],
        threshold: 1,
        ..KeyChange::default()
    };
    editor.change_keys(role, &change)?;
    editor.commit(at(0))?;
    Ok(())
}

#[test]
fn a_key_in_the_environment_that_is_not_there_is_named() -> Outcome {
    let site = Site::new()?;
    let (_folder, key) = elsewhere("timestamp")?;
    let held = HeldKey {
        public: key["public"].to_string(),
        place: KeyPlace::Environment {
            name: "MOULT_TEST_NO_SUCH_KEY".to_owned(),
        },
    };
    let refused = hold(&site, "timestamp", held);
    let text = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("MOULT_TEST_NO_SUCH_KEY"), "{text}");
    Ok(())
}

#[cfg(unix)]
mod commands {
    use std::path::Path;

    use super::*;

    /// A program that signs with openssl, as a key service does: it has the key, and we do not.
    fn program(folder: &Path, key: &Value, extra: &str) -> Outcome<Vec<String>> {
        use base64::Engine as _;
        let secret =
            base64::engine::general_purpose::STANDARD.decode(key["secret"].as_str().unwrap_or_default())?;
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            // Without the public key, which openssl's reader of this version does not know.
            base64::engine::general_purpose::STANDARD.encode(without_public(&secret))
        );
        fs::write(folder.join("key.pem"), pem)?;
        let script = format!(
            "set -e; d=$(mktemp -d); cat > $d/in; {extra}openssl pkeyutl -sign -rawin -inkey {}/key.pem -in $d/in | od -An -v -tx1 \
             | tr -d ' \\n'; rm -r $d",
            folder.display()
        );
        Ok(vec!["sh".to_owned(), "-c".to_owned(), script])
    }

    /// PKCS #8 of version 1: the seed alone.
    fn without_public(secret: &[u8]) -> Vec<u8> {
        const HEAD: [u8; 16] = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ];
        let seed = secret.get(16..48).unwrap_or_default();
        [&HEAD[..], seed].concat()
    }

    #[tokio::test]
    async fn a_command_signs_what_it_gets_and_clients_believe_it() -> Outcome {
        let site = Site::new()?;
        let anchor = site.anchor()?;
        let (folder, key) = elsewhere("app")?;
        let command = program(folder.path(), &key, "")?;
        let held = HeldKey {
            public: key["public"].to_string(),
            place: KeyPlace::Command { command },
        };
        hold(&site, "app", held)?;
        site.publish("app", "1.1.0")?;
        let mut computer = Computer::new(anchor, &Mirror::serving(site.files()?))?;
        assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));
        // What is in the key folder is no secret.
        let names = fs::read_dir(site.keys.folder())?.filter_map(Result::ok);
        let newest = names
            .map(|entry| fs::read_to_string(entry.path()).unwrap_or_default())
            .find(|text| text.contains("\"command\""));
        assert!(newest.is_some_and(|text| !text.contains("\"secret\"")));
        Ok(())
    }

    #[test]
    fn a_command_that_signs_something_else_or_fails_publishes_nothing() -> Outcome {
        for (extra, expected) in [
            ("echo more >> $d/in; ", "not by the key that it stands for"),
            ("exit 7; ", "exit status: 7"),
            ("echo 00; exit 0; ", "not by the key that it stands for"),
        ] {
            let site = Site::new()?;
            let before = site.files()?;
            let (folder, key) = elsewhere("app")?;
            let held = HeldKey {
                public: key["public"].to_string(),
                place: KeyPlace::Command {
                    command: program(folder.path(), &key, extra)?,
                },
            };
            let error = hold(&site, "app", held).err().ok_or("it was published")?;
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(next) = cause {
                text = format!("{text}: {next}");
                cause = next.source();
            }
            assert!(text.contains(expected), "{extra}: {text}");
            assert_eq!(site.files()?, before, "{extra}");
        }
        Ok(())
    }
}

/// A document of the repository, one version on.
fn next(site: &Site, role: &str) -> Outcome<Value> {
    let files = site.files()?;
    let end = format!(".{role}.json");
    let path = files
        .keys()
        .rfind(|path| path.ends_with(&end) || **path == format!("metadata/{role}.json"));
    let mut document = signed(&files, path.ok_or("no such role")?)?;
    document["version"] = (document["version"].as_u64().unwrap_or_default() + 1).into();
    document["expires"] = json!(at(5).to_string());
    Ok(document)
}

fn id_of(site: &Site, role: &str) -> Outcome<String> {
    let states = site.editor()?.role_states();
    let state = states.into_iter().find(|state| state.expiry.role == role);
    let id = state.and_then(|state| state.keys.into_keys().next());
    Ok(id.ok_or("no such role")?)
}

fn canonical(document: &Value) -> Outcome<Vec<u8>> {
    // Sorted, without white space: what canonical form is for text without control characters.
    Ok(serde_json::to_vec(document)?)
}

type Change = fn(&mut Value);

#[test]
fn the_online_signer_signs_for_three_roles_and_looks_at_what_it_signs() -> Outcome {
    let site = Site::new()?;
    let signer = OnlineSigner::new(site.keys.clone())?;
    for role in OnlineSigner::ROLES {
        let signature = signer.sign(
            role,
            &id_of(&site, role)?,
            &canonical(&next(&site, role)?)?,
            at(0),
        )?;
        assert_eq!(signature.len(), 64, "{role}");
    }
    for role in [
        "root",
        "targets",
        "app",
        "publishers-0",
        "publisher-moult",
        "",
        "../app",
    ] {
        let known = site.editor()?.role_states();
        let id = known
            .iter()
            .find(|state| state.expiry.role == role)
            .and_then(|state| state.keys.keys().next().cloned())
            .unwrap_or_default();
        let refused = signer.sign(role, &id, b"{}", at(0));
        assert!(
            matches!(refused, Err(SignError::NotSigned { .. })),
            "{role}: {refused:?}"
        );
    }
    let table: [(&str, &str, Change); 14] = [
        ("timestamp", "of the type", |document| {
            document["_type"] = json!("targets");
        }),
        ("rollout", "of the type", |document| {
            document["_type"] = json!("root");
        }),
        ("timestamp", "specification", |document| {
            document["spec_version"] = json!("2.0");
        }),
        ("timestamp", "was the last one", |document| {
            document["version"] = json!(1);
        }),
        ("timestamp", "was the last one", |document| {
            document["version"] = json!(1_u64 << 53);
        }),
        ("timestamp", "within 7 days", |document| {
            document["expires"] = json!(at(8).to_string());
        }),
        ("snapshot", "within 30 days", |document| {
            document["expires"] = json!(at(365).to_string());
        }),
        ("timestamp", "within 7 days", |document| {
            document["expires"] = json!(at(-1).to_string());
        }),
        ("timestamp", "within 7 days", |document| {
            document["expires"] = json!("never");
        }),
        ("timestamp", "pin snapshot.json", |document| {
            document["meta"]["other.json"] = json!({ "version": 1 });
        }),
        ("snapshot", "pin targets.json", |document| {
            document["meta"] = json!({ "app.json": { "version": 1 } });
        }),
        ("snapshot", "no version of app.json", |document| {
            document["meta"]["app.json"] = json!({ "version": 0 });
        }),
        ("rollout", "nothing else", |document| {
            document["targets"]["app/shell/index.json"] = json!({});
        }),
        ("rollout", "nothing else", |document| {
            document["delegations"] = json!({ "keys": {}, "roles": [] });
        }),
    ];
    for (role, expected, change) in table {
        let mut document = next(&site, role)?;
        change(&mut document);
        let refused = signer.sign(role, &id_of(&site, role)?, &canonical(&document)?, at(0));
        let text = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains(expected), "{role}, {expected}: {text}");
    }
    let spaced = serde_json::to_vec_pretty(&next(&site, "timestamp")?)?;
    let refused = signer.sign("timestamp", &id_of(&site, "timestamp")?, &spaced, at(0));
    assert!(refused.is_err_and(|error| error.to_string().contains("canonical form")));
    let strange = signer.sign(
        "timestamp",
        &id_of(&site, "snapshot")?,
        &canonical(&next(&site, "timestamp")?)?,
        at(0),
    );
    assert!(
        matches!(strange, Err(SignError::KeyMissing { .. })),
        "{strange:?}"
    );
    Ok(())
}

#[test]
fn the_online_signer_never_forgets_what_it_signed() -> Outcome {
    let site = Site::new()?;
    let id = id_of(&site, "timestamp")?;
    let mut document = next(&site, "timestamp")?;
    document["version"] = json!(500);
    OnlineSigner::new(site.keys.clone())?.sign("timestamp", &id, &canonical(&document)?, at(0))?;
    let restarted = OnlineSigner::new(site.keys.clone())?;
    document["version"] = json!(499);
    assert!(
        restarted
            .sign("timestamp", &id, &canonical(&document)?, at(0))
            .is_err()
    );
    document["version"] = json!(500);
    assert!(
        restarted
            .sign("timestamp", &id, &canonical(&document)?, at(0))
            .is_ok(),
        "a commit that failed is made again"
    );
    Ok(())
}
