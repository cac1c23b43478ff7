//! Row 8: what is wrong with an index, or with who lists it.

use moult_model::{Digest, Index};
use serde_json::{Value, json};

use super::Attack;
use super::metadata::newest;
use crate::support::{Files, Outcome, Site, TRIPLE, release, signed, subject};

/// A signed index of the application with these bytes, as a thief of the key `app` could make it.
fn signed_index(site: &Site, what: &str, bytes: &[u8]) -> Outcome<Attack> {
    let (length, digest) = (bytes.len(), Digest::of(bytes).to_string());
    let path = subject("app").index_path(TRIPLE);
    let mut files = site.forge(&[("app", &|role: &mut Value| {
        role["targets"][&path] = json!({ "length": length, "hashes": { "sha256": digest } });
    })])?;
    files.insert(
        format!("targets/app/{TRIPLE}/{digest}.index.json"),
        bytes.to_vec(),
    );
    Attack::new(what, site, files)
}

pub(super) fn changed_index(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let path = good
        .keys()
        .find(|path| path.starts_with(&format!("targets/app/{TRIPLE}/")));
    let path = path.cloned().ok_or("the executable has no index")?;
    let mut attacks = Vec::new();
    for place in 0..good[&path].len() {
        if place % 37 != 0 {
            continue;
        }
        let mut files = good.clone();
        files.entry(path.clone()).and_modify(|bytes| bytes[place] ^= 1);
        // Who has the right one does not ask.
        attacks.push(Attack::new(format!("the byte {place}"), site, files)?.before(Files::new()));
    }
    Ok(attacks)
}

pub(super) fn huge_index(site: &Site) -> Outcome<Vec<Attack>> {
    let bytes = vec![b' '; Index::MAX_BYTES as usize + 1];
    Ok(vec![signed_index(site, "", &bytes)?])
}

pub(super) fn index_of_another(site: &Site) -> Outcome<Vec<Attack>> {
    let table = [
        ("of the shell", Index::empty(subject("shell"), None)),
        (
            "of another target",
            Index::empty(subject("app"), Some("a-b-c".to_owned())),
        ),
        ("of no target", Index::empty(subject("app"), None)),
    ];
    let made = table.map(|(what, index)| signed_index(site, what, &serde_json::to_vec(&index)?));
    made.into_iter().collect()
}

pub(super) fn index_with_foreign_files(site: &Site) -> Outcome<Vec<Attack>> {
    let executable = subject("app");
    let mut attacks = Vec::new();
    for path in [
        "w/moult/notes/files/a.zst".to_owned(),
        format!("app/{TRIPLE}/files/../../../x"),
        "https://example.org/a.zst".to_owned(),
        "/etc/passwd".to_owned(),
    ] {
        let mut index = Index::empty(executable.clone(), Some(TRIPLE.to_owned()));
        let mut foreign = release(&executable, "9.0.0")?;
        foreign.full.path.clone_from(&path);
        index.releases.push(foreign);
        attacks.push(signed_index(site, &path, &serde_json::to_vec(&index)?)?);
    }
    Ok(attacks)
}

pub(super) fn foreign_paths(site: &Site) -> Outcome<Vec<Attack>> {
    let fake = b"not even an index".to_vec();
    let (length, digest) = (fake.len(), Digest::of(&fake).to_string());
    let target = json!({ "length": length, "hashes": { "sha256": digest } });
    let mut files = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        role["targets"]["w/moult/unknown/index.json"] = target.clone();
    })])?;
    files.insert(format!("targets/w/moult/unknown/{digest}.index.json"), fake);
    Ok(vec![Attack::new("", site, files)?.on("w/moult/unknown")])
}

pub(super) fn circle_of_delegations(site: &Site) -> Outcome<Vec<Attack>> {
    // A publisher delegates its own paths to itself, and to who delegates to it.
    let good = site.files()?;
    let mut attacks = Vec::new();
    let shard = good
        .keys()
        .filter(|path| path.contains(".publishers-"))
        .find(|path| {
            signed(&good, path).is_ok_and(|shard| shard.to_string().contains("\"publisher-hearth\""))
        })
        .and_then(|path| path.split('.').nth(1))
        .ok_or("nobody delegates to hearth")?
        .to_owned();
    let keys = signed(&good, &newest(&good, &shard)?)?["delegations"]["keys"].clone();
    let id = keys
        .as_object()
        .and_then(|keys| keys.keys().next().cloned())
        .unwrap_or_default();
    for role in ["publisher-hearth".to_owned(), shard] {
        let files = site.forge(&[("publisher-hearth", &|document: &mut Value| {
            document["delegations"] = json!({
                "keys": keys,
                "roles": [{ "name": role, "keyids": [id], "threshold": 1, "terminating": false,
                    "paths": ["w/hearth/*/index.json"] }],
            });
        })])?;
        attacks.push(Attack::new(format!("to {role}"), site, files)?.on("w/hearth/unknown"));
    }
    Ok(attacks)
}
