//! What must work when everything else is broken: the store of installed versions, the boot machine
//! that says which of them starts, and the launcher that starts it.
//!
//! `BOOT.md` beside this crate lists every persisted field, each transition and what each crash
//! point leaves. This crate refuses to know networks, signatures, windows and bundles' contents;
//! what it is given is verified already, and it hashes it once more all the same.

pub mod app_image;
pub mod base;
pub mod bundles;
pub mod companion;
mod error;
pub mod launcher;
pub mod layout;
mod lines;
pub mod link;
pub mod machine;
pub mod place;
mod platform;
pub mod presence;
mod right;
pub mod state;
pub mod store;
mod token;

pub use app_image::{AppImage, Renewed};
pub use base::{Base, updates_executable};
pub use bundles::{BundleSlots, BundleStore, Installed};
pub use error::BootError;
pub use link::{HandOverOutcome, Link, Quit, ToApp, ToLauncher};
pub use place::Place;
pub use right::WriteRight;
pub use state::{Ban, BootState, Failure, Fallback, Rest, Rollback, Slot, SlotName, Trial, Why};
pub use store::{Collected, InUse, Start, Store};
pub use token::StartToken;
