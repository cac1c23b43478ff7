//! `moult widget new`: a folder with a widget that builds, is tested and keeps its state through a swap.
//!
//! The templates, the kit (`@moult/widget`) and, for logic, the guest crate with its WIT package are embedded in this
//! program and laid into the folder: a widget builds without a registry that has them, and with the very version of
//! the kit that this program checks against.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use moult_model::WidgetId;
use serde::Serialize;

use crate::PublishError;

/// A file of the templates or of the kit: its path below `sdk`, and its bytes.
type Embedded = (&'static str, &'static [u8]);

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// What to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// A page in TypeScript, without a framework
    VanillaTs,
    /// A page in Svelte
    Svelte,
    /// A page in TypeScript, and logic in Rust that goes on while the page is hidden
    RustLogic,
    /// The same, with its logic in TypeScript
    JsLogic,
}

/// A widget that was begun.
#[derive(Clone, Debug, Serialize)]
pub struct Begun {
    widget: String,
    folder: PathBuf,
    template: Template,
    files: usize,
}

/// Where a folder below `sdk` goes.
struct Layer {
    from: &'static str,
    to: &'static str,
}

const KIT: Layer = Layer {
    from: "kit",
    to: "vendor/moult-widget",
};

const WIT: Layer = Layer {
    from: "wit",
    to: "vendor/wit",
};

impl Template {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::VanillaTs, Self::Svelte, Self::RustLogic, Self::JsLogic];

    /// The name that the command line uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VanillaTs => "vanilla-ts",
            Self::Svelte => "svelte",
            Self::RustLogic => "rust-logic",
            Self::JsLogic => "js-logic",
        }
    }

    /// What it is put together of. A later layer replaces files of an earlier one.
    fn layers(self) -> Vec<Layer> {
        let layer = |from| Layer { from, to: "" };
        let mut layers = vec![KIT, layer("templates/common")];
        match self {
            Self::VanillaTs => layers.extend([
                layer("templates/counter"),
                layer("templates/page"),
                layer("templates/vanilla-ts"),
            ]),
            Self::Svelte => layers.extend([layer("templates/counter"), layer("templates/svelte")]),
            Self::RustLogic => layers.extend([
                layer("templates/page"),
                layer("templates/logic"),
                layer("templates/rust-logic"),
                Layer {
                    from: "rust",
                    to: "vendor/moult-guest",
                },
                WIT,
            ]),
            Self::JsLogic => layers.extend([
                layer("templates/counter"),
                layer("templates/page"),
                layer("templates/logic"),
                layer("templates/js-logic"),
                WIT,
            ]),
        }
        layers
    }

    /// Its files, by their path in the new folder.
    fn files(self) -> BTreeMap<String, &'static [u8]> {
        let mut files = BTreeMap::new();
        for Layer { from, to } in self.layers() {
            for &(path, bytes) in &EMBEDDED {
                let Some(inside) = path.strip_prefix(from).and_then(|rest| rest.strip_prefix('/')) else {
                    continue;
                };
                let path = if to.is_empty() {
                    // A `.gitignore` of its own would count in the tree of the templates.
                    if inside == "gitignore" {
                        ".gitignore".to_owned()
                    } else {
                        inside.to_owned()
                    }
                } else {
                    format!("{to}/{inside}")
                };
                files.insert(path, bytes);
            }
        }
        files
    }
}

/// Begins a widget in a folder that is not there yet, or empty.
pub fn begin(id: &WidgetId, template: Template, folder: &Path) -> Result<Begun, PublishError> {
    let is_taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || folder.is_file() {
        return Err(PublishError::FolderTaken {
            folder: folder.to_owned(),
        });
    }
    let files = template.files();
    for (path, bytes) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            moult_durable::create_dir_all(parent)?;
        }
        moult_durable::write_atomic(&path, &filled(bytes, id))?;
    }
    Ok(Begun {
        widget: id.to_string(),
        folder: folder.to_owned(),
        template,
        files: files.len(),
    })
}

/// A file with the names of the widget in it.
fn filled(bytes: &[u8], id: &WidgetId) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return bytes.to_vec();
    };
    text.replace("{{PUBLISHER}}", id.publisher())
        .replace("{{NAME}}", id.name())
        .replace("{{TITLE}}", &title(id.name()))
        .into_bytes()
}

/// `water-glass` as `Water glass`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "widget    w/{}", self.widget)?;
        writeln!(f, "template  {}", self.template.name())?;
        writeln!(f, "folder    {}, {} files", self.folder.display(), self.files)?;
        writeln!(f)?;
        writeln!(f, "Next, in that folder:")?;
        writeln!(f, "  npm install")?;
        writeln!(f, "  npm run build")?;
        write!(f, "  moult widget dev      shows it in the running Moult")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn names_become_titles() {
        for (name, expected) in [
            ("water", "Water"),
            ("water-glass", "Water glass"),
            ("2048", "2048"),
        ] {
            assert_eq!(title(name), expected);
        }
    }

    #[test]
    fn every_template_has_its_parts_and_no_name_is_left_to_fill() {
        let id: WidgetId = "acme/tide-table".parse().unwrap();
        for template in Template::ALL {
            let files = template.files();
            for needed in [
                "README.md",
                "moult.json",
                "package.json",
                "icon.svg",
                ".gitignore",
                "vendor/moult-widget/package.json",
                "vendor/moult-widget/src/index.ts",
                "vendor/moult-widget/src/widget.css",
            ] {
                assert!(files.contains_key(needed), "{} has no {needed}", template.name());
            }
            for (path, bytes) in files {
                let text = String::from_utf8(filled(bytes, &id)).unwrap();
                let left = ["{{NAME}}", "{{PUBLISHER}}", "{{TITLE}}"];
                assert!(!left.iter().any(|name| text.contains(name)), "{path}");
            }
        }
    }
}
