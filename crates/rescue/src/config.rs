//! Where everything lies, and whom to ask. Refuses to know the rest of the settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moult_boot::BootError;
use moult_boot::layout::{INSTALL_VARIABLE, data_root};
use moult_model::{Channel, Digest};
use moult_trust::Anchor;
use serde_json::Value;

/// How long an application that is just ending may keep the right to write, if nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a rescue works on.
#[derive(Clone, Debug)]
pub struct RescueConfig {
    /// The data folder.
    pub data: PathBuf,
    /// The folder with the packaged executable.
    pub install: PathBuf,
    /// What is trusted from the beginning.
    pub anchor: Anchor,
    /// The repositories that may be asked, in this order. All must be signed by whom the anchor trusts.
    pub repositories: Vec<String>,
    /// The channel that the user follows.
    pub channel: Channel,
    /// The target triple.
    pub triple: String,
    /// What did not start, beside what the store has banned.
    pub failed: Vec<Digest>,
    /// How long an application that is just ending may keep the right to write.
    pub patience: Duration,
}

impl RescueConfig {
    /// The configuration of this process. `variable` looks up an environment variable, `beside` is the
    /// folder of this program, `compiled` the repository that it was built with.
    pub fn new(
        variable: impl Fn(&str) -> Option<OsString>,
        beside: &Path,
        anchor: Anchor,
        compiled: Option<&str>,
        triple: &str,
    ) -> Result<Self, BootError> {
        let install = variable(INSTALL_VARIABLE)
            .filter(|value| !value.is_empty())
            .map_or_else(|| beside.to_owned(), PathBuf::from);
        let data = data_root(&variable, &install)?;
        let Known { repository, channel } = Known::read(&data);
        let mut repositories: Vec<String> = repository.into_iter().collect();
        if let Some(compiled) = compiled
            && !repositories.iter().any(|known| known == compiled)
        {
            repositories.push(compiled.to_owned());
        }
        Ok(Self {
            data,
            install,
            anchor,
            repositories,
            channel,
            triple: triple.to_owned(),
            failed: Vec::new(),
            patience: PATIENCE,
        })
    }
}

/// What the settings say that matters here.
struct Known {
    repository: Option<String>,
    channel: Channel,
}

impl Known {
    /// Reads the two fields alone: a settings file of any release will do, and so will none.
    fn read(data: &Path) -> Self {
        let bytes = std::fs::read(data.join("settings.json")).unwrap_or_default();
        let settings: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| settings.get(name).and_then(Value::as_str);
        Self {
            repository: text("repository")
                .filter(|address| !address.is_empty())
                .map(str::to_owned),
            channel: text("channel")
                .and_then(|name| name.parse().ok())
                .unwrap_or_else(Channel::stable),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't build its input has failed")]
mod tests {
    use super::*;

    fn anchor() -> Anchor {
        Anchor {
            root: Vec::new(),
            floor: serde_json::from_str("{}").unwrap_or_default(),
            minisign: String::new(),
        }
    }

    #[test]
    fn settings_of_any_release_or_none_name_the_repository_and_the_channel() {
        let table: [(&str, Option<&str>, &[&str], &str); 7] = [
            (
                r#"{"repository":"https://a/","channel":"beta","later":{"x":1}}"#,
                Some("https://b/"),
                &["https://a/", "https://b/"],
                "beta",
            ),
            (
                r#"{"repository":"https://b/"}"#,
                Some("https://b/"),
                &["https://b/"],
                "stable",
            ),
            (
                r#"{"repository":"","mode":"of a later release"}"#,
                Some("https://b/"),
                &["https://b/"],
                "stable",
            ),
            (r#"{"repository":7,"channel":"Not One!"}"#, None, &[], "stable"),
            ("{", Some("https://b/"), &["https://b/"], "stable"),
            ("", None, &[], "stable"),
            (r#"{"repository":"https://a/"}"#, None, &["https://a/"], "stable"),
        ];
        for (settings, compiled, repositories, channel) in table {
            let data = tempfile::tempdir().unwrap();
            std::fs::write(data.path().join("settings.json"), settings).unwrap();
            let variable = |name: &str| (name == "MOULT_DATA").then(|| data.path().into());
            let config = RescueConfig::new(variable, Path::new("/install"), anchor(), compiled, "t").unwrap();
            assert_eq!(config.repositories, repositories, "{settings}");
            assert_eq!(config.channel.as_str(), channel, "{settings}");
            assert_eq!(config.install, Path::new("/install"));
        }
    }
}
