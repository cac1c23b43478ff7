//! `moult resign`: renews the timestamp and what has less than half of its time left. Nothing
//! that is released changes.

use std::fmt;

use moult_trust::sign::Resigned;
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::progress::Progress;
use crate::release::write_latest;
use crate::repository::{Open, sign_error};
use crate::store::Pushed;

#[derive(Serialize)]
struct Renewed {
    #[serde(flatten)]
    resigned: Resigned,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<Pushed>,
}

pub(super) fn run(context: &Context) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let progress = Progress::on_terminal();
    let mut open = Open::to_change(&workspace, context.now, &progress)?;
    let resigned = open
        .editor
        .resign(context.now)
        .map_err(sign_error("the metadata can't be signed"))?;
    if open.folder.join("latest").is_dir() {
        write_latest(&open, &workspace, context.now)?;
    }
    let pushed = open.finish(true, &[], &progress)?;
    drop(progress);
    context.output.report(&Renewed { resigned, pushed })
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
        write!(f, "timestamp  {version}, expires at {}", committed.expires)?;
        match &self.pushed {
            Some(pushed) => write!(f, "\n{pushed}"),
            None => Ok(()),
        }
    }
}
