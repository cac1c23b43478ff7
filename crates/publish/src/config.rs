//! The configuration with every path made whole, and the JSON schema that editors check it with.

use std::path::{Component, Path, PathBuf};

use moult_model::{Channel, ReleaseConfig, WidgetId, developer};

use crate::PublishError;

/// The file that is read when none is named.
pub const FILE_NAME: &str = "release.config.json";

/// A configuration that was read and checked.
#[derive(Clone, Debug)]
pub struct Workspace {
    config: ReleaseConfig,
    path: PathBuf,
    folder: PathBuf,
}

impl Workspace {
    /// Reads the configuration. Paths in it are relative to its folder.
    pub fn open(path: &Path) -> Result<Self, PublishError> {
        let read_error = |source| PublishError::ConfigRead {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(read_error)?;
        let absolute = std::path::absolute(path).map_err(read_error)?;
        let config = serde_json::from_str(&text).map_err(|source| PublishError::ConfigParse {
            path: path.to_owned(),
            source,
        })?;
        let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let workspace = Self {
            config,
            path: path.to_owned(),
            folder,
        };
        match workspace.problem() {
            Some((field, problem)) => Err(PublishError::ConfigValue {
                path: workspace.path,
                field,
                problem,
            }),
            None => Ok(workspace),
        }
    }

    /// The configuration as it was written.
    pub fn config(&self) -> &ReleaseConfig {
        &self.config
    }

    /// The repository's folder.
    pub fn repository(&self) -> PathBuf {
        self.resolve(&self.config.repository.folder)
    }

    /// The key folder.
    pub fn keys(&self) -> PathBuf {
        self.resolve(&self.config.keys)
    }

    /// The folder that patches are made in.
    pub fn patches(&self) -> PathBuf {
        self.resolve(&self.config.patches.folder)
    }

    /// The executable for a target triple.
    pub fn executable(&self, triple: &str) -> PathBuf {
        self.resolve(&self.config.app.executable.replace("{target}", triple))
    }

    /// The built shell.
    pub fn shell(&self) -> PathBuf {
        self.resolve(&self.config.app.shell)
    }

    /// The built widget.
    pub fn widget(&self, id: &WidgetId) -> Result<PathBuf, PublishError> {
        match self.config.widgets.get(id) {
            Some(folder) => Ok(self.resolve(folder)),
            None => Err(PublishError::UnknownWidget {
                id: id.clone(),
                known: self.config.widgets.keys().cloned().collect(),
            }),
        }
    }

    /// Checks that the app is released for a triple.
    pub fn check_target(&self, triple: &str) -> Result<(), PublishError> {
        if self.config.targets.iter().any(|known| known == triple) {
            return Ok(());
        }
        Err(PublishError::UnknownTarget {
            triple: triple.to_owned(),
            known: self.config.targets.clone(),
        })
    }

    /// The channels that a release on `channel` is offered on: it and all that are less careful.
    pub fn channels_from(&self, channel: &Channel) -> Result<Vec<Channel>, PublishError> {
        let channels = &self.config.channels;
        match channels.iter().position(|known| known == channel) {
            Some(at) => Ok(channels[at..].to_vec()),
            None => Err(PublishError::UnknownChannel {
                channel: channel.clone(),
                known: channels.clone(),
            }),
        }
    }

    /// The distinct publishers of the widgets, sorted.
    pub fn publishers(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .config
            .widgets
            .keys()
            .map(|id| id.publisher().to_owned())
            .collect();
        names.dedup();
        names
    }

    /// The configuration's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path of the configuration, made whole.
    pub fn resolve(&self, path: &str) -> PathBuf {
        let mut whole = PathBuf::new();
        for part in self.folder.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        whole
    }

    /// The first field that has a value of the right shape that can't work.
    fn problem(&self) -> Option<(&'static str, String)> {
        let ReleaseConfig {
            repository,
            targets,
            channels,
            app,
            widgets,
            ..
        } = &self.config;
        let url = &repository.url;
        if !url.ends_with('/') || !(url.starts_with("https://") || url.starts_with("http://")) {
            return Some((
                "repository.url",
                format!("is `{url}`; an http or https address that ends in / is needed"),
            ));
        }
        if let Some(bad) = targets.iter().find(|triple| !is_triple(triple)) {
            return Some(("targets", format!("has `{bad}`, which is not a target triple")));
        }
        if let Some(twice) = repeated(targets) {
            return Some(("targets", format!("has `{twice}` twice")));
        }
        if channels.is_empty() {
            return Some(("channels", "is empty; one channel at least is needed".to_owned()));
        }
        if let Some(twice) = repeated(channels) {
            return Some(("channels", format!("has `{twice}` twice")));
        }
        if let Some(id) = widgets.keys().find(|id| id.publisher() == developer::PUBLISHER) {
            return Some((
                "widgets",
                format!("has `{id}`, but under this publisher widgets run that nobody has signed"),
            ));
        }
        if targets.len() > 1 && !app.executable.contains("{target}") {
            return Some((
                "app.executable",
                "lacks `{target}`, but there is more than one target".to_owned(),
            ));
        }
        let (repository, keys) = (self.repository(), self.keys());
        if keys.starts_with(&repository) {
            return Some(("keys", "is inside the repository, which is published".to_owned()));
        }
        if repository.starts_with(&keys) {
            return Some(("repository.folder", "is inside the key folder".to_owned()));
        }
        None
    }
}

/// The JSON schema of the configuration, as the text of `release.config.schema.json`.
pub fn schema() -> Result<String, PublishError> {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(ReleaseConfig)).map_err(|source| {
        PublishError::Encode {
            what: "the schema",
            source,
        }
    })?;
    text.push('\n');
    Ok(text)
}

