//! Why an installer was not made, and what to do about it.

use std::io;
use std::path::PathBuf;

use moult_durable::DurableError;

use super::Format;

/// Why an installer was not made. Those that were made before it stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallerError {
    /// The configuration says nothing about installers.
    #[error("the configuration has no `installer`")]
    NotConfigured,
    /// A field of the configuration has a value that can't work.
    #[error("the configuration is not valid: `installer.{field}` {problem}")]
    Value {
        /// The field, with dots between its parts.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The triple's system is not known.
    #[error("no installer is known for `{triple}`")]
    System {
        /// The triple.
        triple: String,
    },
    /// The format is not for the target.
    #[error("`{format}` is not made for `{triple}`")]
    NotFor {
        /// The format.
        format: Format,
        /// The triple.
        triple: String,
    },
    /// The configuration lacks what the format needs.
    #[error("`{format}` needs `installer.{field}` in the configuration")]
    Lacks {
        /// The format.
        format: Format,
        /// What is missing.
        field: &'static str,
    },
    /// A file that goes into the installer can't be read.
    #[error("the {what} `{path}` can't be read")]
    Read {
        /// Which file it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("the {what} `{path}` {problem}")]
    Unfit {
        /// Which file it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What goes into the installer can't be laid out.
    #[error("`{path}` can't be written")]
    LayOut {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program that makes or signs installers can't be started.
    #[error("`{program}` could not be started")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program that makes or signs installers failed.
    #[error("`{program}` ended with {code}: {said}")]
    Program {
        /// The program.
        program: String,
        /// Its exit code, or how it ended.
        code: String,
        /// The end of what it said.
        said: String,
    },
    /// A package can't be put together.
    #[error("the {format} can't be put together")]
    Pack {
        /// The format.
        format: Format,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The rpm can't be put together.
    #[error("the rpm can't be put together")]
    Rpm(#[source] Box<rpm::Error>),
    /// The installer can't be put in its place.
    #[error(transparent)]
    Place(#[from] DurableError),
}

impl InstallerError {
    /// Whether whoever gave the command can put it right.
    pub fn is_users_mistake(&self) -> bool {
        !matches!(
            self,
            Self::LayOut { .. } | Self::Pack { .. } | Self::Rpm(_) | Self::Place(_)
        )
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotConfigured => {
                "docs/installers.md lists what it holds; release.config.schema.json lists every field".to_owned()
            }
            Self::Value { .. } | Self::Lacks { .. } => {
                "release.config.schema.json lists every field; docs/installers.md explains them".to_owned()
            }
            Self::System { .. } => "there are installers for Linux, Windows and macOS".to_owned(),
            Self::NotFor { .. } => {
                "appimage, deb, rpm and snap are for Linux, nsis and msi for Windows, dmg for macOS".to_owned()
            }
            Self::Read { what, .. } if *what == "runtime" => {
                "`cargo xtask setup` lays one for x86_64 into target/tools; docs/installers.md says where others come from"
                    .to_owned()
            }
            Self::Read { .. } => {
                "build it first; --executable and --companions name other places".to_owned()
            }
            Self::Unfit { .. } => "docs/installers.md says what it has to be".to_owned(),
            Self::Start { program, .. } => return Some(where_it_is(program)),
            Self::Program { .. } => "what it said stands above; nothing was put in its place".to_owned(),
            Self::LayOut { .. } | Self::Place(_) => {
                "free the disk or correct its rights, then try again".to_owned()
            }
            Self::Pack { .. } | Self::Rpm(_) => return None,
        })
    }
}

/// Where a program comes from.
fn where_it_is(program: &str) -> String {
    match program {
        "mksquashfs" => "install squashfs-tools: Debian and Ubuntu, Fedora and others have it".to_owned(),
        "makensis" => "install NSIS: Debian's `nsis`, or nsis.sourceforge.io on Windows".to_owned(),
        "wixl" => "install Debian's `wixl`, or run this on Windows with the WiX toolset".to_owned(),
        "candle" | "light" => "install the WiX toolset 3, and put its folder into PATH".to_owned(),
        "hdiutil" => "a disk image is made on macOS alone".to_owned(),
        other => format!("install `{other}`, or take it out of `installer.sign`"),
    }
}
