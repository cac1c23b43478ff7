//! What `moult inspect` says of each kind of file and folder.

use anyhow::{Context as _, Result, ensure};

use crate::support::{Desk, TRIPLE, executable};

#[test]
fn each_kind_is_recognized_and_described() -> Result<()> {
    let desk = Desk::with_keys()?;
    let publish = ["publish", "widget", "moult/clock"];
    desk.json(&publish)?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let released = desk.json(&publish)?;
    desk.write(&format!("target/{TRIPLE}/app"), executable(1, 5000, 0))?;
    let app = desk.json(&["publish", "app", "--version", "0.1.0", "--target", TRIPLE])?;

    let target = |path: &serde_json::Value| -> Result<String> {
        Ok(format!(
            "dist/repository/targets/{}",
            path.as_str().context("a path")?
        ))
    };
    let full = target(&released["full"]["path"])?;
    desk.snapshot("inspect_full_file_of_a_bundle", &desk.moult(&["inspect", &full])?);
    let bundle = zstd::decode_all(&desk.read(&full)?[..])?;
    desk.write("clock.bundle", bundle)?;
    desk.snapshot("inspect_bundle", &desk.moult(&["inspect", "clock.bundle"])?);
    desk.snapshot(
        "inspect_bundle_json",
        &desk.moult(&["inspect", "clock.bundle", "--json"])?,
    );
    let executable = target(&app["full"]["path"])?;
    desk.snapshot(
        "inspect_full_file_of_an_executable",
        &desk.moult(&["inspect", &executable])?,
    );
    let patch = target(&released["patches"][0]["path"])?;
    desk.snapshot("inspect_patch", &desk.moult(&["inspect", &patch])?);
    desk.snapshot(
        "inspect_repository",
        &desk.moult(&["inspect", "dist/repository"])?,
    );

    std::fs::remove_file(desk.path(&patch))?;
    let seen = desk.json(&["inspect", "dist/repository"])?;
    assert_eq!(
        seen["missing"],
        serde_json::json!([released["patches"][0]["path"]])
    );
    Ok(())
}

#[test]
fn of_keys_only_the_public_part_is_told() -> Result<()> {
    let desk = Desk::with_keys()?;
    let ran = desk.moult(&["inspect", "keys"])?;
    desk.snapshot("inspect_keys", &ran);
    let json = desk.json(&["inspect", "keys"])?.to_string();
    for (name, bytes) in desk.files("keys")? {
        if let Ok(file) = serde_json::from_slice::<serde_json::Value>(&bytes)
            && let Some(secret) = file["secret"].as_str()
        {
            ensure!(
                !ran.stdout.contains(secret) && !json.contains(secret),
                "the secret of {name} is told"
            );
        }
    }
    Ok(())
}
