//! The update engine: a pure machine, and a thin driver that fetches, patches, verifies and activates.
//!
//! ```text
//! trust (authentic, current) -> select -> plan -> fetch -> rebuild -> verify -> stage -> activate
//!                                                                                  -> confirm | roll back
//! ```
//! One engine serves the executable, the shell and every widget. What differs is only what *activate*
//! means, and that is the [`Host`]'s. The engine refuses to know windows, frames and processes; what it
//! decides is pure ([`machine`], [`select`], [`plan`], [`reconcile`]), and what it does is in the driver.
//!
//! # What it keeps
//! In the data folder: `update/history`, `update/tasks`, `update/choices`, `update/orders`, `update/set`,
//! `update/explained` and `update/install` (two copies each), `trust/` (what is believed), and in `staging/` downloads on their way (`<digest>.part` with a sidecar
//! `<digest>.json`), complete ones (`<digest>.download`) and artifacts being rebuilt (`<update>.new`).
//! Staging may be emptied at any time; it costs downloads and nothing else.

pub mod artifact;
mod check;
mod choices;
pub mod delivery;
mod driver;
mod engine;
mod error;
pub mod fetch;
mod host;
mod job;
mod link;
pub mod machine;
pub mod modes;
mod perform;
pub mod plan;
pub mod reconcile;
pub mod record;
mod records;
pub mod schedule;
pub mod select;
pub mod set;
pub mod vitals;
pub mod words;

pub use driver::between_checks;
pub use engine::{Engine, EngineConfig, Picture};
pub use error::UpdateError;
pub use futures_util::future::BoxFuture;
pub use host::{
    ExecutableDecision, HandOver, Host, StagedBundle, StagedExecutable, SwapFigures, SwapRefusal,
};
pub use moult_boot::Installed;
pub use records::{explained, orders_in_force};
pub use vitals::{Verdict, Vital, Vitals};
