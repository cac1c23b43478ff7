//! What the executable was born with: whom it trusts, and where it asks if the settings do not say.

use moult_trust::Anchor;

use crate::RescueError;

const ROOT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/root.json"));
const FLOOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/floor.json"));
const MINISIGN: &str = include_str!(concat!(env!("OUT_DIR"), "/minisign.pub"));

/// What is trusted from the beginning. An error in a build that was made without trust files.
pub fn anchor() -> Result<Anchor, RescueError> {
    if ROOT.is_empty() {
        return Err(RescueError::NoTrust);
    }
    let floor = serde_json::from_slice(FLOOR).map_err(|source| RescueError::Floor { source })?;
    Ok(Anchor {
        root: ROOT.to_vec(),
        floor,
        minisign: MINISIGN.trim().to_owned(),
    })
}

/// The repository that is asked when the settings name none that answers.
pub fn repository() -> Option<&'static str> {
    Some(env!("MOULT_REPOSITORY")).filter(|address| !address.is_empty())
}

/// The target triple that this was built for.
pub fn triple() -> &'static str {
    env!("MOULT_TARGET")
}

/// This program's own version.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
