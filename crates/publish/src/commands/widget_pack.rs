//! `moult widget pack`: makes the bundle of a built widget.

use std::fmt;
use std::path::PathBuf;

use moult_model::{Digest, Subject};
use serde::Serialize;

use super::Context;
use super::widget_check::faultless;
use crate::PublishError;
use crate::cli::WidgetPackArgs;
use crate::output::Size;
use crate::widget::check::{Finding, count};
use crate::widget::project::Project;

#[derive(Serialize)]
struct Bundled {
    widget: Subject,
    version: String,
    bundle: PathBuf,
    bytes: u64,
    files: usize,
    sha256: Digest,
    doubts: usize,
    findings: Vec<Finding>,
}

pub(super) fn run(context: &Context, args: &WidgetPackArgs) -> Result<(), PublishError> {
    let (checked, packed) = faultless(context, &args.folder)?;
    let manifest = &packed.manifest;
    let path = args.out.clone().unwrap_or_else(|| {
        let name = match &manifest.id {
            Subject::Widget(id) => format!("{}-{}", id.publisher(), id.name()),
            other => other.to_string(),
        };
        PathBuf::from(format!("{name}-{}.bundle", manifest.version))
    });
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
    let real = |path: &std::path::Path| {
        std::fs::canonicalize(path).map_err(|source| PublishError::FolderRead {
            path: path.to_owned(),
            source,
        })
    };
    if real(&folder)?.starts_with(real(&Project::open(&args.folder)?.built)?) {
        return Err(PublishError::PackedInside { path });
    }
    moult_durable::write_atomic(&path, &packed.bytes)?;
    context.output.report(&Bundled {
        widget: manifest.id.clone(),
        version: manifest.version.to_string(),
        bytes: packed.bytes.len() as u64,
        files: checked.files,
        sha256: Digest::of(&packed.bytes),
        bundle: path,
        doubts: checked.doubts,
        findings: checked.findings,
    })
}

impl fmt::Display for Bundled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "widget   {} {}", self.widget, self.version)?;
        writeln!(
            f,
            "bundle   {} {}, {} files",
            self.bundle.display(),
            Size(self.bytes),
            self.files
        )?;
        write!(f, "sha256   {}", self.sha256)?;
        if self.doubts > 0 {
            let doubts = count(self.doubts, "doubt");
            write!(f, "\nfound    {doubts}; `moult widget check` says which")?;
        }
        Ok(())
    }
}
