//! The engine against a real repository over real HTTP, with real stores and a scripted host.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod bundles;
mod delivery;
mod executable;
mod fetching;
mod hazards;
mod kills;
mod mirrors;
mod signed_patches;
mod steering;
mod support;
mod tls;
mod wrong_byte;
