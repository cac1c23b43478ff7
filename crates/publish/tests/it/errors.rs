//! What each command says, and how it exits, when it can't do what it was asked to.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::support::{Desk, TRIPLE, executable};

const WIDGET: [&str; 3] = ["publish", "widget", "moult/clock"];
const APP: [&str; 6] = ["publish", "app", "--version", "0.1.0", "--target", TRIPLE];

#[test]
fn a_bad_command_line_is_the_users_mistake() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("error_no_command", &desk.moult(&["publsh"])?);
    desk.snapshot(
        "error_bad_version",
        &desk.moult(&["publish", "app", "--version", "1.0", "--target", TRIPLE])?,
    );
    desk.snapshot("error_bad_widget", &desk.moult(&["publish", "widget", "clock"])?);
    Ok(())
}

#[test]
fn a_bad_configuration_is_named_with_its_place() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot(
        "error_no_configuration",
        &desk.moult(&["keys", "init", "--config", "missing.json"])?,
    );
    desk.write(
        "broken.json",
        "{\n  \"product\": {\n    \"name\": \"Moult\",\n  }\n}\n",
    )?;
    desk.snapshot(
        "error_configuration_syntax",
        &desk.moult(&["keys", "init", "--config", "broken.json"])?,
    );
    desk.configure(
        "/product",
        json!({ "name": "Moult", "identifier": "dev.moult.app", "colour": "red" }),
    )?;
    desk.snapshot("error_configuration_field", &desk.moult(&["keys", "init"])?);
    let desk = Desk::new()?;
    desk.configure("/keys", json!("dist/repository/keys"))?;
    desk.snapshot("error_keys_in_the_repository", &desk.moult(&["keys", "init"])?);
    Ok(())
}

#[test]
fn missing_keys_and_repositories_are_named() -> Result<()> {
    let desk = Desk::new()?;
    desk.snapshot("error_no_keys", &desk.moult(&WIDGET)?);
    desk.moult(&["keys", "init"])?.done()?;
    let (keys, aside) = (desk.path("keys"), desk.path("keys-aside"));
    std::fs::rename(&keys, &aside)?;
    desk.snapshot("error_keys_lost", &desk.moult(&["keys", "init"])?);
    ensure!(
        desk.moult(&WIDGET)?.stderr == desk.moult(&["keys", "init"])?.stderr,
        "one error for both"
    );
    ensure!(!keys.exists(), "new keys were made");
    std::fs::rename(&aside, &keys)?;

    std::fs::rename(desk.path("dist/repository"), desk.path("dist/aside"))?;
    desk.snapshot("error_no_repository", &desk.moult(&WIDGET)?);
    let files = desk.files("keys")?;
    desk.snapshot("error_repository_lost", &desk.moult(&["keys", "init"])?);
    ensure!(
        desk.files("keys")? == files && !desk.path("dist/repository").exists(),
        "something was made"
    );
    desk.moult(&["keys", "init", "--new-repository"])?.done()?;
    desk.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn a_publisher_without_a_key_is_named() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.bundle("tide", "w/acme/tide", "1.0.0", 0)?;
    let args = ["publish", "widget", "acme/tide", "--folder", "tide"];
    desk.snapshot("error_unknown_publisher", &desk.moult(&args)?);
    Ok(())
}

#[test]
fn two_commands_do_not_work_at_the_same_time() -> Result<()> {
    let desk = Desk::with_keys()?;
    let _lock = moult_durable::Lock::acquire(&desk.path("keys/.lock"))?;
    desk.snapshot("error_busy", &desk.moult(&WIDGET)?);
    Ok(())
}

#[test]
fn a_bad_executable_or_target_is_named() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot("error_no_executable", &desk.moult(&APP)?);
    desk.write(&format!("target/{TRIPLE}/app"), "")?;
    desk.snapshot("error_empty_executable", &desk.moult(&APP)?);
    let other = [
        "publish",
        "app",
        "--version",
        "0.1.0",
        "--target",
        "riscv64gc-unknown-linux-gnu",
    ];
    desk.snapshot("error_unknown_target", &desk.moult(&other)?);
    Ok(())
}

#[test]
fn a_bad_bundle_folder_is_named_with_its_fault() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot(
        "error_no_widget_folder",
        &desk.moult(&["publish", "widget", "moult/tide"])?,
    );
    desk.snapshot(
        "error_folder_missing",
        &desk.moult(&[&WIDGET[..], &["--folder", "nowhere"]].concat())?,
    );
    desk.write("empty/index.html", "")?;
    desk.snapshot(
        "error_no_manifest",
        &desk.moult(&[&WIDGET[..], &["--folder", "empty"]].concat())?,
    );
    desk.snapshot(
        "error_wrong_id",
        &desk.moult(&["publish", "widget", "moult/notes", "--folder", "widgets/clock"])?,
    );
    desk.snapshot(
        "error_not_a_shell",
        &desk.moult(&["publish", "shell", "--folder", "widgets/clock"])?,
    );
    let good = String::from_utf8(desk.read("widgets/clock/moult.json")?)?;

    desk.write("widgets/clock/moult.json", good.replace("\"name\"", "\"nmae\""))?;
    desk.snapshot("error_manifest_field", &desk.moult(&WIDGET)?);
    desk.write(
        "widgets/clock/moult.json",
        good.replace("\"min\": 1", "\"min\": 2"),
    )?;
    desk.snapshot("error_manifest_host", &desk.moult(&WIDGET)?);
    desk.write(
        "widgets/clock/moult.json",
        good.replace("index.html", "main.html"),
    )?;
    desk.snapshot("error_no_entry_point", &desk.moult(&WIDGET)?);
    desk.write("widgets/clock/moult.json", &good)?;

    desk.write("widgets/clock/.hidden", "")?;
    desk.snapshot("error_file_name", &desk.moult(&WIDGET)?);
    std::fs::remove_file(desk.path("widgets/clock/.hidden"))?;
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(
            desk.path("release.config.json"),
            desk.path("widgets/clock/link.json"),
        )?;
        desk.snapshot("error_link", &desk.moult(&WIDGET)?);
    }
    Ok(())
}

