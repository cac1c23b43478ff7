//! What is in a patch and, with its old file, where its bytes went. It refuses to judge whether that is
//! much.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;

use moult_delta::{ApplyError, Breakdown, Contents};
use moult_model::Digest;
use serde::Serialize;

use super::container::{self, Recipe};
use super::{PatchError, header, is_of_containers, open};
use crate::inspect::PatchHeader;
use crate::output::Size;

/// Bytes by the name of the stream that they were spent on.
type Spent = BTreeMap<&'static str, u64>;

/// What is in a patch.
#[derive(Debug, Serialize)]
pub struct PatchContents {
    #[serde(flatten)]
    header: PatchHeader,
    /// Format 1 tells no more than its header.
    #[serde(flatten)]
    inside: Option<Inside>,
    /// Of a patch between containers.
    #[serde(flatten)]
    recipe: Option<Recipe>,
}

#[derive(Debug, Serialize)]
struct Inside {
    parts: u64,
    framing: u64,
    control: u64,
    body: u64,
    segments: u64,
    copied: u64,
    new: u64,
    page_hashes: u64,
    sections: Vec<Section>,
    /// Of the body, in all sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<Spent>,
}

/// A region of the new file, or, as the first, all between them.
#[derive(Debug, Serialize)]
struct Section {
    kind: &'static str,
    offset: u64,
    size: u64,
    copied: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<Spent>,
}

/// Looks into a patch, and with its old file also at where the bytes went.
pub fn look_into(path: &Path, old: Option<&Path>) -> Result<PatchContents, PatchError> {
    let mut file = open("patch", path)?;
    let read = PatchError::read;
    let (digest, size) = Digest::of_reader(&mut file).map_err(read("patch", path))?;
    file.rewind().map_err(read("patch", path))?;
    if is_of_containers(path, &mut file)? {
        let (header, recipe) = container::recipe(path, file)?;
        return Ok(PatchContents {
            header: PatchHeader::of_containers(size, digest, &header),
            inside: None,
            recipe: Some(recipe),
        });
    }
    let header = header(path, &mut file)?;
    let inside = match contents(&mut file) {
        Ok(contents) => Some(contents),
        Err(ApplyError::Format(format)) if format == moult_delta::format1::FORMAT => None,
        Err(source) => {
            return Err(PatchError::Look {
                patch: path.to_owned(),
                source: Box::new(source),
            });
        }
    };
    let spent = match (old, &inside) {
        (Some(old), Some(_)) => {
            let mut old_file = open("old file", old)?;
            let spent = moult_delta::breakdown(&mut old_file, file);
            Some(spent.map_err(|source| PatchError::Apply {
                patch: path.to_owned(),
                old: old.to_owned(),
                source: Box::new(source),
            })?)
        }
        _ => None,
    };
    Ok(PatchContents {
        header: PatchHeader::new(size, digest, &header),
        inside: inside.map(|contents| Inside::of(&contents, spent.as_ref(), size)),
        recipe: None,
    })
}

/// Leaves the file at its beginning.
fn contents(patch: &mut File) -> Result<Contents, ApplyError> {
    let contents = moult_delta::contents(BufReader::new(&mut *patch))?;
    patch.rewind().map_err(ApplyError::Patch)?;
    Ok(contents)
}

impl Inside {
    fn of(contents: &Contents, breakdown: Option<&Breakdown>, size: u64) -> Self {
        let mut sections: Vec<_> = contents
            .sections
            .iter()
            .map(|section| Section {
                kind: section.kind,
                offset: section.offset,
                size: section.bytes,
                copied: section.copied_bytes,
                spent: breakdown.map(|_| Spent::new()),
            })
            .collect();
        let spent = breakdown.map(|breakdown| {
            let mut all = Spent::new();
            for (at, stream, bytes) in &breakdown.spent {
                *all.entry(stream.name()).or_default() += bytes;
                let section = sections.get_mut(*at).and_then(|section| section.spent.as_mut());
                if let Some(section) = section {
                    *section.entry(stream.name()).or_default() += bytes;
                }
            }
            all
        });
        let (control, body) = (contents.control_bytes, contents.body_bytes);
        Self {
            parts: contents.parts,
            framing: size.saturating_sub(control + body),
            control,
            body,
            segments: contents.segments,
            copied: contents.copied_bytes,
            new: contents.new_bytes,
            page_hashes: contents.hash_bytes,
            sections,
            spent,
        }
    }
}

impl fmt::Display for PatchContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)?;
        match (&self.inside, &self.recipe) {
            (Some(inside), _) => write!(f, "\n{inside}"),
            (_, Some(recipe)) => write!(f, "\n{recipe}"),
            (None, None) => f.write_str("\nwhat this format spends its bytes on can't be told"),
        }
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "parts   {:>10}", self.parts)?;
        writeln!(f, "\nthe patch")?;
        writeln!(f, "  framing      {:>10}", Size(self.framing))?;
        let segments = self.segments;
        writeln!(
            f,
            "  control      {:>10}  {segments} segments",
            Size(self.control)
        )?;
        writeln!(f, "  body         {:>10}", Size(self.body))?;
        writeln!(f, "\nthe new file")?;
        writeln!(f, "  copied       {:>10}", Size(self.copied))?;
        writeln!(f, "  new          {:>10}", Size(self.new))?;
        writeln!(f, "  page hashes  {:>10}", Size(self.page_hashes))?;
        writeln!(
            f,
            "\n  #  {:<14} {:>10} {:>10} {:>10}",
            "section", "offset", "size", "copied"
        )?;
        for (at, section) in self.sections.iter().enumerate() {
            let offset = format!("{:#x}", section.offset);
            let (size, copied) = (Size(section.size), Size(section.copied));
            writeln!(
                f,
                "{at:>3}  {:<14} {offset:>10} {size:>10} {copied:>10}",
                section.kind
            )?;
        }
        self.spent.as_ref().map_or(Ok(()), |spent| self.table(f, spent))
    }
}

impl Inside {
    /// Where the body went: a column for each stream, the dearest first.
    fn table(&self, f: &mut fmt::Formatter<'_>, all: &Spent) -> fmt::Result {
        let mut streams: Vec<_> = all.iter().collect();
        // The names are in order already, and stay so where the bytes are equal.
        streams.sort_by_key(|(_, bytes)| std::cmp::Reverse(**bytes));
        let row = |f: &mut fmt::Formatter<'_>, spent: &Spent| {
            for (stream, _) in &streams {
                let bytes = spent.get(*stream).copied().unwrap_or_default();
                write!(f, " {:>11}", Size(bytes))?;
            }
            writeln!(f, " {:>10}", Size(spent.values().sum()))
        };
        writeln!(f, "\nwhere the body went")?;
        write!(f, "  #  {:<14}", "section")?;
        for (stream, _) in &streams {
            write!(f, " {stream:>11}")?;
        }
        writeln!(f, " {:>10}", "all")?;
        for (at, section) in self.sections.iter().enumerate() {
            if let Some(spent) = section.spent.as_ref().filter(|spent| !spent.is_empty()) {
                write!(f, "{at:>3}  {:<14}", section.kind)?;
                row(f, spent)?;
            }
        }
        write!(f, "     {:<14}", "all")?;
        row(f, all)
    }
}
