//! Hands a running application over to its successor while a window stands on the screen: state, input,
//! the right to write, and the listening socket of the local interface.
//!
//! The page is `docs/handover.md`: every message, limit and state. This crate refuses to know windows,
//! web pages, update engines and how processes are started. What goes over in the name of the page
//! (board, states, focus, keys) it passes on as it is.
//!
//! # The running application: [`Giver`]
//! ```no_run
//! # use moult_handover::{Giver, Limits, Old};
//! # fn example(data: &std::path::Path, old: impl Old, launcher_is_told: impl Fn(String, String)) -> Result<(), moult_handover::HandOverError> {
//! let giver = Giver::start(data, Limits::default(), old)?;    // listens, on a thread of its own
//! let offer = giver.offer();
//! launcher_is_told(offer.address.clone(), offer.token.clone()); // ToLauncher::HandOver
//! giver.begun("the start token");  // ToApp::HandOverBegun, each time that a successor was started
//! giver.ended(false);              // ToApp::HandOverEnded or Refused: the successor did not take over
//! giver.ended(true);               // the launcher asks for an end (SIGTERM) while this one is frozen
//! giver.withdraw();                // the user quits: call it off
//! # Ok(()) }
//! ```
//! All calls of [`Old`] come from one thread, one after the other, so they may block, but not for long.
//! Exactly one of [`Old::leave`] and [`Old::stays`] is the last call.
//!
//! # The new one: [`Taker`]
//! ```no_run
//! # use moult_handover::{Limits, Met, New, Offer, Taker};
//! # fn example(data: &std::path::Path, me: moult_handover::Caller, offer: &Offer, new: impl New) -> Result<(), moult_handover::HandOverError> {
//! match Taker::connect(data, offer, me, Limits::default())? {   // waits for the old one's Welcome
//!     Met::Alone(right) => { /* the old one has gone: start as always, with this right */ }
//!     Met::Welcomed(taker, welcome) => {
//!         // build the window underneath at `welcome.window`, read only
//!         let successor = taker.run(new);   // a thread; calls `New`
//!         successor.progress("window built");
//!         successor.ready();                // shell and widgets stand, two frames are painted
//!         // .. then New::take is called: open the stores, restore, replay the keys, raise, and
//!         successor.raised();               // after the second frame on top
//!         // .. then New::claim: say TookOver to the launcher, and New::alone: let go held back input
//!     }
//! }
//! # Ok(()) }
//! ```
//! An error of [`Taker::connect`] means that this process must end: the old one has the window and the
//! right. From its start until [`New::alone`] the new one holds back what is typed into its own window:
//! the keys of [`New::keys`] were typed before.

mod calls;
mod channel;
mod error;
#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a world that can't go on has failed its test"
)]
mod exploration;
mod giver;
mod giving;
mod limits;
mod local_api;
#[cfg(test)]
mod machine_tests;
mod moving;
mod new;
mod offer;
mod old;
mod socket;
mod taker;
mod taking;
mod wire;

pub use channel::{Channel, Incoming, Received};
pub use error::HandOverError;
pub use giver::Staying;
pub use giving::Giver;
pub use limits::Limits;
pub use local_api::{Endpoint, LocalApi};
pub use moving::{NotGiven, give, receive};
pub use new::{New, Taken};
pub use offer::{OFFER_VARIABLE, Offer};
pub use old::{Handed, Old, Thawed};
pub use taker::Leaving;
pub use taking::{Met, Successor, Taker};
pub use wire::{Caller, Last, PROTOCOL, ToNew, ToOld, Welcome, Window};
