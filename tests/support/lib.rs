//! What the tests of the whole share: real builds, a real publisher, a real server, a real display
//! and a driver for the running application.
//!
//! Nothing here stands in for a part of the product. The one thing that is not part of it is the
//! [`proxy`], which damages what passes through it, as networks do.

pub mod access;
pub mod display;
pub mod drill;
pub mod driver;
pub mod fixtures;
pub mod install;
pub mod pixels;
pub mod power;
pub mod processes;
pub mod proxy;
pub mod publisher;
pub mod records;
pub mod scene;
pub mod serve;
pub mod stage;
pub mod steps;
pub mod swap;
pub mod tree;
pub mod wait;
