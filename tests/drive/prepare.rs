//! Lays what the drive works on: an installed 1.0.0, and repositories with 1.1.0 on `stable` and 1.2.0 on
//! `beta`, by the real command line of publishers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use moult_model::Digest;
use moult_tests::fixtures::Fixtures;
use moult_tests::publisher::Publisher;
use moult_tests::tree;
use serde_json::json;

use crate::application::Life;
use crate::installation::{BUILD, Installation};
use crate::update::update;

/// The versions, each with the channel it is offered on and what it does when it is started.
const RELEASES: [(&str, &str, &str); 3] = [
    ("1.0.0", "stable", "paint,quit:user"),
    ("1.1.0", "stable", "paint,confirm,quit:user"),
    ("1.2.0", "beta", "paint,confirm,quit:user"),
];
/// What a bad 1.1.0 does.
const CRASH: &str = "crash";
/// The size of what differs between two versions: a patch that comes in some pieces.
const NEW_BYTES: usize = 12 * 1024;

/// Lays template and repositories. Takes minutes the first time, since tools are built.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let fixtures = Fixtures::ensure_tools(&mut crate::say)?;
    let [launcher, stub] = programs(&fixtures)?;
    fs::create_dir_all(folder)?;
    for old in [
        "template",
        "template-used",
        "repo",
        "repo-crashing",
        "publishers",
        "files",
    ] {
        if folder.join(old).exists() {
            fs::remove_dir_all(folder.join(old)).with_context(|| old.to_owned())?;
        }
    }
    template(&fixtures, &launcher, &stub, &folder.join("template"))?;
    repository(&fixtures, &stub, folder, "repo", None)?;
    repository(&fixtures, &stub, folder, "repo-crashing", Some(CRASH))?;
    for done in ["publishers", "files"] {
        fs::remove_dir_all(folder.join(done))?;
    }
    Ok(())
}

/// The launcher, and the test application, which does what the script at its end says. Both as they are
/// shipped: optimised and without symbols, so that copies are quick.
fn programs(fixtures: &Fixtures) -> anyhow::Result<[Vec<u8>; 2]> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(fixtures.workspace())
        .args(["build", "--quiet", "--release", "--package", "moult-boot"])
        .args(["--bin", "moult-launcher", "--example", "child"])
        .status()
        .context("cargo could not be started")?;
    anyhow::ensure!(
        status.success(),
        "the launcher and the test application could not be built"
    );
    let target = fixtures.folder().parent().context("no target folder")?;
    let built = target.join("release");
    Ok([
        stripped(&built.join("moult-launcher"))?,
        stripped(&built.join("examples/child"))?,
    ])
}

fn stripped(program: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("stripped");
    let status = Command::new("strip").arg("-o").arg(&copy).arg(program).status();
    let status = status.context("`strip` could not be started")?;
    anyhow::ensure!(status.success(), "{} could not be stripped", program.display());
    Ok(fs::read(copy)?)
}

/// An application that says which version it is and does what the script says.
fn application(stub: &[u8], version: &str, script: &str) -> Vec<u8> {
    let mut bytes = stub.to_vec();
    bytes.extend(noise(NEW_BYTES, &format!("{version} {script}")));
    bytes.extend(format!("\n{version} MOULT-CHILD:{script}").into_bytes());
    bytes
}

fn template(fixtures: &Fixtures, launcher: &[u8], stub: &[u8], folder: &Path) -> anyhow::Result<()> {
    let build = folder.join(BUILD);
    let data = folder.join("data");
    for folder in [&build, &data] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    for name in ["root.json", "floor.json", "minisign.pub"] {
        fs::copy(fixtures.trust().join(name), build.join(name)).with_context(|| name.to_owned())?;
    }
    fs::write(build.join("triple"), fixtures.triple())?;
    let (version, _, script) = RELEASES[0];
    let packaged = application(stub, version, script);
    let label = json!({ "version": version, "digest": Digest::of(&packaged) });
    write_program(&folder.join("moult"), launcher)?;
    write_program(&folder.join("moult-app"), &packaged)?;
    fs::write(folder.join("moult-app.json"), label.to_string())?;
    let settings = json!({ "repository": "http://localhost/", "check_every_seconds": 86_400 });
    fs::write(data.join("settings.json"), settings.to_string())?;
    private(&data)
}

fn repository(
    fixtures: &Fixtures,
    stub: &[u8],
    folder: &Path,
    name: &str,
    bad: Option<&str>,
) -> anyhow::Result<()> {
    let publisher = Publisher::open(fixtures, &folder.join("publishers").join(name))?;
    for (version, channel, script) in RELEASES {
        let script = bad.filter(|_| version == "1.1.0").unwrap_or(script);
        let file = folder.join("files").join(name).join(version).join("moult-app");
        fs::create_dir_all(file.parent().context("no folder")?)?;
        write_program(&file, &application(stub, version, script))?;
        let mut arguments = vec![
            "publish",
            "app",
            "--version",
            version,
            "--target",
            fixtures.triple(),
        ];
        let path = text(&file)?;
        arguments.extend(["--executable", &path, "--channel", channel]);
        publisher.run(arguments.iter().copied())?;
        let widget = widget(&folder.join("files").join(name).join(version), version)?;
        let path = text(&widget)?;
        let arguments = [
            "publish",
            "widget",
            "moult/notes",
            "--folder",
            &path,
            "--channel",
            channel,
        ];
        publisher.run(arguments)?;
        if version == RELEASES[0].0 && bad.is_some() {
            used(folder, &publisher.repository())?;
        }
    }
    tree::copy(&publisher.repository(), &folder.join(name))
}

/// Lays an installation that has made its first check, when there was nothing but 1.0.0: its widget is there.
fn used(folder: &Path, repository: &Path) -> anyhow::Result<()> {
    let place = folder.join("template-used");
    tree::copy(&folder.join("template"), &place)?;
    let driven = update(&Installation::open(&place, repository, None)?, Life::Good);
    anyhow::ensure!(
        driven.code == 0 && driven.troubles.is_empty(),
        "the first check ended with code {}: {}",
        driven.code,
        driven.troubles.join("; ")
    );
    Ok(())
}

fn widget(folder: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let folder = folder.join("widget");
    fs::create_dir_all(&folder)?;
    let manifest = json!({
        "kind": "widget", "id": "w/moult/notes", "version": version, "name": "Notes",
        "entry": { "ui": "index.html" }, "host_api": { "min": 1, "max": 1 }, "permissions": [],
    });
    fs::write(folder.join("moult.json"), manifest.to_string())?;
    fs::write(
        folder.join("index.html"),
        format!("<title>Notes {version}</title>"),
    )?;
    fs::write(folder.join("words.bin"), noise(NEW_BYTES, version))?;
    Ok(folder)
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(path.to_str().context("a path that is no text")?.to_owned())
}

fn write_program(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())?;
    mode(path, 0o755)
}

fn private(folder: &Path) -> anyhow::Result<()> {
    mode(folder, 0o700)
}

fn mode(path: &Path, mode: u32) -> anyhow::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Bytes that don't compress, the same ones for each seed.
fn noise(length: usize, seed: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 32);
    let mut last = Digest::of(seed.as_bytes());
    while bytes.len() < length {
        bytes.extend_from_slice(last.as_bytes());
        last = Digest::of(last.as_bytes());
    }
    bytes.truncate(length);
    bytes
}
