//! The real launcher with real processes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]

mod hand_over;
mod never_brick;
mod starting;
mod support;
