//! `moult widget dev`: builds a widget whenever a file of it is saved, and shows it in the running application.
//!
//! A build that fails is told over the tile, and what ran before goes on. The tile goes when this ends.

mod build;
mod door;
mod watch;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use moult_model::Digest;
use moult_model::developer::{Swapped, ToApp, ToTool, fitting};
use serde::Serialize;

use super::check::{Level, check};
use super::project::Project;
use crate::PublishError;
use crate::interrupt::Interrupt;
pub use build::Build;
use door::Door;
pub use door::usual_data;
use watch::Watch;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(25);
/// Editors empty a file before they write it, and save several at once: what changed must have stood for this long.
const SETTLE: Duration = Duration::from_millis(15);

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevError {
    /// No application lets widgets run.
    #[error("no running Moult takes widgets that are being written: there is no `{path}`")]
    NoDoor {
        /// Where it would say how it is reached.
        path: std::path::PathBuf,
    },
    /// The application does not answer, or answers something else.
    #[error("Moult can't be talked to at port {port}")]
    Talk {
        /// Where it was said to listen.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A message that can't be read.
    #[error("Moult said what can't be read")]
    Message(#[from] moult_model::developer::WireError),
    /// No data folder is known.
    #[error("the data folder of Moult is not known")]
    NoData,
    /// Nothing says how the widget is built.
    #[error("nothing says how the widget in `{folder}` is built")]
    NoBuild {
        /// The widget's folder.
        folder: std::path::PathBuf,
    },
    /// An answer to something else.
    #[error("Moult gave an answer that belongs to another question")]
    Answer,
    /// A file or process failed.
    #[error("{what}")]
    System {
        /// What was tried.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What came of one save.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// It runs.
    Live {
        /// The tile.
        instance: String,
        /// From the save to the first frame that shows the new version, in milliseconds, as far as this program can
        /// tell: what Moult needed is as Moult says it.
        whole_ms: f64,
        /// Of that, the build.
        build_ms: f64,
        /// How long the swap took, if there was one.
        swap: Option<Swap>,
    },
    /// It was not built, or refused.
    Trouble {
        /// What was said.
        text: String,
    },
    /// Nothing changed in what was built.
    Same,
}

/// What a swap took, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Swap {
    /// Until the new version was ready.
    pub ready_ms: f64,
    /// From the freeze of the old one to the first frame of the new one.
    pub switch_ms: f64,
}

/// Where a widget is, how it is built, and where it is shown.
#[derive(Debug)]
pub struct Session<'a> {
    folder: &'a Path,
    build: Build,
    door: Door,
    shown: Option<Digest>,
}

impl<'a> Session<'a> {
    /// Opens the door of the application.
    pub fn open(folder: &'a Path, build: Build, data: &Path) -> Result<Self, PublishError> {
        Ok(Self {
            folder,
            build,
            door: Door::open(data)?,
            shown: None,
        })
    }

    /// Shows the widget now and after each save, and says each time what came of it. Ends with Ctrl+C.
    pub fn run(
        &mut self,
        interrupt: &Interrupt,
        say: impl Fn(&News) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        let mut watch = Watch::begin(self.folder, self.build.output());
        let mut saved = Instant::now();
        loop {
            say(&self.show(saved)?)?;
            saved = loop {
                if interrupt.is_asked() {
                    return Ok(());
                }
                if let Some(saved) = watch.settled(SETTLE) {
                    break saved;
                }
                self.door.check()?;
                std::thread::sleep(LOOK);
            };
        }
    }

    fn show(&mut self, saved: Instant) -> Result<News, PublishError> {
        let built = self.build.run(self.folder)?;
        let build_ms = milliseconds(saved.elapsed());
        let text = match built {
            Ok(()) => match self.packed() {
                Ok(bytes) => {
                    let digest = Digest::of(&bytes);
                    if self.shown == Some(digest) {
                        // Trouble that was mended by going back is over all the same.
                        self.door.say(&ToApp::Trouble { text: String::new() }, &[])?;
                        return Ok(News::Same);
                    }
                    let sent = Instant::now();
                    self.door.say(&ToApp::Run, &bytes)?;
                    let before = milliseconds(sent.duration_since(saved));
                    match self.door.hear()? {
                        ToTool::Live { instance, swap } => {
                            self.shown = Some(digest);
                            return Ok(live(instance, swap, before, build_ms, saved));
                        }
                        ToTool::Failed { text } => return Ok(News::Trouble { text }),
                        ToTool::Welcome { .. } => return Err(DevError::Answer.into()),
                    }
                }
                Err(text) => text,
            },
            Err(text) => text,
        };
        let text = fitting(&text);
        self.door.say(&ToApp::Trouble { text: text.clone() }, &[])?;
        Ok(News::Trouble { text })
    }

    /// The bundle, or the faults that keep it from being one.
    fn packed(&self) -> Result<Vec<u8>, String> {
        let (checked, packed) = match Project::open(self.folder).and_then(|project| check(&project)) {
            Ok(checked) => checked,
            Err(error) => return Err(error.message()),
        };
        packed.map(|packed| packed.bytes).ok_or_else(|| {
            let faults = checked
                .findings
                .iter()
                .filter(|finding| finding.level == Level::Fault);
            faults
                .map(|finding| format!("{}: {}\n  {}", finding.place, finding.what, finding.mend))
                .collect::<Vec<_>>()
                .join("\n")
        })
    }
}

fn live(instance: String, swap: Option<Swapped>, before: f64, build_ms: f64, saved: Instant) -> News {
    let whole_ms = swap.map_or_else(|| milliseconds(saved.elapsed()), |swap| before + swap.whole_ms);
    News::Live {
        instance,
        whole_ms,
        build_ms,
        swap: swap.map(|swap| Swap {
            ready_ms: swap.ready_ms,
            switch_ms: swap.switch_ms,
        }),
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live {
                whole_ms,
                build_ms,
                swap: Some(_),
                ..
            } => write!(
                f,
                "live     after {whole_ms:.0} ms, {build_ms:.0} of them the build"
            ),
            Self::Live { instance, .. } => {
                write!(f, "live     {instance}: it stands on the board, marked as yours")
            }
            Self::Trouble { text } => write!(f, "trouble  {}", text.trim().replace('\n', "\n         ")),
            Self::Same => write!(f, "same     what was built did not change"),
        }
    }
}
