//! Bundles: versioned packages of UI, logic and assets, in one canonical uncompressed file.
//!
//! `docs/bundle-format.md` describes the bytes. The same files and the same manifest always
//! give the same bytes, so a bundle's digest is its identity and small edits make small patches.

mod archive;
mod manifest;

pub use archive::{Bundle, BundleError, Entry};
pub use manifest::{BundleKind, BundleManifest, EntryPoints, HostApi, Permission, Size, StateSchema};
