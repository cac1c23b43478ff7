//! The project's own configuration and the schema that editors check it with.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use moult_publish::config::{Workspace, schema};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_json(name: &str) -> Result<Value> {
    let text = std::fs::read_to_string(root().join(name)).with_context(|| name.to_owned())?;
    Ok(serde_json::from_str(&text)?)
}

/// With `MOULT_WRITE_SCHEMA=1` the file is written anew.
#[test]
fn the_schema_is_the_one_that_the_code_gives() -> Result<()> {
    let path = root().join("release.config.schema.json");
    let expected = schema()?;
    if std::env::var_os("MOULT_WRITE_SCHEMA").is_some_and(|value| value == "1") {
        std::fs::write(&path, &expected)?;
    }
    let found = std::fs::read_to_string(&path)?.replace("\r\n", "\n");
    ensure!(
        found == expected,
        "run this test with MOULT_WRITE_SCHEMA=1 to write the schema anew"
    );
    Ok(())
}

#[test]
fn the_projects_configuration_fits_the_schema_and_opens() -> Result<()> {
    let validator = jsonschema::validator_for(&read_json("release.config.schema.json")?)?;
    let config = read_json("release.config.json")?;
    let problems: Vec<_> = validator
        .iter_errors(&config)
        .map(|error| error.to_string())
        .collect();
    ensure!(problems.is_empty(), "{problems:?}");
    let workspace = Workspace::open(&root().join("release.config.json"))?;
    assert_eq!(workspace.config().targets.len(), 4);
    assert_eq!(workspace.publishers(), ["moult"]);
    Ok(())
}

#[test]
fn the_schema_refuses_what_the_code_refuses() -> Result<()> {
    let validator = jsonschema::validator_for(&read_json("release.config.schema.json")?)?;
    let good = read_json("release.config.json")?;
    let mut unknown = good.clone();
    unknown["colour"] = "red".into();
    let mut nested = good.clone();
    nested["product"]["colour"] = "red".into();
    let mut missing = good.clone();
    missing.as_object_mut().context("an object")?.remove("app");
    let mut wrong = good;
    wrong["patches"]["versions_back"] = "three".into();
    for (name, bad) in [
        ("unknown", unknown),
        ("nested", nested),
        ("missing", missing),
        ("wrong", wrong),
    ] {
        ensure!(!validator.is_valid(&bad), "{name}");
        ensure!(
            serde_json::from_value::<moult_model::ReleaseConfig>(bad).is_err(),
            "{name}"
        );
    }
    Ok(())
}
