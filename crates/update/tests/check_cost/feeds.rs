//! What others fetch at each check, with the same releases: the static file of Tauri's updater, and a feed in the
//! shape of Velopack's (`releases.CHANNEL.json`, one for each channel and platform, all assets that are kept).

use moult_model::Digest;
use serde_json::{Value, json};

use crate::server::zip;
use crate::site::{NOTES, RELEASES, SIGNATURE_LENGTH, TRIPLES, noise, version};

/// Their sizes in bytes, as they are and packed.
pub(crate) fn sizes() -> Value {
    let with_notes = feed(true);
    let without = feed(false);
    let size =
        |what: &str, bytes: &[u8]| json!({ "what": what, "bytes": bytes.len(), "packed": zip(bytes).len() });
    json!([
        size("`latest.json` of Tauri, six platforms", &latest()),
        size(
            "feed in the shape of Velopack's, one platform, without notes",
            &without
        ),
        size("the same with notes", &with_notes),
    ])
}

fn latest() -> Vec<u8> {
    let version = version(RELEASES);
    let platforms: serde_json::Map<String, Value> = TRIPLES
        .iter()
        .map(|triple| {
            let digest = Digest::of(triple.as_bytes());
            let platform = json!({
                "signature": noise(triple, SIGNATURE_LENGTH),
                "url": format!("https://updates.moult.example/targets/app/{triple}/files/{digest}.bin"),
            });
            ((*triple).to_owned(), platform)
        })
        .collect();
    let latest = json!({
        "version": version,
        "notes": NOTES,
        "pub_date": "2026-11-21T08:30:00Z",
        "platforms": platforms,
    });
    serde_json::to_vec(&latest).unwrap()
}

fn feed(with_notes: bool) -> Vec<u8> {
    let asset = |number: u64, kind: &str| {
        let version = version(number);
        let digest = Digest::of(format!("{number} {kind}").as_bytes())
            .to_string()
            .to_uppercase();
        let mut asset = json!({
            "PackageId": "Moult",
            "Version": version,
            "Type": kind,
            "FileName": format!("Moult-{version}-{}.nupkg", kind.to_lowercase()),
            "SHA1": &digest[..40],
            "SHA256": digest,
            "Size": 9_231_001 + number,
        });
        if with_notes {
            asset["NotesMarkdown"] = NOTES.into();
            asset["NotesHtml"] = format!("<ul><li>{}</li></ul>", NOTES.replace("\n- ", "</li><li>")).into();
        }
        asset
    };
    let assets: Vec<Value> = (1..=RELEASES)
        .rev()
        .flat_map(|number| [asset(number, "Full"), asset(number, "Delta")])
        .collect();
    serde_json::to_vec(&json!({ "Assets": assets })).unwrap()
}
