//! What `moult` does, seen from outside: its output, its exit codes, and the files it leaves.

mod configuration;
mod errors;
mod http;
mod inspection;
#[cfg(target_os = "linux")]
mod installers;
mod patching;
mod serving;
mod story;
mod support;
mod usage;
mod widget;
