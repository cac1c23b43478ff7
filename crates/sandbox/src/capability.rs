//! The powers that exist.

use std::fmt;
use std::str::FromStr;

/// A power that the host can lend to a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// `system.figures`: the load of the processor, and how much memory and disk is used.
    SystemFigures,
}

/// A name that no capability has in this host.
#[derive(Debug, thiserror::Error)]
#[error("this host knows no capability `{0}`")]
pub struct UnknownCapability(String);

impl Capability {
    /// The name that manifests use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SystemFigures => "system.figures",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        match name {
            "system.figures" => Ok(Self::SystemFigures),
            _ => Err(UnknownCapability(name.chars().take(64).collect())),
        }
    }
}
