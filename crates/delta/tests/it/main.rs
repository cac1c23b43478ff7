//! Proves the crate from outside, through what it offers.
#![expect(clippy::unwrap_used, reason = "a test that can't make its patch has failed")]

mod files;
mod format1;
mod format2;
#[path = "../../src/testing/golden.rs"]
mod golden;
mod programs;
