//! The publisher's side of Moult: what the command `moult` does, and the static server that tests
//! start in process.
//!
//! Publishing ends with static files. It refuses to know where they are copied to, how clients
//! fetch them, and what an update does.

pub mod bundle_folder;
pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
pub mod full_file;
pub mod index_edit;
pub mod inspect;
pub mod installer;
pub mod interrupt;
pub mod latest;
pub mod output;
pub mod patch_file;
pub mod patches;
pub mod progress;
pub mod release;
pub mod repository;
pub mod server;
pub mod widget;

pub use error::PublishError;
