//! The rules that are checked before any key is used, and the bills of materials of what is out.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Desk, NOW, TRIPLE, executable};

const WIDGET: [&str; 3] = ["publish", "widget", "moult/clock"];
const APP: [&str; 6] = ["publish", "app", "--version", "0.1.0", "--target", TRIPLE];

/// A desk whose app is built from a small workspace of its own, with all rules on.
fn desk() -> Result<Desk> {
    let desk = Desk::with_keys()?;
    desk.write(&format!("target/{TRIPLE}/app"), executable(1, 20_000, 0))?;
    desk.write(
        "Cargo.toml",
        "[package]\nname = \"hearth\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n\n[workspace]\n\n\
         [dependencies]\nharmless = { path = \"harmless\" }\n",
    )?;
    desk.write("src/lib.rs", "")?;
    desk.write("harmless/src/lib.rs", "")?;
    license(&desk, "MIT OR Apache-2.0")?;
    desk.write("Cargo.lock", LOCK_FILE)?;
    desk.write(
        "package-lock.json",
        json!({ "lockfileVersion": 3, "packages": {
            "": { "name": "hearth", "version": "0.1.0" },
            "node_modules/tiny": { "version": "2.0.0", "license": "ISC" },
            "node_modules/tool": { "version": "3.0.0", "license": "GPL-3.0", "dev": true },
        }})
        .to_string(),
    )?;
    advisory(&desk, "faraway", ">= 9.0.0")?;
    desk.write(
        "audit.json",
        json!({ "auditReportVersion": 2, "vulnerabilities": {} }).to_string(),
    )?;
    desk.configure(
        "/publish",
        json!({
            "policy": {
                "licenses": { "allow": ["MIT", "Apache-2.0", "ISC"], "deny": ["AGPL-3.0"] },
                "advisories": { "database": "advisories" },
                "npm_audit": { "report": "audit.json", "from": "high" },
                "secrets": { "also": ["src"], "ignore": ["/allowed.txt"] },
            },
            "sbom": { "cargo": "Cargo.toml", "npm": "package-lock.json" },
        }),
    )?;
    Ok(desk)
}

const LOCK_FILE: &str = "version = 4\n\n[[package]]\nname = \"harmless\"\nversion = \"1.0.0\"\n\n\
    [[package]]\nname = \"hearth\"\nversion = \"0.1.0\"\ndependencies = [\"harmless\"]\n";

fn license(desk: &Desk, license: &str) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"harmless\"\nversion = \"1.0.0\"\nedition = \"2024\"\nlicense = \"{license}\"\n"
    );
    desk.write("harmless/Cargo.toml", manifest)
}

/// An advisory about a package, as the advisory database has them.
fn advisory(desk: &Desk, package: &str, patched: &str) -> Result<()> {
    let id = format!("RUSTSEC-2026-{:04}", package.len());
    desk.write(
        &format!("advisories/crates/{package}/{id}.md"),
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n\
             url = \"https://example.com/\"\n\n[versions]\npatched = [\"{patched}\"]\n```\n\n# It reads too far\n\nAnd further.\n"
        ),
    )
}

/// Runs it with the keys put away: what is refused for another reason never asked for them.
fn without_keys(desk: &Desk, args: &[&str]) -> Result<crate::support::Ran> {
    std::fs::rename(desk.path("keys"), desk.path("aside"))?;
    let ran = desk.moult(args);
    std::fs::rename(desk.path("aside"), desk.path("keys"))?;
    ran
}

