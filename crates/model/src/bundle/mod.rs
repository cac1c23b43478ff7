//! Bundles: versioned packages of UI, logic and assets, in one canonical uncompressed file.
//!
//! `docs/bundle-format.md` describes the bytes. The same files and the same manifest always
//! give the same bytes, so a bundle's digest is its identity and small edits make small patches.

mod archive;
mod check;
mod manifest;
mod resources;
mod settings;
mod shadow;

pub use archive::{Bundle, BundleError, Entry};
pub use check::ManifestError;
pub use manifest::{BundleKind, BundleManifest, EntryPoints, HostApi, Permission, Size, StateSchema};
pub use resources::resources_between;
pub use settings::{ChoiceOption, FieldKind, Setting, Words, values};
pub use shadow::{CompareRule, ShadowRun, TrialRule};
