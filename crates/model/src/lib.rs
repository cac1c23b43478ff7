//! The nouns of Moult and their wire shapes.
//!
//! Every other crate speaks in these types. This one refuses to know how anything is
//! stored, fetched, shown or signed: it has no input or output, no clock and no randomness.

pub mod board;
pub mod bundle;
pub mod channel;
pub mod config;
pub mod developer;
pub mod digest;
pub mod explanation;
pub mod index;
pub mod not_tried;
pub mod problem;
pub mod progress;
pub mod rollout;
pub mod settings;
pub mod stage;
pub mod subject;
pub mod tolerant;

pub use bundle::{Bundle, BundleError, BundleManifest};
pub use channel::Channel;
pub use config::ReleaseConfig;
pub use digest::{Digest, Hasher};
pub use explanation::{Candidate, Explanation, Verdict};
pub use index::{Index, Patch, Release};
pub use not_tried::{NotTried, Obstacle};
pub use problem::{ErrorCode, Problem};
pub use progress::{Activity, HistoryEntry, Hold, Outcome, Phase, PlanStep};
pub use rollout::{Orders, ReleasePolicy, Share};
pub use semver::Version;
pub use settings::{Delivery, Mode, Settings, Stage, StagePolicy, Stages};
pub use subject::{Subject, WidgetId};

/// The version of the contract between the host and the bundles it loads.
///
/// A bundle names the range it was made for ([`bundle::HostApi`]); a host outside the range refuses it.
pub const HOST_API: u32 = 1;
