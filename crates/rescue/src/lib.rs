//! Brings a good version back when no installed one starts: fetch and trust, without a window.
//!
//! [`rescue`] asks the repository what is published, believes nothing that it has not verified, and puts
//! the highest good release on trial; the launcher starts it like any other. It is one try, started by the
//! launcher or by hand, and never a loop. It refuses to know windows, bundles, patches and what was wrong
//! with the versions that failed.
//!
//! [`package`] is the one step that asks for an administrator's rights: it installs a system package that
//! this product's publisher signed, and nothing else.

mod build;
mod choose;
mod config;
mod error;
#[cfg(unix)]
pub mod package;
pub mod program;
mod rescue;
mod screen;
mod stamp;

pub use build::{anchor, repository, triple, version};
pub use choose::choose;
pub use config::RescueConfig;
pub use error::{Exit, RescueError};
pub use rescue::{Rescued, Step, rescue};
pub use screen::Screen;
