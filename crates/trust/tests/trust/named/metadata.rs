//! Row 8: metadata that is forged, replayed, put together or malformed.

use moult_trust::sign::KeyChange;
use serde_json::{Value, json};

use super::Attack;
use crate::support::{Files, Outcome, Site, at, restore, signed};

const TIMESTAMP: &str = "metadata/timestamp.json";

/// The newest file of a role.
pub(super) fn newest(files: &Files, role: &str) -> Outcome<String> {
    let end = format!(".{role}.json");
    let version = |path: &String| {
        let name = path.strip_prefix("metadata/")?.strip_suffix(&end)?;
        name.parse::<u64>().ok()
    };
    let found = files.keys().max_by_key(|path| version(path)).cloned();
    let found = found.filter(|path| version(path).is_some());
    found.ok_or_else(|| format!("there is no metadata of {role}").into())
}

/// Changes a file as JSON: signatures and all.
fn envelope(files: &mut Files, path: &str, edit: impl FnOnce(&mut Value)) -> Outcome {
    let bytes = files.get_mut(path).ok_or_else(|| format!("there is no {path}"))?;
    let mut value = serde_json::from_slice(bytes)?;
    edit(&mut value);
    *bytes = serde_json::to_vec(&value)?;
    Ok(())
}

fn with(files: &Files, path: &str, bytes: Vec<u8>) -> Files {
    let mut files = files.clone();
    files.insert(path.to_owned(), bytes);
    files
}

/// The metadata that a check of the application reads, each named.
fn needed(files: &Files) -> Outcome<Vec<String>> {
    let mut paths = vec![TIMESTAMP.to_owned()];
    for role in ["snapshot", "targets", "app"] {
        paths.push(newest(files, role)?);
    }
    Ok(paths)
}

pub(super) fn wrong_key(site: &Site) -> Outcome<Vec<Attack>> {
    let (other, good) = (Site::new()?, site.files()?);
    // A thief who has another repository's key, and may call it as he likes.
    let theirs = other.files()?;
    let mut disguised = with(&good, TIMESTAMP, theirs[TIMESTAMP].clone());
    let id = signed(&good, "metadata/1.root.json")?["roles"]["timestamp"]["keyids"][0].clone();
    envelope(&mut disguised, TIMESTAMP, |file| {
        file["signatures"][0]["keyid"] = id;
    })?;
    Ok(vec![
        Attack::new(
            "by its own name",
            site,
            with(&good, TIMESTAMP, theirs[TIMESTAMP].clone()),
        )?,
        Attack::new("by the name of ours", site, disguised)?,
    ])
}

/// Two keys must sign the timestamp.
fn two_for_the_timestamp(site: &Site) -> Outcome {
    let mut editor = site.editor()?;
    let two = KeyChange {
        make: 2,
        threshold: 2,
        ..KeyChange::default()
    };
    editor.change_keys("timestamp", &two)?;
    editor.commit(at(0))?;
    // Once more, now without the keys that are gone.
    editor.resign(at(0))?;
    Ok(())
}

pub(super) fn below_threshold(site: &Site) -> Outcome<Vec<Attack>> {
    two_for_the_timestamp(site)?;
    let mut attacks = Vec::new();
    for place in [0, 1] {
        let mut files = site.files()?;
        envelope(&mut files, TIMESTAMP, |file| {
            let signatures = file["signatures"].as_array_mut();
            signatures.map(|signatures| signatures.remove(place));
        })?;
        attacks.push(Attack::new(
            format!("without the signature {place}"),
            site,
            files,
        )?);
    }
    Ok(attacks)
}

pub(super) fn one_key_signs_twice(site: &Site) -> Outcome<Vec<Attack>> {
    two_for_the_timestamp(site)?;
    let mut files = site.files()?;
    envelope(&mut files, TIMESTAMP, |file| {
        file["signatures"][1] = file["signatures"][0].clone();
    })?;
    Ok(vec![Attack::new("", site, files)?])
}

