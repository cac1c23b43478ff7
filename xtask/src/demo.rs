//! `cargo xtask demo`: everything once, in the real application.

use anyhow::Result;

use crate::command::{cargo, command, shown_live};
use crate::report::{Steps, heading};
use crate::setup;

/// Sets up, builds, and hands over to the demo.
pub(crate) fn run(keep: bool, arguments: Vec<String>) -> Result<()> {
    let mut steps = Steps::default();
    heading("Setup");
    setup::add_to(&mut steps);
    if steps.passed() {
        setup::add_build_ui_to(&mut steps);
    }
    steps.end()?;

    heading("Demo");
    let mut demo = command(
        cargo(),
        &[
            "run",
            "--quiet",
            "--package",
            "moult-tests",
            "--bin",
            "moult-demo",
            "--",
        ],
    );
    demo.args(keep.then_some("--keep")).args(arguments);
    shown_live(&mut demo)
}
