//! Proves the crate from outside, through what it offers.
#![expect(clippy::unwrap_used, reason = "a test that can't make its patch has failed")]

mod by_hand;
mod damage;
mod hazards;
mod round_trip;
