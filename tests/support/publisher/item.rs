//! What is released, before it is. Refuses to know how.

use std::path::{Path, PathBuf};

use moult_model::Subject;

use crate::fixtures::Fixtures;

/// What is released.
#[derive(Clone, Debug)]
pub struct Item {
    subject: Subject,
    version: Option<String>,
    pub(super) source: PathBuf,
    notes: String,
}

impl Item {
    /// An executable from any file.
    pub fn executable(version: &str, file: &Path) -> Self {
        let notes = format!("Moult {version}.");
        Self {
            subject: Subject::Executable,
            version: Some(version.to_owned()),
            source: file.to_owned(),
            notes,
        }
    }

    /// A bundle from any folder with a manifest at its top.
    pub fn bundle(subject: Subject, folder: &Path) -> Self {
        let notes = format!("A new version of {subject}.");
        Self {
            subject,
            version: None,
            source: folder.to_owned(),
            notes,
        }
    }

    /// A build of the application.
    pub fn app(fixtures: &Fixtures, version: &str) -> Self {
        Self::executable(version, &fixtures.app(version))
    }

    /// A version of the shell.
    pub fn shell(fixtures: &Fixtures, version: &str) -> Self {
        Self::bundle(Subject::Shell, &fixtures.shell(version))
    }

    /// A widget by `moult`; `build` is its name among the fixtures.
    pub fn widget(fixtures: &Fixtures, name: &str, build: &str) -> anyhow::Result<Self> {
        Ok(Self::bundle(
            format!("w/moult/{name}").parse()?,
            &fixtures.widget(build),
        ))
    }

    /// What it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What it is called before it is published: a person's name for it.
    pub fn title(&self) -> String {
        let build = self.source.file_name().unwrap_or_default().to_string_lossy();
        match &self.version {
            Some(version) => format!("{} {version}", self.subject),
            None => format!("{} ({build})", self.subject),
        }
    }

    /// What the command line is told.
    pub(super) fn arguments(&self, triple: &str) -> Vec<String> {
        let mut arguments = vec!["publish".to_owned()];
        match &self.subject {
            Subject::Executable => {
                let version = self.version.clone().unwrap_or_default();
                arguments.extend(["app", "--version", &version, "--target", triple].map(str::to_owned));
                arguments.push("--executable".to_owned());
            }
            Subject::Shell => arguments.extend(["shell", "--folder"].map(str::to_owned)),
            Subject::Widget(id) => {
                arguments.extend(["widget", &id.to_string(), "--folder"].map(str::to_owned));
            }
        }
        arguments.push(self.source.display().to_string());
        arguments.extend(["--notes".to_owned(), self.notes.clone()]);
        arguments
    }
}
