//! A million computers and a CDN, for a week that passes in minutes.
//!
//! What decides is the real code: `select` with the real index and orders, the place of a computer, waves, `Ways` for the
//! downloads, `between_checks` and `schedule::pause` for the times. What is simulated is the network, the clock, and when people
//! have their computers on. The same seed gives the same week, second for second.

mod clients;
mod figures;
mod load;
mod script;
mod week;

pub(crate) use figures::{Figures, Outage, Reach, Recall, WaveFigure};
pub(crate) use load::Load;
pub(crate) use script::{DAY, HOUR, WEEK, clock};
pub(crate) use week::{Options, simulate};