pub(super) fn one_key_by_two_ids(site: &Site) -> Outcome<Vec<Attack>> {
    // A root that was made so that two keys seem to be needed and one is enough.
    let good = site.files()?;
    let root_key = signed(&good, "metadata/1.root.json")?["roles"]["root"]["keyids"][0].clone();
    let root_key = root_key.as_str().unwrap_or_default().to_owned();
    let mut root = signed(&good, "metadata/1.root.json")?;
    root["version"] = json!(2);
    let first = root["roles"]["timestamp"]["keyids"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    root["keys"]["second"] = root["keys"][&first].clone();
    root["roles"]["timestamp"] = json!({ "keyids": [first, "second"], "threshold": 2 });
    let mut files = good.clone();
    let bytes = site.keys.sign_metadata("root", &[root_key], &root)?;
    files.insert("metadata/2.root.json".to_owned(), bytes);
    envelope(&mut files, TIMESTAMP, |file| {
        let mut again = file["signatures"][0].clone();
        again["keyid"] = json!("second");
        if let Some(signatures) = file["signatures"].as_array_mut() {
            signatures.push(again);
        }
    })?;
    let attack = Attack::new("", site, files.clone())?;
    // It was a mistake, and is mended by a root that is better.
    restore(&site.repository(), &files)?;
    site.replace_keys(&["timestamp"])?;
    Ok(vec![attack])
}

pub(super) fn older_metadata_replayed(site: &Site) -> Outcome<Vec<Attack>> {
    let old = site.files()?;
    site.publish("app", "1.1.0")?;
    let released = site.files()?;
    site.editor()?.resign(at(1))?;
    Ok(vec![
        Attack::new("from before a release", site, old)?.seen_before(),
        Attack::new("from before a renewal", site, released)?.seen_before(),
    ])
}

pub(super) fn expired_metadata(site: &Site) -> Outcome<Vec<Attack>> {
    let past = |document: &mut Value| document["expires"] = json!("2020-01-01T00:00:00Z");
    let mut attacks = Vec::new();
    for role in ["timestamp", "snapshot", "targets", "app"] {
        attacks.push(Attack::new(role, site, site.forge(&[(role, &past)])?)?);
    }
    let good = site.files()?;
    let mut root = signed(&good, "metadata/1.root.json")?;
    let id = root["roles"]["root"]["keyids"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    root["version"] = json!(2);
    past(&mut root);
    let bytes = site.keys.sign_metadata("root", &[id], &root)?;
    let with_root = with(&good, "metadata/2.root.json", bytes);
    attacks.push(Attack::new("root", site, with_root.clone())?);
    // Nobody has to forge anything: it is enough to serve the same for long.
    let frozen = Attack::new("served for ever", site, good)?;
    attacks.push(Attack { now: at(8), ..frozen });
    // A root that has ended can't be taken back, only followed by a better one.
    restore(&site.repository(), &with_root)?;
    site.replace_keys(&["root"])?;
    Ok(attacks)
}

pub(super) fn mix_and_match(site: &Site) -> Outcome<Vec<Attack>> {
    let old = site.files()?;
    site.replace_keys(&["app"])?;
    let new = site.files()?;
    let mut attacks = Vec::new();
    for role in ["snapshot", "targets", "app"] {
        let files = with(&new, &newest(&new, role)?, old[&newest(&old, role)?].clone());
        attacks.push(Attack::new(format!("old {role}"), site, files)?.before(old.clone()));
    }
    Ok(attacks)
}

pub(super) fn gap_in_the_roots(site: &Site) -> Outcome<Vec<Attack>> {
    let before = site.files()?;
    site.replace_keys(&["root"])?;
    site.replace_keys(&["root"])?;
    let files = site.files()?;
    let third = files["metadata/3.root.json"].clone();
    let served = with(&files, "metadata/2.root.json", third);
    Ok(vec![Attack::new("", site, served)?.before(before)])
}

pub(super) fn hole_in_the_roots(site: &Site) -> Outcome<Vec<Attack>> {
    let before = site.files()?;
    site.replace_keys(&["root", "timestamp"])?;
    site.replace_keys(&["root", "timestamp"])?;
    let mut served = site.files()?;
    served.remove("metadata/2.root.json");
    Ok(vec![Attack::new("", site, served)?.before(before)])
}

pub(super) fn root_by_nobody(site: &Site) -> Outcome<Vec<Attack>> {
    // It names itself in all places, and is signed as it demands.
    let other = Site::new()?;
    other.replace_keys(&["root"])?;
    let mut served = site.files()?;
    served.extend(other.files()?);
    Ok(vec![Attack::new("", site, served)?])
}

pub(super) fn replaced_key(site: &Site) -> Outcome<Vec<Attack>> {
    let stolen = site.forge(&[("timestamp", &|role: &mut Value| {
        role["version"] = json!(1000);
    })])?;
    site.replace_keys(&["timestamp"])?;
    let served = with(&site.files()?, TIMESTAMP, stolen[TIMESTAMP].clone());
    Ok(vec![Attack::new("", site, served)?])
}

pub(super) fn huge_metadata(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let mut paths = needed(&good)?;
    paths.push("metadata/2.root.json".to_owned());
    let mut attacks = Vec::new();
    for path in paths {
        // Right in every other way: white space is part of no signature.
        let mut bytes = good.get(&path).cloned().unwrap_or_else(|| b"{}".to_vec());
        bytes.resize(10 * 1024 * 1024, b' ');
        // Whoever has seen the good one does not ask again for what has its version in its name.
        let attack = Attack::new(path.as_str(), site, with(&good, &path, bytes))?;
        attacks.push(if good.contains_key(&path) && path != TIMESTAMP {
            attack.before(Files::new())
        } else {
            attack
        });
    }
    Ok(attacks)
}

/// A file with something put in behind its first bracket: outside of what is signed.
fn inserted(files: &Files, path: &str, text: &str) -> Files {
    let bytes = files.get(path).cloned().unwrap_or_default();
    let rest = bytes.get(1..).unwrap_or_default();
    with(files, path, [b"{", text.as_bytes(), b",", rest].concat())
}

pub(super) fn nested_metadata(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let mut attacks = Vec::new();
    for path in needed(&good)? {
        // As deep as the largest timestamp can be, and 10,000 elsewhere.
        let depth = if path == TIMESTAMP { 7_500 } else { 10_000 };
        let nest = format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth));
        let attack = Attack::new(path.as_str(), site, inserted(&good, &path, &nest))?;
        attacks.push(if path == TIMESTAMP {
            attack
        } else {
            attack.before(Files::new())
        });
    }
    Ok(attacks)
}

