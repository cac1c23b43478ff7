//! What the executable was born with: its version, the shell it can fall back to, and whom it trusts.

use anyhow::Context as _;
use moult_model::{Bundle, Version};
use moult_trust::Anchor;

const SHELL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shell.bundle"));
const ROOT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/root.json"));
const FLOOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/floor.json"));
const MINISIGN: &str = include_str!(concat!(env!("OUT_DIR"), "/minisign.pub"));

/// The target triple that the executable was built for.
pub(crate) const TRIPLE: &str = env!("MOULT_TARGET");

/// What the executable was born with.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) version: Version,
    pub(crate) shell: Bundle,
    /// None in a build that was made without trust files: it runs, and does not update.
    pub(crate) anchor: Option<Anchor>,
}

impl Build {
    pub(crate) fn new(version: &str) -> anyhow::Result<Self> {
        let version = version
            .parse()
            .with_context(|| format!("`{version}` is not a version"))?;
        let shell = Bundle::parse(SHELL).context("the embedded shell is broken")?;
        let anchor = if ROOT.is_empty() {
            None
        } else {
            let floor = serde_json::from_slice(FLOOR).context("the embedded floor is broken")?;
            Some(Anchor {
                root: ROOT.to_vec(),
                floor,
                minisign: MINISIGN.trim().to_owned(),
            })
        };
        Ok(Self {
            version,
            shell,
            anchor,
        })
    }
}
