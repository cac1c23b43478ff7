//! The powers that exist. docs/host-api.md is their list for people.

use std::fmt;
use std::str::FromStr;

/// A power that the host can lend to a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// The load of the processor, and how much memory, disk and network is used.
    SystemFigures,
    /// Requests over HTTPS to declared hosts.
    Network,
    /// Keys and values of one widget.
    Storage,
    /// Notifications of the system.
    Notifications,
    /// Puts text on the clipboard.
    ClipboardWrite,
    /// Opens an address in the browser.
    OpenUrl,
    /// Wakes the logic.
    Timers,
    /// Events and requests between widgets.
    Bus,
    /// Values that several widgets see.
    Shared,
}

/// A name that no capability has in this host.
#[derive(Debug, thiserror::Error)]
#[error("this host knows no capability `{0}`")]
pub struct UnknownCapability(String);

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SystemFigures,
        Self::Network,
        Self::Storage,
        Self::Notifications,
        Self::ClipboardWrite,
        Self::OpenUrl,
        Self::Timers,
        Self::Bus,
        Self::Shared,
    ];

    /// The name that manifests use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SystemFigures => "system.figures",
            Self::Network => "network",
            Self::Storage => "storage",
            Self::Notifications => "notifications",
            Self::ClipboardWrite => "clipboard.write",
            Self::OpenUrl => "open.url",
            Self::Timers => "timers",
            Self::Bus => "bus",
            Self::Shared => "shared",
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
        let found = Self::ALL.into_iter().find(|capability| capability.name() == name);
        found.ok_or_else(|| UnknownCapability(name.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_back_to_its_capability() {
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse::<Capability>().ok(), Some(capability));
        }
        assert!("everything".parse::<Capability>().is_err());
    }
}
