//! Widget logic, from the application's side: the child process that runs it, and what is said to it.
//!
//! Logic is a WebAssembly component of a stranger. It never runs in the application: one child process per
//! publisher runs it (`moult-sandbox`, crate `moult-logic`), without rights, and may be killed at any
//! moment. This module refuses to know WebAssembly.
//!
//! [`wire`] is what both processes say, [`process`] one child, [`effort`] what compiling may take, [`cache`] compiled code
//! between two starts, [`pool`] the children of all publishers, [`shadow`] the comparison of two versions.

pub mod cache;
pub mod effort;
pub mod pool;
pub mod process;
pub mod restart;
pub mod shadow;
pub mod wire;

pub use self::wire::{Fault, FaultKind, Limits};
