//! Bundles that try everything, in the real application. Each file is about one thing that must not be had.
//!
//! A hostile bundle is made of `bundles/attacks.js` and is published, installed and started as any other. Beside it
//! stands a good neighbour, whose frames are timed and whose state must not be lost. For each denial there is a control
//! in the same test: the same attempt where it is allowed, or in a page without a sandbox. So a test that would find
//! nothing because nothing was tried fails.

mod bundles;
mod commands;
mod floods;
mod ground;
mod keyboard;
mod lies;
mod network;
mod pages;
mod standstill;
mod wire;
