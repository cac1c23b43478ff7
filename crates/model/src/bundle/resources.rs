//! Whether two versions of a bundle differ in resources alone. Pure: two bundles go in, paths come out.

use super::{Bundle, BundleManifest};

/// The endings of files that run, or that say what runs.
const CODE: [&str; 6] = ["html", "htm", "js", "mjs", "cjs", "wasm"];

/// The paths of the files that differ, if none of them is code and the manifests agree in all that a running frame
/// was started with. `None`: the new version has to be loaded. A widget may go on with the code that it has if pictures,
/// styles, texts, names or settings are all that changed.
pub fn resources_between(old: &Bundle, new: &Bundle) -> Option<Vec<String>> {
    if essence(old.manifest()) != essence(new.manifest()) {
        return None;
    }
    let mut paths: Vec<&str> = old.paths().chain(new.paths()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| old.file(path) != new.file(path));
    let entries = [
        Some(&new.manifest().entry.ui),
        new.manifest().entry.logic.as_ref(),
    ];
    let is_code = |path: &&str| {
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        CODE.contains(&ending.as_str()) || entries.iter().flatten().any(|entry| entry == path)
    };
    let resources_alone = !paths.iter().any(is_code);
    resources_alone.then(|| paths.into_iter().map(str::to_owned).collect())
}

/// A manifest without what may change under a frame that goes on.
fn essence(manifest: &BundleManifest) -> BundleManifest {
    let mut essence = BundleManifest::new(
        manifest.kind,
        manifest.id.clone(),
        semver::Version::new(0, 0, 0),
        String::new(),
        manifest.entry.ui.clone(),
    );
    essence.entry.logic.clone_from(&manifest.entry.logic);
    essence.host_api = manifest.host_api;
    essence.state = manifest.state;
    essence.permissions.clone_from(&manifest.permissions);
    essence.whole_tile = manifest.whole_tile;
    essence.shadow.clone_from(&manifest.shadow);
    essence
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bundle::{BundleKind, Permission, StateSchema};

    type Change = fn(&mut BundleManifest);

    /// What changes, the files of the new version, its manifest, and the paths that are taken over, if any.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Change, Option<&'a [&'a str]>);

    fn bundle(version: &str, files: &[(&str, &str)], change: impl FnOnce(&mut BundleManifest)) -> Bundle {
        let id = "w/moult/photo".parse().unwrap();
        let mut manifest = BundleManifest::new(
            BundleKind::Widget,
            id,
            version.parse().unwrap(),
            "Photo",
            "index.html",
        );
        change(&mut manifest);
        let page = [("index.html", "page"), ("widget.js", "script")];
        let all = page.iter().chain(files);
        let files: BTreeMap<String, Vec<u8>> = all
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        Bundle::parse(Bundle::pack(&manifest, &files).unwrap()).unwrap()
    }

    #[test]
    fn pictures_styles_texts_and_names_are_taken_over_in_place_and_code_is_not() {
        let old = [("a.svg", "1"), ("widget.css", "1"), ("texts/en.json", "1")];
        let same = |_: &mut BundleManifest| {};
        let before = bundle("1.0.0", &old, same);
        let cases: [Case<'_>; 11] = [
            ("nothing", &old, |_| {}, Some(&[])),
            (
                "a picture",
                &[("a.svg", "2"), old[1], old[2]],
                |_| {},
                Some(&["a.svg"]),
            ),
            (
                "a text",
                &[old[0], old[1], ("texts/en.json", "2")],
                |_| {},
                Some(&["texts/en.json"]),
            ),
            (
                "one more, one less",
                &[old[0], old[1], ("b.svg", "1")],
                |_| {},
                Some(&["b.svg", "texts/en.json"]),
            ),
            (
                "the name",
                &old,
                |manifest| "Picture".clone_into(&mut manifest.name),
                Some(&[]),
            ),
            (
                "a script",
                &[old[0], old[1], old[2], ("widget.js", "2")],
                |_| {},
                None,
            ),
            (
                "a script in capitals",
                &[old[0], old[1], old[2], ("B.JS", "2")],
                |_| {},
                None,
            ),
            (
                "the page",
                &[old[0], old[1], old[2], ("index.html", "2")],
                |_| {},
                None,
            ),
            (
                "logic",
                &[old[0], old[1], old[2], ("logic.wasm", "2")],
                |_| {},
                None,
            ),
            (
                "a permission",
                &old,
                |manifest| manifest.permissions = vec![Permission::new("storage", "To keep.")],
                None,
            ),
            (
                "the schema",
                &old,
                |manifest| {
                    manifest.state = Some(StateSchema {
                        schema: 2,
                        reads_from: 1,
                    });
                },
                None,
            ),
        ];
        for (what, files, change, expected) in cases {
            let found = resources_between(&before, &bundle("1.0.1", files, change));
            let found: Option<Vec<&str>> = found
                .as_ref()
                .map(|paths| paths.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), expected, "{what}");
        }
    }
}
