//! `cargo xtask test`: from a bare checkout to a verdict.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, command, npm, shown_live, works};
use crate::report::{Steps, heading, note};
use crate::{check, setup};

/// Sets up, builds, checks and tests. Without what has to be there first nothing else is tried.
/// A check that fails does not keep back the tests' verdict; a build that fails does.
pub(crate) fn run(filter: Option<&str>) -> Result<()> {
    let mut steps = Steps::default();
    heading("Setup");
    setup::add_to(&mut steps);
    if steps.passed() {
        setup::add_build_ui_to(&mut steps);
    }
    if !steps.passed() {
        note("nothing was checked, built or tested");
        return steps.summary("Summary");
    }
    if filter.is_none() {
        heading("Checks");
        check::add_to(&mut steps);
    }

    heading("Tests");
    let programs = [
        "--package",
        "moult-app",
        "--package",
        "moult-boot",
        "--package",
        "moult-logic",
        "--package",
        "moult-publish",
    ];
    let mut build = command(cargo(), &[&["build"], &programs[..]].concat());
    if live_step(&mut steps, "build the programs", &mut build) {
        rust_tests(&mut steps, filter);
    } else {
        note("the programs can't be built, so the tests were not run");
    }
    if filter.is_none() {
        live_step(&mut steps, "frontend tests", &mut command(npm(), &["test"]));
    }
    steps.summary("Summary")
}

/// A step whose output is shown as it comes. Tells whether it passed.
fn live_step(steps: &mut Steps, name: &str, command: &mut Command) -> bool {
    steps.run_live(name, || shown_live(command))
}

fn rust_tests(steps: &mut Steps, filter: Option<&str>) {
    let cargo = cargo();
    let mut tests = if works(&cargo, &["nextest", "--version"]) {
        command(
            &cargo,
            &[
                "nextest",
                "run",
                "--workspace",
                "--no-fail-fast",
                "--no-tests",
                "warn",
            ],
        )
    } else {
        note("cargo-nextest is not there; cargo test does its work");
        command(&cargo, &["test", "--workspace", "--no-fail-fast"])
    };
    live_step(steps, "tests", tests.args(filter));
}
