//! Never brick, proved: a real update is ended, failed and cut short at each change of a file, and after
//! each of them the installation must come back by itself.
//!
//! The work is done by `moult-drive`, a process for each run. Without more ado a seeded share is done, in
//! some minutes; with `MOULT_FAULTS=all` all of it. Each test leaves its figures in `target/faults`, from
//! which `cargo xtask faults` makes docs/reliability.md.

#![cfg(target_os = "linux")]

mod bad_trials;
mod cycles;
mod errors;
mod ground;
mod kills;
mod outside;
mod points;
mod power;
mod share;
mod states;
