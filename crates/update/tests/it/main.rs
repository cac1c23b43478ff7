//! The engine against a real repository over real HTTP, with real stores and a scripted host.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod bundles;
mod executable;
mod fetching;
mod hazards;
mod kills;
mod signed_patches;
mod steering;
mod support;
mod wrong_byte;
