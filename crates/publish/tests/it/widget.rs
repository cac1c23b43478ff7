//! `moult widget`: what is found in a widget, how it is packed, and that each template builds and passes.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Desk, Ran};

/// A widget that nothing is to be said of.
fn good() -> Value {
    json!({
        "kind": "widget", "id": "w/acme/tide", "version": "1.0.0", "name": "Tide", "description": "The tide.",
        "entry": { "ui": "index.html" }, "host_api": { "min": 1, "max": 1 },
        "state": { "schema": 2, "reads_from": 1 },
        "permissions": [{ "capability": "network", "reason": "To ask for the tide.", "hosts": ["example.org"] }],
        "sizes": ["s"], "locales": ["en", "zh"], "icon": "icon.svg",
        "settings": { "port": { "kind": "text", "title": { "en": "Port", "zh": "港口" }, "default": "" } },
    })
}

const PAGE: &str = "<!doctype html>\n<link rel=\"stylesheet\" href=\"widget.css\">\n\
                    <script src=\"widget.js\" defer crossorigin></script>\n";
const SCRIPT: &str = "connect({ schema: 2, migrate: { 1: (data) => data } });\n\
                      host.call(\"network.fetch\", { url: settings[\"port\"] });\n";
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>";

/// Writes the good widget with one thing changed in its manifest or one file written otherwise.
fn widget(change: impl FnOnce(&mut Value), file: Option<(&str, &str)>) -> Result<Desk> {
    let desk = Desk::new()?;
    let mut manifest = good();
    change(&mut manifest);
    desk.write("tide/moult.json", serde_json::to_string_pretty(&manifest)?)?;
    for (path, text) in [
        ("index.html", PAGE),
        ("widget.js", SCRIPT),
        ("widget.css", "p{}"),
        ("icon.svg", ICON),
    ] {
        desk.write(&format!("tide/{path}"), text)?;
    }
    if let Some((path, text)) = file {
        desk.write(&format!("tide/{path}"), text)?;
    }
    Ok(desk)
}

/// Level, rule and place of each finding, as JSON tells them.
fn findings(desk: &Desk) -> Result<Vec<String>> {
    let ran = desk.moult(&["widget", "check", "tide", "--json"])?;
    let said: Value = serde_json::from_str(&ran.stdout).with_context(|| ran.stdout.clone())?;
    let found = if ran.code == Some(0) {
        &said
    } else {
        &said["details"]
    };
    ensure!(
        (ran.code == Some(0)) == (found["faults"] == 0),
        "{:?} with {said}",
        ran.code
    );
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = found["findings"].as_array().context("findings")?;
    for finding in findings {
        ensure!(
            text(&finding["what"]).len() > 10 && text(&finding["mend"]).len() > 10,
            "too few words: {finding}"
        );
    }
    Ok(findings
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                text(&one["level"]),
                text(&one["rule"]),
                text(&one["place"])
            )
        })
        .collect())
}

#[test]
fn of_a_good_widget_nothing_is_said() -> Result<()> {
    let desk = widget(|_| (), None)?;
    assert_eq!(findings(&desk)?, [""; 0]);
    desk.snapshot("widget_check", &desk.moult(&["widget", "check", "tide"])?);
    Ok(())
}

