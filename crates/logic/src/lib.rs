//! The child process that runs widget logic: `moult-sandbox`.
//!
//! It is started by the application, one for the widgets of one publisher, and a short-lived one for each component that is
//! compiled. Before anything else it gives up what rights it has ([`confine`]); from then on it has memory, a
//! processor and one connection to the application. It refuses to know what a capability means: calls of logic are
//! handed on, and answered by the application.

mod budget;
mod code;
pub mod compile;
pub mod confine;
pub mod engine;
mod guest;
mod instance;
pub mod run;
mod worlds;

/// Why the child can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// Rights could not be given up; nothing was run.
    #[error("the process could not be confined: {0}")]
    Confine(#[from] confine::ConfineError),
    /// The engine could not be made.
    #[error("the engine could not be made: {0}")]
    Engine(wasmtime::Error),
    /// The connection to the application is lost or makes no sense.
    #[error("the connection to the application ended: {0}")]
    Connection(#[from] std::io::Error),
}
