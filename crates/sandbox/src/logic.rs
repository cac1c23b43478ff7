//! The interface of widget logic.
//!
//! Logic is a WebAssembly component that implements the world in `wit/v0.1/widget.wit`. The host
//! drives it through [`Logic`] and nothing else, so that a swap of logic is the same four steps
//! as a swap of UI: load beside the old one, hand the state over, switch, release.

use moult_model::stage::SavedState;

/// A running instance of widget logic.
pub trait Logic: Send {
    /// Handles one event (JSON) and answers with JSON. At most 50 ms.
    fn handle(&mut self, event: &str) -> Result<String, LogicError>;

    /// The state as of now, in the schema of this version. At most 1 MiB.
    fn snapshot(&mut self) -> Result<SavedState, LogicError>;

    /// Takes over the state of another version.
    fn restore(&mut self, state: &SavedState) -> Result<(), LogicError>;
}

/// Why logic did not answer. After any of these the instance is discarded and the last snapshot restored in a new one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogicError {
    /// It refused the state it was given.
    #[error("the logic refused the state: {0}")]
    StateRefused(String),
    /// It trapped.
    #[error("the logic trapped: {0}")]
    Trapped(String),
    /// It took too long.
    #[error("the logic did not answer within {0} ms")]
    TimedOut(u32),
    /// It needed too much memory.
    #[error("the logic asked for more than {0} bytes of memory")]
    OutOfMemory(u64),
}
