//! Keys that are listed, replaced, closed; publishers that come and go; changes that wait for keys on other computers.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::support::{Desk, NOW, TRIPLE, executable};

const PASSPHRASE: (&str, &str) = ("MOULT_PASSPHRASE", "correct horse");

/// The key files of a role.
fn key_files(desk: &Desk, role: &str) -> Result<Vec<String>> {
    let names = desk.files("keys")?.into_keys();
    Ok(names
        .filter(|name| name.starts_with(&format!("{role}.")))
        .collect())
}

/// Takes the keys of a role away.
fn take(desk: &Desk, role: &str) -> Result<Vec<(String, Vec<u8>)>> {
    key_files(desk, role)?
        .into_iter()
        .map(|name| {
            let bytes = desk.read(&format!("keys/{name}"))?;
            std::fs::remove_file(desk.path(&format!("keys/{name}")))?;
            Ok((name, bytes))
        })
        .collect()
}

#[test]
fn help_names_what_keys_can_be_done_with() -> Result<()> {
    let desk = Desk::new()?;
    let cases: [(&str, &[&str]); 5] = [
        ("help_keys", &["keys", "--help"]),
        ("help_keys_list", &["keys", "list", "--help"]),
        ("help_keys_rotate", &["keys", "rotate", "--help"]),
        ("help_sign", &["sign", "--help"]),
        ("help_sign_service", &["sign-service", "--help"]),
    ];
    for (name, args) in cases {
        desk.snapshot(name, &desk.moult(args)?);
    }
    Ok(())
}

#[test]
fn lists_who_signs_and_what_expires_when() -> Result<()> {
    let desk = Desk::with_keys()?;
    take(&desk, "root")?;
    desk.snapshot("keys_list", &desk.moult(&["keys", "list"])?);
    desk.snapshot(
        "keys_list_later",
        &desk.moult_at("2026-12-20T10:00:00Z", &["keys", "list"])?,
    );
    let all = desk.json(&["keys", "list", "--all"])?;
    let roles = all["roles"].as_array().context("roles")?;
    assert_eq!(roles.len(), 4 + 18 + 1);
    assert_eq!(roles[0]["role"], "timestamp");
    assert_eq!(roles[0]["expires"], "2026-11-28T10:00:00Z");
    Ok(())
}

#[test]
fn a_role_gets_new_keys_and_the_old_ones_count_no_more() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot("keys_rotate", &desk.moult(&["keys", "rotate", "timestamp"])?);
    let several = ["keys", "rotate", "root", "--make", "3", "--threshold", "2"];
    desk.snapshot("keys_rotate_several", &desk.moult(&several)?);
    desk.snapshot(
        "keys_rotate_publisher",
        &desk.moult(&["keys", "rotate", "publisher-moult"])?,
    );
    // One of three is replaced, and two go on.
    let listed = desk.json(&["keys", "list"])?;
    let root = listed["roles"]
        .as_array()
        .and_then(|roles| roles.iter().find(|role| role["role"] == "root"));
    let ids: Vec<_> = root
        .and_then(|root| root["keys"].as_object())
        .into_iter()
        .flatten()
        .map(|(id, _)| id.clone())
        .collect();
    let replaced = desk.json(&[
        "keys",
        "rotate",
        "root",
        "--keep",
        &ids[0][..12],
        "--keep",
        &ids[2][..12],
        "--make",
        "1",
        "--threshold",
        "2",
    ])?;
    assert_eq!(replaced["dropped"], serde_json::json!([ids[1]]));
    desk.moult(&["publish", "shell"])?.done()?;
    Ok(())
}

