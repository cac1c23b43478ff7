//! The project's own commands. One file for each; this one only reads the command line.

mod bench;
mod bindings;
mod check;
mod command;
mod conformance;
mod demo;
mod faults;
mod file_changes;
mod hardening;
mod lengths;
mod licenses;
mod report;
mod setup;
mod simulate;
mod spdx;
mod targets;
mod test;
mod tokens;
mod walls;
mod wine;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing: system packages (Debian, Ubuntu) and npm packages.
    Setup,
    /// Build the stage, the shell and the widgets.
    BuildUi,
    /// Check format, lints, walls between crates, licenses, generated files, the frontend, file lengths.
    Check {
        /// Run only the checks with this in their name.
        name: Option<String>,
        /// Type-check the whole workspace for another system instead.
        #[arg(long, value_name = "SYSTEM", conflicts_with = "name")]
        target: Option<targets::Target>,
    },
    /// Set up, build, check, and run all tests.
    Test {
        /// Run only tests whose name contains this; without checks and without the frontend's tests.
        #[arg(long, value_name = "NAME")]
        filter: Option<String>,
        /// Run the tests of another system instead: those without a screen, for Windows under Wine.
        #[arg(long, value_name = "SYSTEM")]
        target: Option<targets::Target>,
    },
    /// Set up, build, and show the whole thing: releases, updates, rollbacks, in the real application.
    Demo {
        /// Keep the temporary folder, the repository and the application when the demo ends.
        #[arg(long)]
        keep: bool,
        /// Further arguments of the demo, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Write the TypeScript types anew from `crates/model`.
    Bindings,
    /// Measure against other tools, and write the page with the figures.
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
    },
    /// Let a week of a million computers pass, and write docs/scale.md.
    Simulate(simulate::Options),
    /// Prove that an update can be broken off anywhere, and write the page with the figures.
    Faults {
        #[command(subcommand)]
        proof: faults::Proof,
    },
    /// Run the conformance suite of The Update Framework on the trust client, and write the page with the result.
    Conformance(conformance::Suite),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::BuildUi => setup::build_ui(),
        Command::Check {
            target: Some(target), ..
        } => targets::check(target),
        Command::Check { name, .. } => check::run(name),
        Command::Test {
            target: Some(target),
            filter,
        } => wine::test(target, filter.as_deref()),
        Command::Test { filter, .. } => test::run(filter.as_deref()),
        Command::Demo { keep, arguments } => demo::run(keep, arguments),
        Command::Bindings => bindings::run(),
        Command::Bench { subject } => bench::run(&subject),
        Command::Simulate(options) => simulate::run(&options),
        Command::Faults { proof } => faults::run(&proof),
        Command::Conformance(suite) => conformance::run(&suite),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}
