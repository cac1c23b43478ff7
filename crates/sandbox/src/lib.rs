//! What a bundle may do.
//!
//! A bundle declares capabilities in its manifest, the user grants them one by one, and
//! [`Broker`] is the only door through which a call reaches the host. This crate decides; it
//! refuses to know how a grant is stored, how a bundle was fetched, or what a window is.
//!
//! [`logic`] starts the child processes that run widget logic, whose contract is `sdk/wit/`.

mod broker;
pub mod bus;
pub mod call;
mod capability;
pub mod ears;
mod grants;
pub mod logic;
mod rate;
mod shared;
mod storage;
pub mod timers;
mod uses;
mod waiting;

pub use broker::{Broker, Caller, CapabilityError, SystemFigures, reaches};
pub use bus::Bus;
pub use call::Call;
pub use capability::{Capability, UnknownCapability};
pub use ears::{Ear, Ears, Side};
pub use grants::{Decision, Grants};
pub use rate::Bucket;
pub use shared::Shared;
pub use storage::{Storage, StorageError};
pub use timers::Timers;
pub use uses::Uses;
pub use waiting::{Turn, Waiting};