/// Whether a text can be a target triple and a folder: the compiler's names have these characters.
fn is_triple(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.split('-').count() >= 3 && text.bytes().all(allowed) && !text.starts_with(['-', '.'])
}

fn repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    items
        .iter()
        .enumerate()
        .find(|(at, item)| items[..*at].contains(item))
        .map(|(_, item)| item)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "product": { "name": "Moult", "identifier": "dev.moult.app" },
            "repository": { "folder": "dist/repository", "url": "https://updates.example/" },
            "targets": ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin"],
            "channels": ["stable", "beta", "nightly"],
            "app": { "executable": "target/{target}/app", "shell": "ui/dist" },
            "widgets": { "moult/clock": "a", "moult/notes": "b", "acme/x": "c" }
        })
    }

    fn open(config: &Value) -> Result<Workspace, PublishError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, config.to_string()).unwrap();
        Workspace::open(&path)
    }

    #[test]
    fn a_release_is_offered_on_its_channel_and_all_after_it() {
        let workspace = open(&good()).unwrap();
        let offered = |channel: &str| {
            let channels = workspace.channels_from(&channel.parse().unwrap()).unwrap();
            channels
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(offered("stable"), "stable beta nightly");
        assert_eq!(offered("beta"), "beta nightly");
        assert_eq!(offered("nightly"), "nightly");
        assert!(workspace.channels_from(&"dev".parse().unwrap()).is_err());
    }

    #[test]
    fn each_publisher_is_named_once() {
        assert_eq!(open(&good()).unwrap().publishers(), ["acme", "moult"]);
    }

    #[test]
    fn values_that_can_not_work_are_refused_by_name() {
        let cases = [
            (
                "/repository/url",
                json!("https://updates.example"),
                "repository.url",
            ),
            (
                "/repository/url",
                json!("ftp://updates.example/"),
                "repository.url",
            ),
            (
                "/repository/folder",
                json!("keys/repository"),
                "repository.folder",
            ),
            ("/targets", json!(["../x-y"]), "targets"),
            ("/targets", json!(["a-b-c", "a-b-c"]), "targets"),
            ("/channels", json!([]), "channels"),
            ("/widgets", json!({ "developer/x": "x" }), "widgets"),
            ("/channels", json!(["beta", "beta"]), "channels"),
            ("/app/executable", json!("target/app"), "app.executable"),
            ("/keys", json!("dist/x/../repository/keys"), "keys"),
        ];
        for (pointer, value, expected) in cases {
            let mut config = good();
            config["keys"] = json!("keys");
            *config.pointer_mut(pointer).unwrap() = value;
            match open(&config) {
                Err(PublishError::ConfigValue { field, .. }) => assert_eq!(field, expected),
                other => panic!("{pointer}: {other:?}"),
            }
        }
    }
}
