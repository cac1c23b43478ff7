//! A million computers and a CDN, for a week that passes in minutes.
//!
//! What decides is the real code: `select` with the real index and orders, the place of a computer, waves, `Ways` for the
//! downloads, `between_checks` and `schedule::pause` for the times. What is simulated is the network, the clock, and when people
//! have their computers on. The same seed gives the same week, second for second.

mod clients;
mod figures;
mod load;
pub(crate) mod page;
mod script;
mod week;

pub(crate) use week::{Options, simulate};
