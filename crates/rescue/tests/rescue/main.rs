//! A rescue against a real repository on a real server, with a real store and the launcher.

#![cfg(all(unix, not(target_os = "macos")))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't set up its world has failed"
)]

mod packages;
mod program;
mod publisher;
mod restored;
mod server;
mod world;
