//! `cargo xtask check`: everything that can be said of the project without running it.

use anyhow::Result;

use crate::command::{cargo, command, npm, quiet};
use crate::report::{Steps, heading};
use crate::{bindings, file_changes, hardening, lengths, licenses, walls};

/// Runs all checks, also those after one that failed; or only those with this in their name.
pub(crate) fn run(only: Option<String>) -> Result<()> {
    let mut steps = Steps::only(only);
    heading("Checks");
    add_to(&mut steps);
    steps.end()
}

/// The same as steps of a longer run.
pub(crate) fn add_to(steps: &mut Steps) {
    let run =
        |program: &str, arguments: &[&str]| quiet(&mut command(program, arguments)).map(|_| String::new());
    let cargo = cargo();
    steps.run("format", || run(&cargo, &["fmt", "--all", "--check"]));
    steps.run("lints", || {
        run(
            &cargo,
            &[
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        )
    });
    steps.run("walls between crates", walls::check);
    steps.run("changes of files", file_changes::check);
    steps.run("licenses and sources", licenses::check);
    steps.run("generated types", bindings::check);
    steps.run("frontend", || run(npm(), &["run", "--silent", "check"]));
    steps.run("frontend format", || {
        run(npm(), &["run", "--silent", "format:check"])
    });
    steps.run("file lengths", lengths::check);
    steps.run("hardening of the programs", hardening::check);
}
