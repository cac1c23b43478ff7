//! What `moult` does, seen from outside: its output, its exit codes, and the files it leaves.

mod configuration;
mod errors;
mod explanation;
mod http;
mod inspection;
#[cfg(target_os = "linux")]
mod installers;
mod keys;
mod nginx;
mod offering;
mod patching;
mod policy;
mod s3;
mod serving;
mod setup;
mod signing;
mod stores;
mod story;
mod support;
mod upkeep;
mod usage;
mod widget;
