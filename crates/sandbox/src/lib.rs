//! What a bundle may do.
//!
//! A bundle declares capabilities in its manifest, the user grants them one by one, and
//! [`Broker`] is the only door through which a call reaches the host. This crate decides; it
//! refuses to know how a grant is stored, how a bundle was fetched, or what a window is.
//!
//! [`logic`] is the interface of widget logic, whose contract is `wit/v0.1/widget.wit`.

mod broker;
mod capability;
mod grants;
pub mod logic;

pub use broker::{Broker, CapabilityError, Powers, SystemFigures};
pub use capability::Capability;
pub use grants::{Decision, Grants};
