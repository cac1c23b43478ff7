//! Writes `release.config.json`, from what is asked or from what the command line says.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use moult_model::config::RolloutDefaults;
use serde_json::{Map, Value, json};

use crate::PublishError;
use crate::cli::SetupArgs;
use crate::config::Workspace;

/// Why the configuration was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// There is one.
    #[error("`{path}` is there already")]
    IsThere {
        /// The configuration.
        path: PathBuf,
    },
    /// Nobody can be asked.
    #[error("nobody can be asked: this is no terminal")]
    NobodyToAsk,
    /// An answer could not be read.
    #[error("the answer can't be read")]
    Answer {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A preset that there is not.
    #[error("there is no preset `{name}`")]
    Preset {
        /// Its name.
        name: String,
    },
}

impl SetupError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::IsThere { .. } => "change it in an editor, or replace it with --force".to_owned(),
            Self::NobodyToAsk => "give the answers as options, and --yes for what is usual".to_owned(),
            Self::Preset { .. } => format!("the presets are `{}`", RolloutDefaults::BUILT_IN.join("`, `")),
            Self::Answer { .. } => return None,
        })
    }
}

/// The triples that are offered first.
const USUAL_TARGETS: &str = "x86_64-unknown-linux-gnu, x86_64-pc-windows-msvc, aarch64-apple-darwin";

/// Asks, where something has to be asked.
struct Asking {
    is_quiet: bool,
}

impl Asking {
    fn ask(&self, question: &str, given: Option<String>, usual: &str) -> Result<String, SetupError> {
        match given {
            Some(given) => Ok(given),
            None if self.is_quiet => Ok(usual.to_owned()),
            None => dialoguer::Input::<String>::new()
                .with_prompt(question)
                .default(usual.to_owned())
                .allow_empty(true)
                .interact_text()
                .map_err(|dialoguer::Error::IO(source)| SetupError::Answer { source }),
        }
    }

    fn list(&self, question: &str, given: &[String], usual: &str) -> Result<Vec<String>, SetupError> {
        let given = (!given.is_empty()).then(|| given.join(","));
        let answer = self.ask(question, given, usual)?;
        let parts = answer.split([',', ' ']).map(str::trim);
        Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }
}

/// The configuration as text. It was read back, and fits together.
pub fn compose(path: &Path, args: &SetupArgs) -> Result<String, PublishError> {
    if path.exists() && !args.force && !args.dry_run {
        return Err(SetupError::IsThere {
            path: path.to_owned(),
        }
        .into());
    }
    let is_answered = args.name.is_some() && args.identifier.is_some() && args.url.is_some();
    if !args.yes && !is_answered && !std::io::stdin().is_terminal() {
        return Err(SetupError::NobodyToAsk.into());
    }
    let asking = Asking {
        is_quiet: args.yes || is_answered,
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().unwrap_or(Path::new("."));
    let folder_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = asking.ask(
        "The product's name",
        args.name.clone(),
        folder_name.as_deref().unwrap_or("app"),
    )?;
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase();
    let identifier = asking.ask(
        "Its reverse-domain identifier",
        args.identifier.clone(),
        &format!("com.example.{plain}"),
    )?;
    let url = asking.ask(
        "The address that clients read from, ending in /",
        args.url.clone(),
        "https://updates.example.com/",
    )?;
    let targets = asking.list("The target triples", &args.target, USUAL_TARGETS)?;
    let channels: Vec<String> = args.channel.iter().map(ToString::to_string).collect();
    let channels = asking.list("The channels, most careful first", &channels, "stable, beta")?;
    let executable = asking.ask(
        "The executable; {target} stands for the target triple",
        args.executable.clone(),
        &format!("target/{{target}}/release/{plain}"),
    )?;
    let shell = asking.ask("The built shell", args.shell.clone(), "dist/shell")?;
    let store = asking.ask(
        "Where the repository is brought to: a folder, s3://, gs:// or az:// and a bucket; empty for nowhere",
        args.store.clone(),
        "",
    )?;
    let preset = asking.ask(
        "The preset for new releases: canary, quick or steady; empty for everybody at once",
        args.preset.clone(),
        "",
    )?;
    if !preset.is_empty() && !RolloutDefaults::BUILT_IN.contains(&preset.as_str()) {
        return Err(SetupError::Preset { name: preset }.into());
    }
    let mut repository = json!({ "folder": "dist/repository", "url": url });
    if !store.is_empty() {
        repository["store"] = if store.contains("://") {
            json!({ "kind": "bucket", "url": store })
        } else {
            json!({ "kind": "folder", "path": store })
        };
    }
    let mut config = json!({
        "product": { "name": name, "identifier": identifier },
        "repository": repository,
        "keys": "keys",
        "targets": targets,
        "channels": channels,
        "patches": { "versions_back": 3, "folder": "patches/out" },
        "app": { "executable": executable, "shell": shell },
        "widgets": widgets_below(folder),
    });
    if !preset.is_empty() {
        config["rollout"] = json!({ "preset": preset });
    }
    let mut publish = json!({ "policy": { "secrets": {} } });
    let mut sources = Map::new();
    for (field, file) in [("cargo", "Cargo.toml"), ("npm", "package-lock.json")] {
        if folder.join(file).is_file() {
            sources.insert(field.to_owned(), json!(file));
        }
    }
    if !sources.is_empty() {
        publish["sbom"] = Value::Object(sources);
    }
    config["publish"] = publish;
    let mut text = serde_json::to_string_pretty(&config).map_err(|source| PublishError::Encode {
        what: "the configuration",
        source,
    })?;
    text.push('\n');
    Workspace::of_text(path, &text)?;
    Ok(text)
}

/// The widgets that are built below `widgets`, by what their manifests say.
fn widgets_below(folder: &Path) -> Map<String, Value> {
    let mut found = Map::new();
    let entries = std::fs::read_dir(folder.join("widgets"));
    let mut names: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names {
        for built in [format!("widgets/{name}/dist"), format!("widgets/{name}")] {
            let manifest = std::fs::read(folder.join(&built).join("moult.json"));
            let manifest = manifest
                .ok()
                .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let id = manifest
                .as_ref()
                .and_then(|manifest| manifest.get("id")?.as_str()?.strip_prefix("w/"));
            if let Some(id) = id {
                found.entry(id).or_insert_with(|| json!(built));
            }
        }
    }
    found
}