pub(super) fn field_twice(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let mut attacks = Vec::new();
    for path in needed(&good)? {
        let text = String::from_utf8(good[&path].clone())?;
        // What stands there last has the right signature; another parser may believe what stands there first.
        let twice = text.replace("\"version\":", "\"version\":9000,\"version\":");
        assert_ne!(twice, text);
        let attack = Attack::new(path.as_str(), site, with(&good, &path, twice.into_bytes()))?;
        attacks.push(if path == TIMESTAMP {
            attack
        } else {
            attack.before(Files::new())
        });
    }
    Ok(attacks)
}

pub(super) fn one_role_for_another(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let snapshot = newest(&good, "snapshot")?;
    let table = [
        (TIMESTAMP.to_owned(), snapshot.clone()),
        (snapshot, newest(&good, "targets")?),
        (newest(&good, "targets")?, TIMESTAMP.to_owned()),
    ];
    let mut attacks = Vec::new();
    for (place, taken) in table {
        let attack = Attack::new(
            format!("{taken} as {place}"),
            site,
            with(&good, &place, good[&taken].clone()),
        )?;
        attacks.push(if place == TIMESTAMP {
            attack
        } else {
            attack.before(Files::new())
        });
    }
    Ok(attacks)
}

pub(super) fn later_specification(site: &Site) -> Outcome<Vec<Attack>> {
    let later = |document: &mut Value| document["spec_version"] = json!("2.0.0");
    let mut attacks = Vec::new();
    for role in ["timestamp", "snapshot", "targets", "app"] {
        attacks.push(Attack::new(role, site, site.forge(&[(role, &later)])?)?);
    }
    Ok(attacks)
}

pub(super) fn fraction_for_a_version(site: &Site) -> Outcome<Vec<Attack>> {
    let good = site.files()?;
    let mut attacks = Vec::new();
    for version in ["1.5", "1e300"] {
        let text = String::from_utf8(good[TIMESTAMP].clone())?;
        let at_place = text.rfind("\"version\":").unwrap_or_default();
        let (start, end) = text.split_at(at_place + "\"version\":".len());
        let end = end.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let changed = format!("{start}{version}{end}").into_bytes();
        attacks.push(Attack::new(version, site, with(&good, TIMESTAMP, changed))?);
    }
    Ok(attacks)
}

pub(super) fn role_taken_from_the_snapshot(site: &Site) -> Outcome<Vec<Attack>> {
    let without = site.forge(&[("snapshot", &|snapshot: &mut Value| {
        if let Some(meta) = snapshot["meta"].as_object_mut() {
            meta.remove("app.json");
        }
    })])?;
    Ok(vec![Attack::new("", site, without)?.seen_before()])
}
