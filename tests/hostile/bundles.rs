//! The bundles of this suite, written as folders to be published.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

const ATTACKS: &str = include_str!("bundles/attacks.js");
const PROBE: &str = include_str!("bundles/probe.js");
const DOT: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#;

/// A hostile widget. `more` is added to its script, `permissions` is what it declares.
pub(crate) fn hostile(
    folder: &Path,
    name: &str,
    version: &str,
    permissions: &Value,
    more: &str,
) -> anyhow::Result<PathBuf> {
    let body = "<p>Hostile</p><input aria-label=\"field\">";
    let script = format!("{more}\n{ATTACKS}");
    bundle(folder, name, version, "Hostile", permissions, body, &script)
}

/// The good neighbour.
pub(crate) fn probe(folder: &Path) -> anyhow::Result<PathBuf> {
    bundle(folder, "probe", "1.0.0", "Probe", &json!([]), "<p>0</p>", PROBE)
}

fn bundle(
    folder: &Path,
    name: &str,
    version: &str,
    title: &str,
    permissions: &Value,
    body: &str,
    script: &str,
) -> anyhow::Result<PathBuf> {
    let folder = folder.join(format!("{name}-{version}"));
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let manifest = json!({
        "kind": "widget",
        "id": format!("w/moult/{name}"),
        "version": version,
        "name": title,
        "description": "For the tests.",
        "entry": { "ui": "index.html" },
        "host_api": { "min": 1, "max": 1 },
        "state": { "schema": 1, "reads_from": 1 },
        "sizes": ["m", "s", "l"],
        "permissions": permissions,
    });
    fs::write(folder.join("moult.json"), serde_json::to_vec_pretty(&manifest)?)?;
    let page = format!(
        "<!doctype html><meta charset=utf-8><body style=\"background:#fff\">{body}<script src=main.js></script>"
    );
    fs::write(folder.join("index.html"), page)?;
    fs::write(folder.join("main.js"), script)?;
    fs::write(folder.join("dot.svg"), DOT)?;
    Ok(folder)
}

/// The same attempts in a page without a sandbox, to be served by the probe.
pub(crate) fn control(base: &str) -> String {
    format!(
        "<!doctype html><meta charset=utf-8><body><script>{ATTACKS}</script><script>
        for (const [name, way] of Object.entries(ways)) {{
            if (name === 'refresh') continue;
            try {{ Promise.resolve(way('{base}' + name)).catch(() => {{}}); }} catch {{}}
        }}
        setTimeout(() => {{ location.href = '{base}navigate'; }}, 3000);
        </script>"
    )
}