#[test]
fn what_keeps_all_rules_is_published() -> Result<()> {
    let desk = desk()?;
    desk.moult(&APP)?.done()?;
    desk.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn a_planted_secret_blocks_the_publication_and_is_named() -> Result<()> {
    let desk = desk()?;
    let before = desk.files("dist/repository")?;
    let token = format!("{}{}", "npm_", "a1".repeat(18));
    desk.write(
        "widgets/clock/clock.js",
        format!("const a = 1;\nconst token = '{token}';\n"),
    )?;
    let ran = without_keys(&desk, &WIDGET)?;
    desk.snapshot("error_policy_secret", &ran);
    ensure!(!ran.to_string().contains(&token), "the secret is told");
    ensure!(desk.files("dist/repository")? == before, "the repository changed");

    // In the sources, and in the executable itself.
    std::fs::remove_file(desk.path("widgets/clock/clock.js"))?;
    desk.write("src/deep/config.rs", format!("\n\nlet t = \"{token}\";\n"))?;
    desk.snapshot("error_policy_secret_in_sources", &without_keys(&desk, &APP)?);
    std::fs::remove_dir_all(desk.path("src/deep"))?;
    let mut program = executable(1, 20_000, 0);
    program[5000..5040].copy_from_slice(token.as_bytes());
    program[4999] = b' ';
    program[5040] = b' ';
    desk.write(&format!("target/{TRIPLE}/app"), program)?;
    desk.snapshot(
        "error_policy_secret_in_the_executable",
        &without_keys(&desk, &APP)?,
    );
    desk.write("widgets/clock/allowed.txt", &token)?;
    desk.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn a_banned_licence_blocks_the_publication_and_is_named() -> Result<()> {
    let desk = desk()?;
    license(&desk, "AGPL-3.0")?;
    desk.snapshot("error_policy_licence", &without_keys(&desk, &APP)?);
    // An alternative is enough.
    license(&desk, "AGPL-3.0 OR MIT")?;
    desk.moult(&APP)?.done()?;
    let lock_file = String::from_utf8(desk.read("package-lock.json")?)?;
    desk.write("package-lock.json", lock_file.replace("ISC", "BUSL-1.1"))?;
    desk.snapshot("error_policy_licence_npm", &without_keys(&desk, &WIDGET)?);
    Ok(())
}

#[test]
fn a_known_vulnerability_blocks_the_publication_and_is_named() -> Result<()> {
    let desk = desk()?;
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    // Only the lock file is read for this, so the package need not be anywhere.
    desk.configure("/publish/policy/licenses", Value::Null)?;
    desk.configure("/publish/sbom", json!({ "npm": "package-lock.json" }))?;
    desk.write(
        "Cargo.lock",
        format!("{LOCK_FILE}\n[[package]]\nname = \"leaky\"\nversion = \"1.4.2\"\nsource = \"{registry}\"\n"),
    )?;
    desk.moult(&APP)?.done()?;
    advisory(&desk, "leaky", ">= 1.4.3")?;
    let next = ["publish", "app", "--version", "0.1.1", "--target", TRIPLE];
    desk.write(&format!("target/{TRIPLE}/app"), executable(1, 20_000, 1))?;
    desk.snapshot("error_policy_vulnerability", &without_keys(&desk, &next)?);
    desk.snapshot(
        "error_policy_vulnerability_json",
        &without_keys(&desk, &[&next[..], &["--json"]].concat())?,
    );
    desk.configure(
        "/publish/policy/advisories",
        json!({ "database": "advisories", "ignore": ["RUSTSEC-2026-0005"] }),
    )?;
    desk.moult(&next)?.done()?;
    Ok(())
}

#[test]
fn what_npm_audit_found_blocks_the_publication() -> Result<()> {
    let desk = desk()?;
    let report = |severity: &str| {
        json!({ "vulnerabilities": { "tiny": {
            "name": "tiny", "severity": severity, "range": "<2.0.1",
            "via": [{ "title": "It evaluates what it reads" }],
        }}})
        .to_string()
    };
    desk.write("audit.json", report("high"))?;
    desk.snapshot("error_policy_npm_audit", &without_keys(&desk, &WIDGET)?);
    desk.write("audit.json", report("moderate"))?;
    desk.moult(&WIDGET)?.done()?;
    // An audit that failed is not one that found nothing.
    desk.write(
        "audit.json",
        json!({ "error": { "code": "ENOLOCK" } }).to_string(),
    )?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    desk.snapshot("error_policy_npm_audit_failed", &without_keys(&desk, &WIDGET)?);
    Ok(())
}

#[test]
fn a_rule_that_can_not_work_is_named() -> Result<()> {
    let desk = desk()?;
    desk.configure("/publish/policy/licenses", json!({ "deny": ["Evil-1.0"] }))?;
    desk.snapshot("error_policy_rule", &without_keys(&desk, &APP)?);
    desk.configure("/publish/policy/licenses", Value::Null)?;
    desk.configure("/publish/policy/advisories", json!({ "database": "nowhere" }))?;
    desk.snapshot("error_policy_no_database", &without_keys(&desk, &APP)?);
    Ok(())
}

#[test]
fn each_release_has_a_bill_that_is_checked_again_later() -> Result<()> {
    let desk = desk()?;
    desk.moult(&APP)?.done()?;
    desk.moult(&WIDGET)?.done()?;
    let bills: Vec<_> = desk
        .files("dist/repository/targets")?
        .into_iter()
        .filter(|(name, _)| name.ends_with(".cdx.json"))
        .collect();
    assert_eq!(bills.len(), 2);
    let app: Value = serde_json::from_slice(&bills[0].1)?;
    assert_eq!(
        (&app["bomFormat"], &app["specVersion"]),
        (&json!("CycloneDX"), &json!("1.5"))
    );
    let artifact = moult_model::Digest::of(&desk.read(&format!("target/{TRIPLE}/app"))?).to_string();
    assert_eq!(app["metadata"]["component"]["hashes"][0]["content"], artifact);
    ensure!(
        bills[0].0.contains(&artifact),
        "the bill lies beside its artifact"
    );
    let names = |bill: &Value| -> Vec<String> {
        let components = bill["components"].as_array().cloned().unwrap_or_default();
        components
            .iter()
            .filter_map(|component| Some(component["purl"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(
        names(&app),
        ["pkg:cargo/harmless@1.0.0", "pkg:cargo/hearth@0.1.0"]
    );
    let widget: Value = serde_json::from_slice(&bills[1].1)?;
    assert_eq!(names(&widget), ["pkg:npm/tiny@2.0.0"]);
    desk.snapshot("sbom_check", &desk.moult(&["sbom", "check"])?);

    // What is out was good when it went out; now more is known.
    advisory(&desk, "harmless", ">= 1.0.1")?;
    desk.snapshot("sbom_check_found", &desk.moult(&["sbom", "check"])?);
    desk.snapshot(
        "sbom_check_found_json",
        &desk.moult(&["sbom", "check", "--json"])?,
    );
    Ok(())
}

#[test]
fn a_bill_is_made_of_what_is_here_and_is_the_same_each_time() -> Result<()> {
    let desk = desk()?;
    let made = desk.moult(&["sbom", "make"])?.done()?.stdout;
    let bill: Value = serde_json::from_str(&made)?;
    assert_eq!(bill["components"].as_array().map(Vec::len), Some(3));
    assert_eq!(bill["metadata"]["timestamp"], NOW);
    let dependencies = bill["dependencies"].as_array().context("dependencies")?;
    let ours = dependencies
        .iter()
        .find(|entry| entry["ref"] == "pkg:cargo/hearth@0.1.0");
    assert_eq!(
        ours.context("ours")?["dependsOn"],
        json!(["pkg:cargo/harmless@1.0.0"])
    );
    desk.snapshot(
        "sbom_make_out",
        &desk.moult(&["sbom", "make", "--out", "bill.json"])?,
    );
    assert_eq!(String::from_utf8(desk.read("bill.json")?)?, made);
    desk.configure("/publish/sbom", Value::Null)?;
    desk.snapshot("error_sbom_nothing", &desk.moult(&["sbom", "make"])?);
    desk.configure("/publish/sbom", json!({ "cargo": "elsewhere/Cargo.toml" }))?;
    let ran = desk.moult(&["sbom", "make"])?;
    ensure!(
        ran.code == Some(1) && ran.stderr.contains("elsewhere/Cargo.toml"),
        "{ran}"
    );
    Ok(())
}