#[test]
fn keys_that_can_not_be_are_refused() -> Result<()> {
    let desk = Desk::with_keys()?;
    let before = desk.files("dist/repository")?;
    let cases: [(&str, &[&str]); 7] = [
        ("error_rotate_role", &["keys", "rotate", "publishers-0"]),
        (
            "error_rotate_threshold",
            &["keys", "rotate", "root", "--threshold", "2"],
        ),
        ("error_rotate_keep", &["keys", "rotate", "root", "--keep", "zz"]),
        (
            "error_rotate_public",
            &["keys", "rotate", "root", "--public", "no key"],
        ),
        (
            "error_rotate_public_missing",
            &["keys", "rotate", "root", "--public", "@missing.json"],
        ),
        (
            "error_rotate_command",
            &["keys", "rotate", "root", "--command", "true"],
        ),
        ("error_revoke_publisher", &["keys", "revoke-publisher", "nobody"]),
    ];
    for (name, args) in cases {
        desk.snapshot(name, &desk.moult(args)?);
    }
    ensure!(
        desk.files("dist/repository")? == before,
        "something was published"
    );
    Ok(())
}

#[test]
fn publishers_come_and_go() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.moult(&["publish", "widget", "moult/clock"])?.done()?;
    desk.snapshot(
        "keys_add_publisher",
        &desk.moult(&["keys", "add-publisher", "acme"])?,
    );
    desk.snapshot(
        "keys_add_publisher_again",
        &desk.moult(&["keys", "add-publisher", "acme"])?,
    );
    desk.snapshot(
        "keys_revoke_publisher",
        &desk.moult(&["keys", "revoke-publisher", "moult"])?,
    );
    desk.snapshot(
        "error_publish_revoked",
        &desk.moult(&["publish", "widget", "moult/clock"])?,
    );
    Ok(())
}

#[test]
fn encrypted_keys_sign_with_their_passphrase_alone() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot("error_encrypt_no_passphrase", &desk.moult(&["keys", "encrypt"])?);
    desk.snapshot(
        "keys_encrypt",
        &desk.moult_with(&[PASSPHRASE], NOW, &["keys", "encrypt"])?,
    );
    for (name, bytes) in desk.files("keys")? {
        let text = String::from_utf8_lossy(&bytes);
        ensure!(!text.contains("\"secret\""), "{name} is in the clear");
    }
    // What only reads asks for nothing.
    desk.moult(&["keys", "list"])?.done()?;
    desk.snapshot("error_passphrase_needed", &desk.moult(&["resign"])?);
    let wrong = [("MOULT_PASSPHRASE", "correct house")];
    desk.snapshot(
        "error_passphrase_wrong",
        &desk.moult_with(&wrong, NOW, &["resign"])?,
    );
    let refused = desk.moult_with(&wrong, NOW, &["keys", "encrypt"])?;
    ensure!(refused.code == Some(1), "{refused}");
    desk.moult_with(&[PASSPHRASE], NOW, &["publish", "shell"])?
        .done()?;
    // A new key is closed like the others.
    desk.moult_with(&[PASSPHRASE], NOW, &["keys", "rotate", "app"])?
        .done()?;
    for name in key_files(&desk, "app")? {
        let file: Value = serde_json::from_slice(&desk.read(&format!("keys/{name}"))?)?;
        ensure!(file["sealed"]["kdf"] == "scrypt", "{name}");
    }
    Ok(())
}

