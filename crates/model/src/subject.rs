//! What an update acts on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A widget's name: its publisher and its own, each 1 to 40 characters from `a-z`, `0-9` and `-`,
/// written `publisher/name`.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[derive(ts_rs::TS)]
#[schemars(with = "String")]
#[ts(type = "string")]
pub struct WidgetId {
    publisher: String,
    name: String,
}

/// What an update acts on. Written `app`, `shell` or `w/publisher/name`.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[derive(ts_rs::TS)]
#[schemars(with = "String")]
#[ts(type = "string")]
pub enum Subject {
    /// The native application.
    Executable,
    /// The application's own frontend.
    Shell,
    /// A widget, by anybody.
    Widget(WidgetId),
}

/// A text that names no subject.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` names nothing that can be updated: `app`, `shell` or `w/publisher/name` is expected")]
pub struct SubjectError(String);

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
}

impl WidgetId {
    /// Who publishes the widget: the name its delegated key is bound to.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// The widget's own name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Subject {
    /// The subject's folder in a repository, which its signing role owns. `triple` is the Rust
    /// target triple and matters to the executable alone.
    pub fn folder(&self, triple: &str) -> String {
        match self {
            Self::Executable => format!("app/{triple}"),
            Self::Shell => "app/shell".to_owned(),
            Self::Widget(id) => format!("w/{id}"),
        }
    }

    /// The path of the subject's index target.
    pub fn index_path(&self, triple: &str) -> String {
        format!("{}/index.json", self.folder(triple))
    }
}

impl fmt::Display for WidgetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.publisher, self.name)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executable => f.write_str("app"),
            Self::Shell => f.write_str("shell"),
            Self::Widget(id) => write!(f, "w/{id}"),
        }
    }
}

impl FromStr for WidgetId {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        match text.split_once('/') {
            Some((publisher, name)) if is_name(publisher) && is_name(name) => Ok(Self {
                publisher: publisher.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(SubjectError(text.chars().take(100).collect())),
        }
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        match text {
            "app" => Ok(Self::Executable),
            "shell" => Ok(Self::Shell),
            _ => match text.strip_prefix("w/") {
                Some(id) => Ok(Self::Widget(id.parse()?)),
                None => Err(SubjectError(text.chars().take(100).collect())),
            },
        }
    }
}

impl TryFrom<String> for WidgetId {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl From<WidgetId> for String {
    fn from(id: WidgetId) -> Self {
        id.to_string()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_as_it_was_written() -> Result<(), SubjectError> {
        for text in ["app", "shell", "w/moult/notes", "w/hearth-works/pomodoro2"] {
            assert_eq!(text.parse::<Subject>()?.to_string(), text);
        }
        Ok(())
    }

    #[test]
    fn nothing_that_leaves_its_folder_names_a_subject() {
        for text in [
            "",
            "App",
            "w/",
            "w/moult",
            "w/../app",
            "w/moult/..",
            "w/a/b/c",
            "w/-a/b",
            "w/a/b ",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_subject_has_a_folder_of_its_own() -> Result<(), SubjectError> {
        let folder =
            |text: &str| Ok::<_, SubjectError>(text.parse::<Subject>()?.folder("x86_64-unknown-linux-gnu"));
        assert_eq!(folder("app")?, "app/x86_64-unknown-linux-gnu");
        assert_eq!(folder("shell")?, "app/shell");
        assert_eq!(folder("w/moult/notes")?, "w/moult/notes");
        Ok(())
    }
}
