//! What the hand-over asks of the new application. Refuses to know when.

use moult_boot::WriteRight;
use serde_json::Value;

#[cfg(doc)]
use crate::Successor;
use crate::local_api::Endpoint;
use crate::taker::Leaving;
use crate::wire::Last;

/// What the hand-over asks of the new application. The calls come from one thread, one at a time.
pub trait New: Send + 'static {
    /// Opens stores and engine, restores, types the keys, and comes to the top with the focus; then says
    /// [`Successor::raised`]. Without [`Taken::last`] the old one has gone: what is on the disk counts, and
    /// this may come before [`Successor::ready`] was said. It may return before all of that is done.
    fn take(&mut self, taken: Taken);

    /// Typed into the old window after what came before. In order, also when [`New::take`] is not done yet.
    fn keys(&mut self, keys: Vec<Value>);

    /// Says `ToLauncher::TookOver` to the launcher.
    fn claim(&mut self);

    /// This is the application now: lets go what was typed into its own window meanwhile. The last call.
    fn alone(&mut self);

    /// This process is not needed. Stops all that writes, drops the right, and ends; it may also return.
    /// The last call.
    fn leave(&mut self, why: Leaving);

    /// What was just said or heard, for the log.
    fn note(&mut self, what: &str) {
        let _ = what;
    }
}

/// What the new application gets.
#[derive(Debug)]
pub struct Taken {
    /// What the old one had; `None` if it has gone without a word.
    pub last: Option<Last>,
    /// The right to write.
    pub right: WriteRight,
    /// The local interface, if it was served.
    pub endpoint: Option<Endpoint>,
}
