//! Whose doing an error is, and what to do about it.

use moult_model::BundleError;
use moult_trust::sign::SignError;

use super::PublishError;
use crate::widget::dev::DevError;

impl PublishError {
    /// The message with all its causes, in one line.
    pub fn message(&self) -> String {
        Self::message_of(self)
    }

    /// The message of any error with all its causes, in one line.
    pub(crate) fn message_of(error: &dyn std::error::Error) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }

    /// Whether whoever gave the command can put it right. What is left is a fault of this program
    /// or of the system.
    pub fn is_users_mistake(&self) -> bool {
        if let Self::Sign { source, .. } = self {
            return matches!(
                **source,
                SignError::Exists { .. }
                    | SignError::Read { .. }
                    | SignError::KeyFile { .. }
                    | SignError::KeyMissing { .. }
                    | SignError::KeyAmbiguous { .. }
                    | SignError::KeySet { .. }
                    | SignError::TooFewKeys { .. }
                    | SignError::PassphraseNeeded { .. }
                    | SignError::PassphraseWrong { .. }
                    | SignError::Environment { .. }
                    | SignError::Hook { .. }
                    | SignError::Orders { .. }
                    | SignError::Staged { .. }
                    | SignError::UnknownRole { .. }
                    | SignError::Repository { .. }
                    | SignError::Publisher { .. }
                    | SignError::PublisherName { .. }
                    | SignError::Triple { .. }
                    | SignError::Index { .. }
            );
        }
        if let Self::Patch(error) = self {
            return error.is_users_mistake();
        }
        !matches!(
            self,
            Self::Write(_)
                | Self::Compress { .. }
                | Self::Diff { .. }
                | Self::PatchRefused { .. }
                | Self::PatchWrong { .. }
                | Self::Encode { .. }
                | Self::Print { .. }
                | Self::Dev(DevError::System { .. } | DevError::Message(_) | DevError::Answer)
        )
    }

    /// What programs may want to know besides.
    pub fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Faulty { checked, .. } => serde_json::to_value(checked).ok(),
            _ => None,
        }
    }

    /// What to do about it.
    #[expect(clippy::too_many_lines, reason = "one line for each error, and nothing else")]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ConfigRead { .. } => "name the configuration with --config, or run moult in its folder",
            Self::ConfigParse { source, .. } if !source.is_data() => "correct the JSON at that place",
            Self::ConfigParse { .. } | Self::ConfigValue { .. } => {
                "release.config.schema.json lists every field; an editor that reads `$schema` checks them"
            }
            Self::UnknownChannel { known, .. } => return Some(format!("the channels are {}", list(known))),
            Self::UnknownTarget { known, .. } => return Some(format!("the targets are {}", list(known))),
            Self::UnknownWidget { known, .. } => {
                return Some(format!(
                    "name the folder with --folder, or add the widget to `widgets`; there are {}",
                    list(known)
                ));
            }
            Self::NotesRead { .. } => "--notes takes the text itself, or @ and the name of a file",
            Self::ExecutableRead { .. } => "build the app first, or name the file with --executable",
            Self::ExecutableEmpty { .. } => "build the app again",
            Self::FolderRead { .. } => "build the bundle first, or name its folder with --folder",
            Self::ManifestMissing { .. } => {
                "moult.json is the bundle's manifest and stands at the top of its built folder"
            }
            Self::ManifestParse { .. } | Self::ManifestValue { .. } => "correct the manifest and build again",
            Self::ManifestId { .. } => "correct `id` in the manifest, or publish what it names",
            Self::NotAFile { .. } => "put a copy in its place: a bundle holds plain files alone",
            Self::FileName { .. } => "rename it: paths in a bundle are plain ASCII",
            Self::Pack { source, .. } => match source {
                BundleError::Path(_) => {
                    "use names of letters, digits and - _ . @ +, with no dot first or last; remove what is not part of the bundle"
                }
                BundleError::NoEntryPoint(_) => "correct `entry` in the manifest, or build again",
                BundleError::Kind { .. } => "correct `kind` or `id` in the manifest",
                _ => "leave out what the bundle does not need",
            },
            Self::Logic { .. } => {
                "build it for wasm32-unknown-unknown against sdk/wit, as the templates `rust-logic` and `js-logic` do"
            }
            Self::NotBuilt { .. } => "run `npm install` once, then `npm run build`",
            Self::Faulty { .. } => "mend what is said above; each line names the file and what to do",
            Self::PackedInside { .. } => "name a file elsewhere with --out",
            Self::Dev(DevError::NoDoor { .. }) => {
                "start Moult and switch on Settings > Developer; name its data folder with --data if it is not the usual one"
            }
            Self::Dev(DevError::Talk { .. }) => {
                "look whether Moult runs, and whether Settings > Developer is still on"
            }
            Self::Dev(DevError::NoData) => "name it with --data",
            Self::Dev(DevError::NoBuild { .. }) => {
                "add a script `build` to package.json, or name the command with --build"
            }
            Self::FolderTaken { .. } => "choose another name, or a folder with --folder",
            Self::VersionTaken { .. } => "raise the version: what is published is never changed",
            Self::BytesTaken { .. } => "build it again with the new version in it",
            Self::IndexTooLarge { .. } => "shorten the release notes",
            Self::KeysMissing { .. } => "run `moult keys init`",
            Self::KeysLost { .. } => {
                "copy the key folder from where it is kept; clients that know the old keys never believe new ones"
            }
            Self::RepositoryLost { .. } => {
                "copy the published files to this folder; --new-repository begins anew, which clients that know the other refuse"
            }
            Self::RepositoryMissing { .. } => {
                "copy the published files to this folder, or run `moult keys init` if nothing was published yet"
            }
            Self::PublisherMissing { publisher } => {
                return Some(format!(
                    "run `moult keys add-publisher {publisher}`, if it is to publish here"
                ));
            }
            Self::NoPassphrase => "set MOULT_PASSPHRASE, or run this at a terminal",
            Self::PassphrasesDiffer => "type it again",
            Self::KeyUnknown { known, .. } => return Some(format!("the ids are {}", list(known))),
            Self::OnePublicKey => "name one key with --public, and another one with a command of its own",
            Self::PublicKeyRead { .. } => {
                "--public takes 64 hexadecimal digits, or @ and the name of a JSON file"
            }
            Self::StagedThere { .. } => {
                "run `moult sign` until it is published, or delete the file to give it up"
            }
            Self::MinisignFirst { .. } => "run `moult sign` where minisign.key is, before anybody else signs",
            Self::NothingStaged { .. } => "name the file with --staged",
            Self::Token { .. } => "name another file with --token, or delete it: a new one is made",
            Self::Busy { .. } => "wait until it ends",
            Self::StoredMissing { .. } | Self::StoredDamaged { .. } => {
                "copy the file from where the repository is published, then try again"
            }
            Self::Listen { .. } => "use another port, or --port 0 for a free one",
            Self::ServeFolder { .. } => "name an existing folder with --folder, or run `moult keys init`",
            Self::AccessLog { .. } => "name a file in an existing folder",
            Self::InspectUnknown { .. } => {
                "it can be a bundle, a patch, a packed full file, a repository or a key folder"
            }
            Self::Write(_) => {
                "nothing is visible to clients; free the disk or correct its rights, then try again"
            }
            Self::Diff { .. } | Self::PatchRefused { .. } | Self::PatchWrong { .. } => {
                "nothing is visible to clients; `versions_back: 0` publishes without patches"
            }
            Self::Sign { source, .. } => return Some(sign_hint(source).to_owned()),
            Self::Patch(error) => return Some(error.hint()),
            Self::Dev(_)
            | Self::InspectRead { .. }
            | Self::InspectBundle { .. }
            | Self::InspectPatch { .. }
            | Self::InspectMetadata { .. }
            | Self::Compress { .. }
            | Self::Encode { .. }
            | Self::Print { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// What to do about an error of the signing side.
fn sign_hint(error: &SignError) -> &'static str {
    match error {
        SignError::PassphraseNeeded { .. } => "set MOULT_PASSPHRASE, or run this at a terminal",
        SignError::PassphraseWrong { .. } => {
            "try again; if it is right, compare the file with its copy: nothing opens it without the passphrase"
        }
        SignError::Environment { .. } => "set the variable to the field `secret` of the key's file",
        SignError::Hook { .. } => {
            "the command gets what is to be signed on its standard input and prints the signature, in hexadecimal digits or base64"
        }
        SignError::TooFewKeys { .. } | SignError::KeyMissing { .. } => {
            "the missing keys are elsewhere, or lost: `moult keys list` says which"
        }
        SignError::KeySet { .. } => {
            "`moult keys list` says which keys there are; a public key is 64 hexadecimal digits, or JSON with keytype, scheme and keyval"
        }
        SignError::UnknownRole { .. } => {
            "the roles are root, timestamp, snapshot, targets, app, rollout, and publisher-NAME for each publisher"
        }
        SignError::Staged { .. } => "make the change again, and carry the new file to who signs",
        SignError::PublisherName { .. } => "use the name that its widgets have before the /",
        _ => "compare the repository and the key folder with their copies before anything else is published",
    }
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items
        .iter()
        .map(|item| format!("`{item}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
