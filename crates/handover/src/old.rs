//! What the hand-over asks of the running application. Refuses to know when.

use std::time::Duration;

use moult_boot::WriteRight;
use serde_json::Value;

use crate::giver::Staying;
use crate::local_api::Endpoint;
use crate::wire::{Last, Welcome};

/// What the hand-over asks of the running application. The calls come from one thread, one at a time.
pub trait Old: Send + 'static {
    /// Saves everything to disk, and says what the successor begins with. `protocol` is filled in.
    fn welcome(&mut self) -> Result<Welcome, String>;

    /// For how long there was no input. `None` while text is being composed.
    fn calm_for(&mut self) -> Option<Duration>;

    /// Freezes the page so that it keeps what is typed, saves its states, stops the engine and all that
    /// writes, drops the tray and stops the local interface. An error means that all of it goes on as before.
    fn freeze(&mut self) -> Result<Handed, String>;

    /// What was typed since the last call, or since the freeze. With `all`, the successor is on top and
    /// has the focus: the page is asked for what it still has.
    fn keys(&mut self, all: bool) -> Vec<Value>;

    /// Goes on after [`Old::freeze`]: reads the records again, since the successor may have written them,
    /// starts what was stopped, and types the keys that [`Old::keys`] gave and those that it did not.
    fn thaw(&mut self, thawed: Thawed);

    /// Has the launcher end the successor, with `ToLauncher::Recall`.
    fn recall(&mut self);

    /// The successor took over: hides the window and ends the process. The last call.
    fn leave(&mut self);

    /// The application goes on. The last call.
    fn stays(&mut self, why: Staying);

    /// What was just said, heard or done, for the log.
    fn note(&mut self, what: &str) {
        let _ = what;
    }
}

/// What a frozen application hands over.
#[derive(Debug)]
pub struct Handed {
    /// What the page had.
    pub last: Last,
    /// The right to write.
    pub right: WriteRight,
    /// The local interface, if it is served.
    pub endpoint: Option<Endpoint>,
}

/// What a frozen application gets back.
#[derive(Debug)]
pub struct Thawed {
    /// The right to write. Another process may have had it meanwhile.
    pub right: WriteRight,
    /// The local interface, if it was served and its port could be had again.
    pub endpoint: Option<Endpoint>,
    /// Typed since the freeze, as far as [`Last::keys`] and [`Old::keys`] gave it away.
    pub keys: Vec<Value>,
}
