//! A key folder: what is compiled into the app, and nothing secret. No other file is opened.

use std::fmt;
use std::path::Path;

use moult_trust::Floor;
use serde::Serialize;

use super::metadata;
use crate::PublishError;

/// The public part of a key folder.
#[derive(Debug, Serialize)]
pub struct KeyFolder {
    root_version: u64,
    root_expires: String,
    floor: Floor,
    minisign: String,
}

impl KeyFolder {
    pub(super) fn read(folder: &Path) -> Result<Self, PublishError> {
        let public = folder.join("public");
        let text = |name: &str| {
            let path = public.join(name);
            std::fs::read_to_string(&path).map_err(|source| PublishError::InspectRead { path, source })
        };
        let root = metadata::read(&public.join("root.json"))?;
        let floor =
            serde_json::from_str(&text("floor.json")?).map_err(|source| PublishError::InspectMetadata {
                path: public.join("floor.json"),
                source,
            })?;
        let minisign = text("minisign.pub")?.trim().to_owned();
        Ok(Self {
            root_version: root.version,
            root_expires: root.expires,
            floor,
            minisign,
        })
    }
}

impl fmt::Display for KeyFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "keys, the public part")?;
        writeln!(f)?;
        writeln!(
            f,
            "root      version {}, expires {}",
            self.root_version, self.root_expires
        )?;
        for (name, role) in &self.floor.roles {
            writeln!(
                f,
                "floor     {name} version {}, keys {}",
                role.version,
                role.keys.short()
            )?;
        }
        write!(f, "minisign  {}", self.minisign)
    }
}
