//! Why the patch between two releases is so big: where its bytes went, and which files of a bundle changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Cursor;
use std::path::Path;

use moult_model::{Bundle, Index, Release, Subject, Version};
use serde::Serialize;

use crate::offer::OfferError;
use crate::output::Size;
use crate::progress::Progress;
use crate::{PublishError, full_file};

/// What the report says.
#[derive(Debug, Serialize)]
pub struct DiffReport {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    from: Version,
    to: Version,
    patch_size: u64,
    full_size: u64,
    /// Whether clients are offered this patch, or it was made for the report.
    is_listed: bool,
    /// Bytes of the new artifact that are copied from the old one.
    copied: u64,
    /// Bytes of the new artifact that are not.
    new: u64,
    /// What cost most, the dearest first.
    contributors: Vec<Contributor>,
    /// Files of a bundle that differ, the largest first.
    files: Vec<ChangedFile>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Contributor {
    /// The part of the new artifact.
    section: String,
    /// What the bytes say.
    stream: String,
    size: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ChangedFile {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_size: Option<u64>,
}

/// Makes the report from the releases in the repository.
pub fn report(
    repository: &Path,
    index: &Index,
    [from, to]: [&Version; 2],
    top: usize,
    progress: &Progress,
) -> Result<DiffReport, PublishError> {
    let find = |version: &Version| -> Result<&Release, OfferError> {
        index.release(version).ok_or_else(|| OfferError::UnknownVersion {
            version: version.clone(),
            known: index
                .releases
                .iter()
                .map(|release| release.version.clone())
                .collect(),
        })
    };
    let (old, new) = (find(from)?, find(to)?);
    progress.stage("unpacking");
    let old_bytes = full_file::recover(repository, old)?;
    let new_bytes = full_file::recover(repository, new)?;
    let listed = index
        .patches
        .iter()
        .find(|patch| patch.from == old.digest && patch.to == new.digest)
        .and_then(|patch| std::fs::read(repository.join("targets").join(&patch.path)).ok());
    let is_listed = listed.is_some();
    let patch = if let Some(patch) = listed {
        patch
    } else {
        progress.stage("making the patch");
        let mut patch = Vec::new();
        moult_delta::diff(&old_bytes, &new_bytes, &mut patch).map_err(|source| PublishError::Diff {
            from: from.clone(),
            to: to.clone(),
            source,
        })?;
        patch
    };
    progress.stage("weighing its bytes");
    let refused = |source| PublishError::PatchRefused {
        from: from.clone(),
        to: to.clone(),
        source: Box::new(source),
    };
    let contents = moult_delta::contents(&patch[..]).map_err(refused)?;
    let breakdown = moult_delta::breakdown(&mut Cursor::new(&old_bytes), &patch[..]).map_err(refused)?;
    let mut spent: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for (at, stream, bytes) in &breakdown.spent {
        *spent.entry((*at, stream.name())).or_default() += bytes;
    }
    let section = |at: usize| {
        contents.sections.get(at).map_or_else(
            || "elsewhere".to_owned(),
            |section| match section.kind {
                kind if section.bytes == 0 || at == 0 => kind.to_owned(),
                kind => format!("{kind} at {:#x}, {}", section.offset, Size(section.bytes)),
            },
        )
    };
    let mut contributors: Vec<_> = spent
        .into_iter()
        .map(|((at, stream), size)| Contributor {
            section: section(at),
            stream: stream.to_owned(),
            size,
        })
        .chain([Contributor {
            section: "the patch itself".to_owned(),
            stream: "control".to_owned(),
            size: contents.control_bytes,
        }])
        .filter(|contributor| contributor.size > 0)
        .collect();
    contributors.sort_by(|a, b| {
        let names = |contributor: &Contributor| (contributor.section.clone(), contributor.stream.clone());
        b.size.cmp(&a.size).then_with(|| names(a).cmp(&names(b)))
    });
    contributors.truncate(top);
    let mut files = changed_files(&old_bytes, &new_bytes);
    files.truncate(top);
    Ok(DiffReport {
        subject: index.subject.clone(),
        triple: index.triple.clone(),
        from: from.clone(),
        to: to.clone(),
        patch_size: patch.len() as u64,
        full_size: new.full.size,
        is_listed,
        copied: contents.copied_bytes,
        new: contents.new_bytes,
        contributors,
        files,
    })
}

/// Which files of two bundles differ; none for executables.
fn changed_files(old: &[u8], new: &[u8]) -> Vec<ChangedFile> {
    let (Ok(old), Ok(new)) = (Bundle::parse(old.to_vec()), Bundle::parse(new.to_vec())) else {
        return Vec::new();
    };
    let paths: BTreeSet<_> = old.paths().chain(new.paths()).collect();
    let mut files: Vec<_> = paths
        .into_iter()
        .filter(|path| old.file(path) != new.file(path))
        .map(|path| {
            let size = |bundle: &Bundle| bundle.file(path).map(|bytes| bytes.len() as u64);
            ChangedFile {
                path: path.to_owned(),
                old_size: size(&old),
                new_size: size(&new),
            }
        })
        .collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.new_size.unwrap_or_default()));
    files
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triple = self.triple.iter().map(|triple| format!(" for {triple}"));
        let triple: String = triple.collect();
        writeln!(f, "{}{triple}, {} -> {}", self.subject, self.from, self.to)?;
        let share = self.patch_size as f64 * 100.0 / self.full_size.max(1) as f64;
        let listed = if self.is_listed {
            ""
        } else {
            "; clients are not offered it"
        };
        writeln!(
            f,
            "  patch      {:>10}  {share:.1} % of the full file{listed}",
            Size(self.patch_size)
        )?;
        writeln!(f, "  full file  {:>10}", Size(self.full_size))?;
        writeln!(f, "  copied     {:>10}  of the new artifact", Size(self.copied))?;
        writeln!(f, "  new        {:>10}", Size(self.new))?;
        writeln!(f, "what cost most")?;
        for contributor in &self.contributors {
            let share = contributor.size as f64 * 100.0 / self.patch_size.max(1) as f64;
            let Contributor {
                section,
                stream,
                size,
            } = contributor;
            writeln!(f, "  {:>10}  {share:>4.1} %  {stream} in {section}", Size(*size))?;
        }
        if !self.files.is_empty() {
            writeln!(f, "files that differ")?;
        }
        for file in &self.files {
            let kind = match (file.old_size, file.new_size) {
                (None, _) => "new".to_owned(),
                (_, None) => "removed".to_owned(),
                (Some(old), Some(_)) => format!("was {}", Size(old)),
            };
            let size = Size(file.new_size.unwrap_or_default());
            writeln!(f, "  {size:>10}  {}  {kind}", file.path)?;
        }
        Ok(())
    }
}