#[test]
fn what_needs_keys_of_several_computers_waits_until_all_have_signed() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot("error_sign_nothing", &desk.moult(&["sign"])?);
    desk.moult(&["keys", "rotate", "root", "--make", "3", "--threshold", "2"])?
        .done()?;
    // Three computers: none of the root keys is here.
    let keys: Vec<_> = take(&desk, "root")?;
    let before = desk.files("dist/repository")?;
    desk.snapshot("sign_waits", &desk.moult(&["keys", "rotate", "targets"])?);
    ensure!(
        desk.files("dist/repository")? == before,
        "something was published"
    );
    desk.snapshot(
        "error_sign_one_at_a_time",
        &desk.moult(&["keys", "rotate", "targets"])?,
    );
    desk.snapshot("sign_look", &desk.moult(&["sign", "--look"])?);

    let give = |desk: &Desk, (name, bytes): &(String, Vec<u8>)| desk.write(&format!("keys/{name}"), bytes);
    // The oldest key does not count any more.
    let listed = desk.json(&["keys", "list"])?.to_string();
    let counting: Vec<_> = keys
        .iter()
        .filter(|(name, _)| {
            let id = name.split('.').nth(1).unwrap_or_default();
            listed.contains(id)
        })
        .collect();
    assert_eq!(counting.len(), 3);
    give(&desk, counting[0])?;
    desk.snapshot("sign_first", &desk.moult(&["sign"])?);
    take(&desk, "root")?;
    give(&desk, counting[2])?;
    desk.snapshot("sign_last", &desk.moult(&["sign"])?);
    ensure!(
        !desk.path("dist/repository.staged.json").exists(),
        "it is published"
    );
    ensure!(
        desk.path("dist/repository/metadata/3.root.json").exists(),
        "the new root"
    );
    desk.moult(&["keys", "list"])?.done()?;
    Ok(())
}

#[test]
fn a_file_that_nobody_staged_is_not_signed() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.write("other.json", "{}")?;
    desk.snapshot(
        "error_sign_shape",
        &desk.moult(&["sign", "--staged", "other.json"])?,
    );
    take(&desk, "root")?;
    desk.moult(&["keys", "rotate", "snapshot"])?.done()?;
    // Something else was published meanwhile.
    desk.moult(&["resign"])?.done()?;
    desk.snapshot("error_sign_outdated", &desk.moult(&["sign"])?);
    Ok(())
}

/// A builder without any key stages a release; who has the keys of releases signs it, then who has the online ones.
#[test]
fn a_release_that_was_built_without_keys_is_signed_elsewhere() -> Result<()> {
    let desk = Desk::with_keys()?;
    let path = format!("target/{TRIPLE}/app");
    let publish = |version| {
        [
            "publish",
            "app",
            "--stage",
            "--version",
            version,
            "--target",
            TRIPLE,
        ]
    };
    let app = desk.files("keys")?;
    for (name, bytes) in &app {
        let role = name.split('.').next().unwrap_or_default();
        let to = match role {
            "app" | "minisign" => "offline",
            "snapshot" | "timestamp" | "rollout" => "online",
            _ if name.starts_with("public/") => {
                for folder in ["builder", "offline", "online"] {
                    desk.write(&format!("{folder}/{name}"), bytes)?;
                }
                continue;
            }
            _ => continue,
        };
        desk.write(&format!("{to}/{name}"), bytes)?;
    }
    let public = "keys/public";
    desk.write(&path, executable(1, 50_000, 0))?;
    let with = |keys: &str| desk.configure("/keys", serde_json::json!(keys));
    let before = desk.files("dist/repository/metadata")?;

    with("builder")?;
    desk.snapshot("publish_staged", &desk.moult(&publish("0.1.0"))?);
    ensure!(desk.files("dist/repository/metadata")? == before, "it is visible");
    with("online")?;
    desk.snapshot("error_sign_minisign_first", &desk.moult(&["sign"])?);
    with("offline")?;
    desk.snapshot("sign_release", &desk.moult(&["sign"])?);
    ensure!(desk.files("dist/repository/metadata")? == before, "it is visible");
    with("online")?;
    desk.snapshot("sign_release_online", &desk.moult(&["sign"])?);
    let latest: Value = serde_json::from_slice(&desk.read("dist/repository/latest/stable.json")?)?;
    let signature = latest["platforms"]["linux-x86_64"]["signature"]
        .as_str()
        .context("a signature")?;
    let minisign = String::from_utf8(desk.read(&format!("{public}/minisign.pub"))?)?;
    let version = moult_model::Version::new(0, 1, 0);
    moult_trust::verify_signature(&minisign, signature, &desk.read(&path)?[..], &version)?;
    Ok(())
}
