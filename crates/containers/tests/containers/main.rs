//! The crate as its callers use it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod make;
mod refusals;
mod round_trip;