#[test]
fn nothing_published_is_changed() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.moult(&WIDGET)?.done()?;
    let before = desk.files("dist/repository")?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.0.0", 1)?;
    desk.snapshot("error_version_taken", &desk.moult(&WIDGET)?);
    ensure!(desk.files("dist/repository")? == before, "the repository changed");

    let app = format!("target/{TRIPLE}/app");
    desk.write(&app, executable(1, 5000, 0))?;
    desk.moult(&APP)?.done()?;
    let before = desk.files("dist/repository")?;
    let again = ["publish", "app", "--version", "0.1.1", "--target", TRIPLE];
    desk.snapshot("error_bytes_taken", &desk.moult(&again)?);
    ensure!(desk.files("dist/repository")? == before, "the repository changed");
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_before_clients_see_it() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.write("long.md", "word ".repeat(14_000))?;
    let metadata = desk.files("dist/repository/metadata")?;
    desk.snapshot(
        "error_index_too_large",
        &desk.moult(&[&WIDGET[..], &["--notes", "@long.md"]].concat())?,
    );
    ensure!(
        desk.files("dist/repository/metadata")? == metadata,
        "the metadata changed"
    );
    desk.snapshot(
        "error_no_notes",
        &desk.moult(&[&WIDGET[..], &["--notes", "@missing.md"]].concat())?,
    );
    desk.snapshot(
        "error_unknown_channel",
        &desk.moult(&[&WIDGET[..], &["--channel", "dev"]].concat())?,
    );
    desk.snapshot(
        "error_json",
        &desk.moult(&[&WIDGET[..], &["--channel", "dev", "--json"]].concat())?,
    );
    Ok(())
}

#[test]
fn a_damaged_older_file_is_found_before_a_patch_is_made_from_it() -> Result<()> {
    let desk = Desk::with_keys()?;
    let released = desk.json(&WIDGET)?;
    let path = format!(
        "dist/repository/targets/{}",
        released["full"]["path"].as_str().unwrap_or_default()
    );
    let good = desk.read(&path)?;
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    desk.write(&path, bad)?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let metadata = desk.files("dist/repository/metadata")?;
    desk.snapshot("error_damaged_file", &desk.moult(&WIDGET)?);
    std::fs::remove_file(desk.path(&path))?;
    desk.snapshot("error_missing_file", &desk.moult(&WIDGET)?);
    ensure!(
        desk.files("dist/repository/metadata")? == metadata,
        "the metadata changed"
    );
    desk.write(&path, good)?;
    desk.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn a_repository_set_back_to_an_older_state_is_not_published_to() -> Result<()> {
    let desk = Desk::with_keys()?;
    let old = desk.files("dist/repository")?;
    desk.moult(&WIDGET)?.done()?;
    std::fs::remove_dir_all(desk.path("dist/repository"))?;
    for (name, bytes) in &old {
        desk.write(&format!("dist/repository/{name}"), bytes)?;
    }
    desk.snapshot("error_old_repository", &desk.moult(&WIDGET)?);
    ensure!(desk.files("dist/repository")? == old, "the repository changed");
    Ok(())
}

#[test]
fn a_server_that_can_not_start_says_why() -> Result<()> {
    let desk = Desk::with_keys()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    desk.snapshot("error_port_in_use", &desk.moult(&["serve", "--port", &port])?);
    desk.snapshot(
        "error_serve_folder",
        &desk.moult(&["serve", "--folder", "nowhere"])?,
    );
    let log = ["serve", "--access-log", "nowhere/access.log"];
    desk.snapshot("error_access_log", &desk.moult(&log)?);
    Ok(())
}

#[test]
fn what_is_nothing_of_ours_is_not_inspected() -> Result<()> {
    let desk = Desk::new()?;
    desk.write("text", "hello")?;
    desk.write("bundle", "MOULTBDL\u{2}\0\0\0\0\0\0\0")?;
    desk.write("patch", "MOULTPCH\u{1}\0")?;
    desk.snapshot("error_inspect_missing", &desk.moult(&["inspect", "missing"])?);
    desk.snapshot("error_inspect_text", &desk.moult(&["inspect", "text"])?);
    desk.snapshot("error_inspect_folder", &desk.moult(&["inspect", "widgets"])?);
    desk.snapshot("error_inspect_bundle", &desk.moult(&["inspect", "bundle"])?);
    desk.snapshot("error_inspect_patch", &desk.moult(&["inspect", "patch"])?);
    Ok(())
}
