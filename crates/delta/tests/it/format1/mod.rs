//! Format 1, which is decoded for ever.

mod by_hand;
mod damage;
mod hazards;
mod named;
mod round_trip;