#[test]
fn each_rule_of_the_manifest_says_where_it_is_broken() -> Result<()> {
    type Change = fn(&mut Value);
    let cases: [(Change, &[&str]); 22] = [
        (|m| m["colour"] = json!("red"), &["fault manifest "]),
        (|m| m["name"] = json!(""), &["fault manifest moult.json"]),
        (
            |m| m["host_api"] = json!({ "min": 2, "max": 3 }),
            &["fault host_api moult.json: host_api"],
        ),
        (
            |m| m["host_api"]["max"] = json!(7),
            &["doubt host_api moult.json: host_api"],
        ),
        (
            |m| m["permissions"][0]["capability"] = json!("networking"),
            &[
                "fault manifest moult.json",
                "fault permission_unknown moult.json: permissions[0]",
                "fault permission_missing widget.js:2",
            ],
        ),
        (
            |m| m["permissions"] = json!([]),
            &["fault permission_missing widget.js:2"],
        ),
        (
            |m| {
                let storage = json!({ "capability": "storage", "reason": "To keep." });
                if let Some(permissions) = m["permissions"].as_array_mut() {
                    permissions.push(storage);
                }
            },
            &["doubt permission_unused moult.json: permissions[1]"],
        ),
        (
            |m| m["state"] = json!({ "schema": 3, "reads_from": 3 }),
            &["fault state_schema widget.js:1"],
        ),
        (
            |m| m["state"] = json!({ "schema": 2, "reads_from": 0 }),
            &["fault state_migrations moult.json: state.reads_from"],
        ),
        (|m| m["state"] = Value::Null, &["doubt state widget.js:1"]),
        (
            |m| m["description"] = json!(""),
            &["doubt description moult.json: description"],
        ),
        (|m| m["sizes"] = json!([]), &["doubt sizes moult.json: sizes"]),
        (
            |m| m["sizes"] = json!(["s", "s"]),
            &["doubt sizes moult.json: sizes"],
        ),
        (
            |m| m["locales"] = json!([]),
            &["doubt locales moult.json: locales"],
        ),
        (
            |m| m["locales"] = json!(["en", "english language"]),
            &[
                "fault locales moult.json: locales[1]",
                "doubt untranslated moult.json: settings.port.title",
            ],
        ),
        (
            |m| m["locales"] = json!(["en", "zh-Hans", "fr"]),
            &["doubt untranslated moult.json: settings.port.title"],
        ),
        (
            |m| {
                m["settings"]["depth"] = json!({ "kind": "switch", "title": "Depth", "default": true });
            },
            &["doubt setting_unread moult.json: settings.depth"],
        ),
        (
            |m| m["settings"]["port"]["default"] = json!(7),
            &["fault manifest moult.json"],
        ),
        (|m| m["icon"] = Value::Null, &["doubt icon moult.json: icon"]),
        (
            |m| m["icon"] = json!("gone.svg"),
            &["fault missing_file gone.svg"],
        ),
        (|m| m["icon"] = json!("widget.css"), &["fault icon widget.css"]),
        (
            |m| m["entry"]["ui"] = json!("gone.html"),
            &["fault missing_file gone.html"],
        ),
    ];
    for (change, expected) in cases {
        let found = findings(&widget(change, None)?)?;
        // Where an unknown member stands is the affair of how the manifest was written here.
        let found: BTreeSet<_> = found
            .iter()
            .map(|line| match line.split_once("moult.json:") {
                Some((rule, at)) if at.starts_with(|first: char| first.is_ascii_digit()) => rule,
                _ => &**line,
            })
            .collect();
        assert_eq!(found, expected.iter().copied().collect::<BTreeSet<_>>());
    }
    Ok(())
}

#[test]
fn each_rule_of_the_files_says_where_it_is_broken() -> Result<()> {
    let large = format!("<svg viewBox=\"0 0 1 1\">{}</svg>", " ".repeat(200_000));
    let cases: [(&str, &str, &[&str]); 16] = [
        (
            "index.html",
            "<p>\n<script>alert(1)</script>",
            &["fault inline_script index.html:2"],
        ),
        (
            "index.html",
            "<p\nonclick=\"x()\">",
            &["fault inline_script index.html:1"],
        ),
        (
            "index.html",
            "<script src=\"https://example.org/a.js\" crossorigin></script>",
            &["fault foreign_file index.html:1"],
        ),
        (
            "index.html",
            "<script src=\"gone.js\" crossorigin></script>",
            &["fault missing_file index.html:1"],
        ),
        (
            "index.html",
            "<script src=\"widget.js\"></script>",
            &["doubt crossorigin index.html:1"],
        ),
        (
            "index.html",
            "<img src=\"/_moult/x\"><img src=\"./icon.svg?1\">",
            &[],
        ),
        ("more.js", "\nfetch('/x')", &["doubt not_in_a_frame more.js:2"]),
        (
            "more.js",
            "localStorage.x = 1",
            &["doubt not_in_a_frame more.js:1"],
        ),
        ("more.js", "eval(x)", &["doubt eval more.js:1"]),
        ("more.js", "// fetch(1)\nhost.fetch(1); db.eval(2)", &[]),
        (
            "more.js",
            "if (granted().includes('open.url')) call('open.url')",
            &["doubt permission_missing more.js:1"],
        ),
        ("widget.js.map", "{}", &["doubt source_map widget.js.map"]),
        ("notes.txt", "x", &["doubt file_kind notes.txt"]),
        ("a b.js", "x", &["fault file_name a b.js"]),
        ("icon.svg", "<svg>", &["fault icon icon.svg"]),
        ("icon.svg", &large, &["doubt icon icon.svg"]),
    ];
    for (path, text, expected) in cases {
        let desk = widget(|_| (), Some((path, text)))?;
        assert_eq!(findings(&desk)?, expected, "{path}: {text:.80}");
    }
    Ok(())
}

