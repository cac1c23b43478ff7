//! Any bytes as a manifest.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use moult_model::bundle::values;
use moult_model::{Bundle, BundleManifest};
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = serde_json::from_slice::<BundleManifest>(data) else {
        return;
    };
    let text = serde_json::to_vec(&manifest).expect("a manifest can be written");
    serde_json::from_slice::<BundleManifest>(&text).expect("what was written can be read");
    let points = [Some(&manifest.entry.ui), manifest.entry.logic.as_ref(), manifest.icon.as_ref()];
    let files: BTreeMap<String, Vec<u8>> = points
        .into_iter()
        .flatten()
        .map(|path| (path.clone(), b"x".to_vec()))
        .collect();
    let Ok(bytes) = Bundle::pack(&manifest, &files) else {
        return;
    };
    let bundle = Bundle::parse(bytes).expect("what was packed can be read");
    let manifest = bundle.manifest();
    // What is promised of a manifest that was let in.
    assert!(manifest.host_api.min <= manifest.host_api.max);
    assert!(manifest.permissions.len() <= 32 && manifest.settings.len() <= 32);
    let chosen: Map<String, Value> = manifest
        .settings
        .keys()
        .map(|key| (key.clone(), Value::String("chosen".to_owned())))
        .collect();
    for chosen in [Map::new(), chosen] {
        let values = values(&manifest.settings, &chosen);
        assert_eq!(values.len(), manifest.settings.len());
        for (key, value) in &values {
            assert!(manifest.settings[key].admits(value), "{key} has a value that it does not admit");
        }
    }
    for setting in manifest.settings.values() {
        for language in ["en", "zh-Hans", ""] {
            assert!(!setting.title.in_language(language).is_empty());
        }
    }
});
