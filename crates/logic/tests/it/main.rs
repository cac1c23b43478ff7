//! Widget logic in its child process, as the application runs it: good logic, bad logic, and what is left to it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

#[cfg(target_os = "linux")]
mod confined;
mod hostile;
mod javascript;
mod running;
mod support;