#[test]
fn what_was_found_is_said_in_words_and_by_the_exit_code() -> Result<()> {
    let desk = widget(
        |manifest| {
            manifest["permissions"][0]["capability"] = json!("storage");
            manifest["permissions"][0]["hosts"] = json!([]);
            manifest["host_api"]["max"] = json!(2);
        },
        None,
    )?;
    let check = ["widget", "check", "tide"];
    desk.snapshot("widget_check_faults", &desk.moult(&check)?);
    desk.snapshot(
        "widget_check_faults_json",
        &desk.moult(&[&check[..], &["--json"]].concat())?,
    );
    desk.snapshot("widget_pack_faults", &desk.moult(&["widget", "pack", "tide"])?);
    ensure!(!desk.path("acme-tide-1.0.0.bundle").exists(), "nothing is packed");
    desk.write("plain/package.json", "{}")?;
    desk.snapshot(
        "widget_check_no_manifest",
        &desk.moult(&["widget", "check", "plain"])?,
    );
    desk.write("plain/moult.json", "{}")?;
    desk.snapshot(
        "widget_check_not_built",
        &desk.moult(&["widget", "check", "plain"])?,
    );
    Ok(())
}

#[test]
fn a_project_is_checked_by_what_was_built_of_it_and_a_stale_build_is_said() -> Result<()> {
    let desk = widget(|_| (), None)?;
    for (path, bytes) in desk.files("tide")? {
        desk.write(&format!("project/dist/{path}"), bytes)?;
    }
    desk.write("project/package.json", "{}")?;
    desk.write("project/moult.json", desk.read("tide/moult.json")?)?;
    desk.moult(&["widget", "check", "project"])?.done()?;
    desk.write("project/moult.json", "{}")?;
    let ran = desk.moult(&["widget", "check", "project"])?;
    ensure!(
        ran.code == Some(1) && ran.stdout.contains("[stale]"),
        "{}",
        ran.stdout
    );
    Ok(())
}

