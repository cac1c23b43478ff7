//! `moult resign`: renews the timestamp and what has less than half of its time left. Nothing
//! that is released changes.

use std::fmt;

use moult_trust::sign::Resigned;
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::repository::{Open, sign_error};

#[derive(Serialize)]
struct Renewed {
    #[serde(flatten)]
    resigned: Resigned,
}

pub(super) fn run(context: &Context) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let mut open = Open::existing(&workspace)?;
    let resigned = open
        .editor
        .resign(context.now)
        .map_err(sign_error("the metadata can't be signed"))?;
    context.output.report(&Renewed { resigned })
}

impl fmt::Display for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let committed = &self.resigned.committed;
        for path in &committed.written {
            writeln!(f, "signed     {path}")?;
        }
        for (role, expires) in &self.resigned.left {
            writeln!(
                f,
                "left       {role}, whose key is not here; it expires at {expires}"
            )?;
        }
        let version = committed.timestamp_version;
        write!(f, "timestamp  {version}, expires at {}", committed.expires)
    }
}
