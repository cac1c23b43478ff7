//! The rescue for its tests: the same program, but it believes whom the folder `trust` beside it names. What
//! is shipped believes whom it was built with.

use std::path::PathBuf;
use std::process::ExitCode;

use moult_rescue::RescueError;
use moult_trust::Anchor;

fn main() -> ExitCode {
    moult_rescue::program::run(&trust)
}

fn trust() -> Result<Anchor, RescueError> {
    let program = std::env::current_exe().map_err(|source| RescueError::Place { source })?;
    let folder = program.with_file_name("trust");
    let read = |name: &str| -> Result<Vec<u8>, RescueError> {
        let path: PathBuf = folder.join(name);
        std::fs::read(&path).map_err(|_| RescueError::Missing { path })
    };
    let floor = serde_json::from_slice(&read("floor.json")?);
    Ok(Anchor {
        root: read("root.json")?,
        floor: floor.map_err(|source| RescueError::Floor { source })?,
        minisign: String::from_utf8_lossy(&read("minisign.pub")?).trim().to_owned(),
    })
}
