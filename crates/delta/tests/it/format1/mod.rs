//! Format 1, which is decoded for ever.

mod by_hand;
mod damage;
mod hazards;
mod round_trip;
