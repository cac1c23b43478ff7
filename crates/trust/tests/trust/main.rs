//! What a client believes, shown against real repositories that are served with faults.

mod commits;
mod editing;
mod floors;
mod hazards;
mod keys;
mod named;
mod publishers;
mod rehearsals;
mod replays;
mod requests;
mod signatures;
mod support;
