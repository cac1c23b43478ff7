//! `moult widget check`: what a host would refuse or an author would regret, with where it is and how it is mended.
//!
//! A fault is what a host refuses, or what can't work. A doubt is what works and is seldom meant. The code of a
//! widget is looked at as text: it is never run, so what code puts together while it runs is not seen.

mod capabilities;
mod code;
mod host;
mod icon;
mod logic;
mod manifest;
mod page;
mod state;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use moult_model::{Bundle, BundleManifest};
use serde::Serialize;

use super::project::{Built, Project};
use crate::PublishError;
use crate::bundle_folder::{MANIFEST, Packed};
use crate::output::Size;
use code::Script;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A host refuses it, or it can't work.
    Fault,
    /// It works, and is seldom meant.
    Doubt,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Names the rule, for programs.
    pub rule: &'static str,
    /// The file, with the member or the line after a colon.
    pub place: String,
    /// What is wrong, in words.
    pub what: String,
    /// How it is mended, in words.
    pub mend: String,
}

/// What a look at a widget gave.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The widget, if its manifest says one.
    pub widget: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The files in the bundle.
    pub files: usize,
    /// The bytes of the bundle, if it can be packed.
    pub bytes: Option<u64>,
    /// How many of the findings are faults.
    pub faults: usize,
    /// How many are doubts.
    pub doubts: usize,
    /// What was found, faults first.
    pub findings: Vec<Finding>,
}

/// A widget under the eyes of the rules.
struct Widget<'a> {
    project: &'a Project,
    manifest: &'a BundleManifest,
    files: &'a BTreeMap<String, Vec<u8>>,
    scripts: Vec<Script<'a>>,
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn fault(
        &mut self,
        rule: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Level::Fault, rule, place.into(), what.into(), mend.into());
    }

    fn doubt(
        &mut self,
        rule: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Level::Doubt, rule, place.into(), what.into(), mend.into());
    }

    fn add(&mut self, level: Level, rule: &'static str, place: String, what: String, mend: String) {
        self.0.push(Finding {
            level,
            rule,
            place,
            what,
            mend,
        });
    }
}

/// Looks a widget over. With no fault found, the bundle comes with it.
pub fn check(project: &Project) -> Result<(Checked, Option<Packed>), PublishError> {
    let built = project.read()?;
    let mut findings = Findings::default();
    let Some(manifest) = manifest::read(project, &built.manifest, &mut findings) else {
        return Ok((checked(None, built.files.len(), None, findings), None));
    };
    let (count, packed) = look(project, &manifest, built, &mut findings);
    let bytes = packed.as_ref().map(|packed| packed.bytes.len() as u64);
    let checked = checked(Some(&manifest), count, bytes, findings);
    let packed = packed.filter(|_| checked.faults == 0);
    Ok((checked, packed))
}

fn look(
    project: &Project,
    manifest: &BundleManifest,
    built: Built,
    findings: &mut Findings,
) -> (usize, Option<Packed>) {
    let count = built.files.len();
    {
        let widget = Widget {
            project,
            manifest,
            files: &built.files,
            scripts: code::scripts(&built.files),
        };
        manifest::look(&widget, findings);
        host::look(&widget, findings);
        capabilities::look(&widget, findings);
        page::look(&widget, findings);
        state::look(&widget, findings);
        words::look(&widget, findings);
        icon::look(&widget, findings);
        logic::look(&widget, findings);
    }
    match project.pack(manifest.clone(), built) {
        Ok(packed) => {
            host::look_at_size(project, &packed, findings);
            (count, Some(packed))
        }
        Err(error) => {
            manifest::refused(project, &error, findings);
            (count, None)
        }
    }
}

fn checked(
    manifest: Option<&BundleManifest>,
    files: usize,
    bytes: Option<u64>,
    findings: Findings,
) -> Checked {
    let mut findings = findings.0;
    findings.sort_by(|one, other| {
        (one.level, &one.place, one.rule).cmp(&(other.level, &other.place, other.rule))
    });
    let faults = findings
        .iter()
        .filter(|finding| finding.level == Level::Fault)
        .count();
    Checked {
        widget: manifest.map(|manifest| manifest.id.to_string()),
        version: manifest.map(|manifest| manifest.version.to_string()),
        files,
        bytes,
        faults,
        doubts: findings.len() - faults,
        findings,
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            level,
            rule,
            place,
            what,
            mend,
        } in &self.findings
        {
            let level = match level {
                Level::Fault => "fault",
                Level::Doubt => "doubt",
            };
            writeln!(f, "{level}  {place}: {what} [{rule}]")?;
            writeln!(f, "       {mend}")?;
        }
        if let Some((widget, version)) = self.widget.as_ref().zip(self.version.as_ref()) {
            writeln!(f, "widget   {widget} {version}")?;
        }
        match self.bytes {
            Some(bytes) => writeln!(
                f,
                "bundle   {}, {} files; a bundle may have {} and {}",
                Size(bytes),
                self.files,
                Size(Bundle::MAX_BYTES),
                Bundle::MAX_ENTRIES
            )?,
            None => writeln!(f, "bundle   can't be packed")?,
        }
        write!(
            f,
            "found    {}, {}",
            count(self.faults, "fault"),
            count(self.doubts, "doubt")
        )
    }
}

/// `no fault`, `1 fault`, `2 faults`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        0 => format!("no {thing}"),
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Where a member of the manifest stands. The author's own file is meant, not the copy of it that was built.
fn member(member: &str) -> String {
    format!("{MANIFEST}: {member}")
}