#[test]
fn the_same_widget_gives_the_same_bundle_wherever_and_whenever() -> Result<()> {
    let desk = widget(|_| (), None)?;
    let pack = |out: &str| desk.json(&["widget", "pack", "tide", "--out", out]);
    let first = pack("one.bundle")?;
    // Anew, in another order, at another time, with other rights.
    let mut files: Vec<_> = desk.files("tide")?.into_iter().collect();
    files.reverse();
    std::fs::remove_dir_all(desk.path("tide"))?;
    for (path, bytes) in files {
        desk.write(&format!("tide/{path}"), bytes)?;
    }
    #[cfg(unix)]
    std::fs::set_permissions(
        desk.path("tide/widget.js"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let second = pack("two.bundle")?;
    assert_eq!(first["sha256"], second["sha256"]);
    assert_eq!(desk.read("one.bundle")?, desk.read("two.bundle")?);
    let inspected = desk.json(&["inspect", "one.bundle"])?;
    ensure!(
        inspected
            .to_string()
            .contains(first["sha256"].as_str().context("a digest")?)
    );
    desk.snapshot("widget_pack", &desk.moult(&["widget", "pack", "tide"])?);
    Ok(())
}

#[test]
fn a_bundle_is_never_written_into_what_is_packed() -> Result<()> {
    let desk = widget(|_| (), None)?;
    let ran = desk.moult(&["widget", "pack", "tide", "--out", "tide/x.bundle"])?;
    desk.snapshot("widget_pack_inside", &ran);
    ensure!(!desk.path("tide/x.bundle").exists());
    Ok(())
}

#[test]
fn a_widget_begins_in_a_folder_of_its_own() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("widget_new", &desk.moult(&["widget", "new", "acme/water-glass"])?);
    let manifest: Value = serde_json::from_slice(&desk.read("water-glass/moult.json")?)?;
    assert_eq!(
        (manifest["id"].as_str(), manifest["name"].as_str()),
        (Some("w/acme/water-glass"), Some("Water glass"))
    );
    desk.snapshot(
        "widget_new_taken",
        &desk.moult(&["widget", "new", "water-glass"])?,
    );
    desk.snapshot(
        "widget_new_bad_name",
        &desk.moult(&["widget", "new", "Water Glass"])?,
    );
    desk.snapshot(
        "widget_dev_no_door",
        &desk.moult(&["widget", "dev", "water-glass", "--data", "nowhere"])?,
    );
    Ok(())
}

/// Begins a widget, installs, builds and tests it by its own commands, and looks it over: there is no fault, and of doubts
/// these.
fn template(name: &str, doubts: &[&str]) -> Result<()> {
    let desk = Desk::new()?;
    let id = format!("acme/from-{name}");
    desk.moult(&["widget", "new", &id, "--template", name, "--folder", "made"])?
        .done()?;
    npm(&desk, &["install", "--no-audit", "--no-fund", "--prefer-offline"])?;
    for script in ["test", "check", "build"] {
        npm(&desk, &["run", script])?;
    }
    let checked = desk.json(&["widget", "check", "made"])?;
    let rules: Vec<_> = checked["findings"]
        .as_array()
        .context("findings")?
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        (&checked["faults"], rules),
        (&json!(0), doubts.to_vec()),
        "{checked}"
    );
    // Built once more it is the same, to the byte.
    let digest = |ran: Value| ran["sha256"].clone();
    let first = digest(desk.json(&["widget", "pack", "made"])?);
    npm(&desk, &["run", "build"])?;
    assert_eq!(digest(desk.json(&["widget", "pack", "made"])?), first);
    Ok(())
}

fn npm(desk: &Desk, args: &[&str]) -> Result<()> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = std::process::Command::new(program)
        .args(args)
        .current_dir(desk.path("made"))
        .output()
        .context("npm could not be started")?;
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    };
    ran.done().map(|_| ())
}

#[test]
fn the_template_in_typescript_builds_and_passes() -> Result<()> {
    template("vanilla-ts", &[])
}

#[test]
fn the_template_in_svelte_builds_and_passes() -> Result<()> {
    template("svelte", &[])
}

#[test]
fn the_template_with_logic_in_rust_builds_and_passes() -> Result<()> {
    template("rust-logic", &[])
}

#[test]
fn the_template_with_logic_in_typescript_builds_and_passes() -> Result<()> {
    // It carries an engine.
    template("js-logic", &["size"])
}

/// The widgets that come with Moult are what authors look at first.
#[test]
fn the_widgets_that_come_with_moult_have_no_faults() -> Result<()> {
    let desk = Desk::new()?;
    let widgets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../widgets");
    let mut count = 0;
    for entry in std::fs::read_dir(&widgets)? {
        let folder = entry?.path();
        if !folder.join("moult.json").is_file() {
            continue;
        }
        ensure!(
            folder.join("dist/moult.json").is_file(),
            "{} is not built: run `cargo xtask build-ui`",
            folder.display()
        );
        let folder = folder.to_string_lossy().into_owned();
        let ran = desk.moult(&["widget", "check", &folder])?;
        ensure!(ran.code == Some(0), "{folder}: {}", ran.stdout);
        count += 1;
    }
    assert_eq!(count, 6);
    Ok(())
}
