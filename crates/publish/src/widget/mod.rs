//! What a widget's author does before anything is published: begin one, look it over, pack it, see it run.
//!
//! It knows folders, manifests and bundles. It refuses to know keys and repositories.

pub mod check;
pub mod component;
pub mod dev;
pub mod new;
pub mod project;
