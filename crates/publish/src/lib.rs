//! The publisher's side of Moult: what the command `moult` does, and the static server that tests
//! start in process.
//!
//! Publishing ends with static files. It refuses to know where they are copied to, how clients
//! fetch them, and what an update does.

pub mod bundle_folder;
pub mod cli;
pub mod commands;
pub mod config;
pub mod diff_report;
pub mod doctor;
pub mod error;
pub mod full_file;
pub mod gate;
pub mod index_edit;
pub mod inspect;
pub mod installer;
pub mod interrupt;
pub mod latest;
pub mod offer;
pub mod output;
pub mod passphrase;
pub mod patch_file;
pub mod patches;
pub mod progress;
pub mod prune;
pub mod release;
pub mod repository;
pub mod sbom;
pub mod server;
pub mod setup;
pub mod sign_service;
pub mod staging;
pub mod store;
pub mod verify;
pub mod widget;

pub use error::PublishError;
