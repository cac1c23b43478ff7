//! What a client believes, shown against real repositories that are served with faults.

mod commits;
mod editing;
mod floors;
mod hazards;
mod keys;
mod named;
mod orders;
mod publishers;
mod quorum;
mod rehearsals;
mod replays;
mod requests;
mod signatures;
mod sources;
mod support;
