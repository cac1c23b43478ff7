//! `cargo xtask bindings`: the TypeScript types that are generated from `crates/model`.

use anyhow::Result;

use crate::command::{cargo, command, quiet};
use crate::report::note;

const TEST: [&str; 6] = [
    "test",
    "--quiet",
    "--package",
    "moult-model",
    "--test",
    "bindings",
];

/// Writes them anew.
pub(crate) fn run() -> Result<()> {
    quiet(command(cargo(), &TEST).env("MOULT_WRITE_BINDINGS", "1"))?;
    note("the types are written");
    Ok(())
}

/// Fails if they are out of date.
pub(crate) fn check() -> Result<String> {
    quiet(command(cargo(), &TEST).env_remove("MOULT_WRITE_BINDINGS"))?;
    Ok(String::new())
}
