//! Crates that know nothing of each other, joined: what the real command line publishes goes through the
//! real server and the real engine into the real store. Only the application around the engine is scripted.

mod bundles;
mod executables;
mod faults;
mod power_model;
mod world;
