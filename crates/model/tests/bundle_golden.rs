//! A bundle that is read for ever (`docs/bundle-format.md`), and whose bytes the packer still makes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use moult_model::bundle::{
    Bundle, BundleKind, BundleManifest, EntryPoints, HostApi, Permission, Size, StateSchema,
};

/// SHA-256 of the golden bundle: its identity, for ever.
const IDENTITY: &str = "dad187d4083014636fcbe306063b97f1392b4ca7d81fb6af84546ba8caf2a55e";

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden/format-1.bundle"]
        .iter()
        .collect()
}

fn manifest() -> Result<BundleManifest, Box<dyn Error>> {
    Ok(BundleManifest {
        kind: BundleKind::Widget,
        id: "w/golden/sample".parse()?,
        version: "1.2.3-beta.4+build.5".parse()?,
        name: "Sample \u{201c}\u{e4}\u{1f41b}\u{201d}".into(),
        description: "Uses every member of the manifest.".into(),
        entry: EntryPoints {
            ui: "index.html".into(),
            logic: Some("logic/sample.wasm".into()),
        },
        host_api: HostApi { min: 1, max: 2 },
        state: Some(StateSchema {
            schema: 3,
            reads_from: 2,
        }),
        permissions: vec![Permission::new("system.figures", "To show them.")],
        sizes: vec![Size::S, Size::L],
        whole_tile: true,
        ..BundleManifest::new(
            BundleKind::Widget,
            "w/golden/sample".parse()?,
            "1.0.0".parse()?,
            "Sample",
            "index.html",
        )
    })
}

fn files() -> BTreeMap<String, Vec<u8>> {
    let files: [(&str, &[u8]); 5] = [
        ("index.html", b"<!doctype html><title>Sample</title>"),
        ("assets/empty", b""),
        ("assets/A-z_0.9@2x+b.bin", &[0, 255, 10, 13]),
        ("assets.json", b"{}"),
        ("logic/sample.wasm", b"\0asm\x0d\0\x01\0"),
    ];
    files
        .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
        .into()
}

#[test]
fn the_golden_bundle_is_read() -> Result<(), Box<dyn Error>> {
    let bundle = Bundle::parse(fs::read(path())?)?;
    assert_eq!(bundle.digest().to_string(), IDENTITY);
    assert_eq!(*bundle.manifest(), manifest()?);
    let read: BTreeMap<_, _> = bundle
        .paths()
        .map(|path| (path.to_owned(), bundle.file(path).unwrap_or_default().to_vec()))
        .collect();
    assert_eq!(read, files());
    Ok(())
}

#[test]
fn the_packer_still_gives_the_golden_bytes() -> Result<(), Box<dyn Error>> {
    assert_eq!(Bundle::pack(&manifest()?, &files())?, fs::read(path())?);
    Ok(())
}

#[test]
fn a_later_format_is_its_own_error() -> Result<(), Box<dyn Error>> {
    let mut bytes = fs::read(path())?;
    bytes[8] = 2;
    let error = Bundle::parse(bytes).err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("the bundle has format 2; this host reads format 1")
    );
    Ok(())
}

#[test]
#[ignore = "writes the golden bundle if it is missing; an existing one is never changed"]
fn writes_the_missing_golden_bundle() -> Result<(), Box<dyn Error>> {
    if !path().exists() {
        fs::write(path(), Bundle::pack(&manifest()?, &files())?)?;
    }
    Ok(())
}
