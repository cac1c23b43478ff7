//! Any bytes as a bundle, and any manifest and files as one whose lengths and digests are right.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use moult_model::{Bundle, Digest};

fuzz_target!(|data: &[u8]| {
    read(data);
    // The first byte says how many parts follow; a part is its length and its bytes. The first part is the manifest,
    // then come paths and files in turn. So a mutation gets past the digests, which it could never guess.
    if let Some(container) = container(data) {
        read(&container);
    }
});

fn read(bytes: &[u8]) {
    let Ok(bundle) = Bundle::parse(bytes) else { return };
    let files: BTreeMap<String, Vec<u8>> = bundle
        .paths()
        .map(|path| (path.to_owned(), bundle.file(path).expect("it was listed").to_vec()))
        .collect();
    for path in files.keys() {
        assert!(!path.starts_with('/') && !path.contains("..") && !path.contains('\\') && path.is_ascii());
    }
    assert!(files.contains_key(&bundle.manifest().entry.ui));
    // What can be read can be written, and reads the same.
    let again = Bundle::pack(bundle.manifest(), &files).expect("what was read can be packed");
    let again = Bundle::parse(again).expect("what was packed can be read");
    assert_eq!(again.manifest(), bundle.manifest());
    assert!(again.paths().eq(bundle.paths()));
    assert!(again.paths().all(|path| again.file(path) == bundle.file(path)));
}

fn container(data: &[u8]) -> Option<Vec<u8>> {
    let (count, mut rest) = data.split_first()?;
    let mut parts = Vec::new();
    for _ in 0..*count {
        let length = usize::from(u16::from_le_bytes(rest.get(..2)?.try_into().ok()?));
        parts.push(rest.get(2..2 + length)?);
        rest = &rest[2 + length..];
    }
    let (manifest, files) = parts.split_first()?;
    let manifest = std::str::from_utf8(manifest).ok()?;
    let mut entries = Vec::new();
    let mut bytes = Vec::new();
    for pair in files.chunks_exact(2) {
        let path = serde_json::to_string(std::str::from_utf8(pair[0]).ok()?).ok()?;
        let digest = Digest::of(pair[1]);
        entries.push(format!(
            "{{\"path\":{path},\"size\":{},\"sha256\":\"{digest}\"}}",
            pair[1].len()
        ));
        bytes.extend_from_slice(pair[1]);
    }
    let table = format!("{{\"manifest\":{manifest},\"entries\":[{}]}}", entries.join(","));
    let mut container = b"MOULTBDL\x01\0\0\0".to_vec();
    container.extend_from_slice(&(table.len() as u32).to_le_bytes());
    container.extend_from_slice(table.as_bytes());
    container.extend_from_slice(&bytes);
    Some(container)
}
