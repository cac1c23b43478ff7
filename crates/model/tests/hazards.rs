//! The attacks on bundles that have a name and a folder: `tests/hazards/NAME/hazard.toml`. A bundle is one file and is never unpacked,
//! so what is left of the attacks on archives is what a table of entries can say.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use moult_model::bundle::{Bundle, BundleKind, BundleManifest};
use moult_model::{Digest, ErrorCode};
use serde::Deserialize;
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hazard {
    row: u8,
    package: String,
    attack: String,
    refused: ErrorCode,
    because: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hazards")
}

fn hazard(name: &str) -> Outcome<Hazard> {
    Ok(toml::from_str(&fs::read_to_string(
        folder().join(name).join("hazard.toml"),
    )?)?)
}

fn good() -> Outcome<Vec<u8>> {
    let manifest = BundleManifest::new(
        BundleKind::Widget,
        "w/moult/notes".parse()?,
        "1.0.0".parse()?,
        "Notes",
        "index.html",
    );
    let files = [("a/b.js", "1"), ("index.html", "<p>")];
    let files: BTreeMap<_, _> = files
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into();
    Ok(Bundle::pack(&manifest, &files)?)
}

/// The good bundle with another table; the bytes of its entries stay.
fn with_table(edit: impl FnOnce(&mut Value)) -> Outcome<Vec<u8>> {
    let good = good()?;
    let length = u32::from_le_bytes(good[12..16].try_into()?) as usize;
    let mut table: Value = serde_json::from_slice(&good[16..16 + length])?;
    edit(&mut table);
    let table = serde_json::to_vec(&table)?;
    let new_length = (table.len() as u32).to_le_bytes();
    Ok([&good[..12], &new_length, &table, &good[16 + length..]].concat())
}

fn entry(path: &str, bytes: &[u8]) -> Value {
    json!({ "path": path, "size": bytes.len(), "sha256": Digest::of(bytes) })
}

/// The good bundle whose first entry has another path.
fn with_path(path: &str) -> Outcome<(String, Vec<u8>)> {
    let bundle = with_table(|table| table["entries"][0]["path"] = json!(path))?;
    Ok((path.to_owned(), bundle))
}

/// Bundles that are refused alike.
fn attack(name: &str) -> Outcome<Vec<(String, Vec<u8>)>> {
    let one = |bundle: Outcome<Vec<u8>>| Ok(vec![(String::new(), bundle?)]);
    let paths = |paths: &[&str]| paths.iter().map(|path| with_path(path)).collect();
    match name {
        "bundle-path-up" => paths(&["../b.js", "a/../../b.js", "..", "a/..", "a/./b.js"]),
        "bundle-path-absolute" => paths(&["/b.js", "//server/b.js", "/"]),
        "bundle-path-of-windows" => paths(&[
            "C:b.js",
            "C:\\b.js",
            "\\\\server\\share\\b.js",
            "\\b.js",
            "a\\..\\..\\b.js",
        ]),
        "bundle-stream" => paths(&["a.js:hidden", "a.js::$DATA", "a.js."]),
        "bundle-link" => {
            let field = |field: &str| -> Outcome<_> {
                let bundle = with_table(|table| table["entries"][0][field] = json!("/etc/passwd"))?;
                Ok((field.to_owned(), bundle))
            };
            ["link", "mode", "device"].into_iter().map(field).collect()
        }
        "bundle-bomb" => {
            let size = |size: u64| -> Outcome<_> {
                let bundle = with_table(|table| table["entries"][1]["size"] = json!(size))?;
                Ok((size.to_string(), bundle))
            };
            [10 << 30, 1 << 63, u64::MAX].into_iter().map(size).collect()
        }
        "bundle-many-entries" => one(with_table(|table| {
            let entries = (0..=Bundle::MAX_ENTRIES).map(|number| entry(&format!("f{number:05}"), b""));
            table["entries"] = entries.collect();
        })),
        "bundle-huge-table" => {
            let mut bundle = good()?;
            bundle[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
            one(Ok(bundle))
        }
        "bundle-entry-twice" => one(with_table(|table| {
            table["entries"][1]["path"] = table["entries"][0]["path"].clone();
        })),
        "bundle-overlapping-entries" => one(with_table(|table| {
            // The second begins where the first begins: there is no way to say so but bytes that are missing.
            table["entries"] = json!([entry("a", b"1<p>"), entry("index.html", b"<p>")]);
        })),
        "bundle-changed-entry" => {
            let mut bundle = good()?;
            let last = bundle.len() - 1;
            bundle[last] ^= 1;
            one(Ok(bundle))
        }
        "bundle-hidden-bytes" => one(Ok([good()?, b"more".to_vec()].concat())),
        _ => Err(format!("nobody knows how to make {name}").into()),
    }
}

fn all_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[test]
fn each_attack_on_a_bundle_is_refused_for_its_own_reason() -> Outcome {
    assert!(Bundle::parse(good()?).is_ok() && Bundle::parse(with_table(|_| {})?).is_ok());
    let mut met = BTreeSet::new();
    for folder in fs::read_dir(folder())? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let name = folder.file_name().to_string_lossy().into_owned();
        let hazard = hazard(&name)?;
        if hazard.package != "moult-model" {
            continue;
        }
        assert_eq!(
            (hazard.row, hazard.refused),
            (11, ErrorCode::BundleInvalid),
            "{name}"
        );
        assert!(hazard.attack.ends_with('.'), "{name}");
        for (what, bundle) in attack(&name)? {
            match Bundle::parse(bundle) {
                Ok(_) => return Err(format!("{name}, {what}: it was believed").into()),
                Err(error) => {
                    let text = all_of(&error);
                    assert!(text.contains(&hazard.because), "{name}, {what}: {text}");
                }
            }
        }
        met.insert(name);
    }
    assert_eq!(met.len(), 12, "{met:?}");
    Ok(())
}
