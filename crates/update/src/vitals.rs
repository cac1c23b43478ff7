//! Whether the updater itself is in working order: a version that can't bring the next one must not confirm
//! itself. Each check works without a network, and what a network answers never enters it: being offline, a
//! captive portal and a failing server say nothing about this version. It refuses to know what follows.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use moult_delta::Limits as PatchLimits;
use moult_durable::TwoCopy;
use moult_model::{Digest, ErrorCode};
use moult_trust::Anchor;

use crate::error::{UpdateError, chain};
use crate::fetch::{Http, Limits, blocking};

/// How one part of the updater is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vital {
    /// It works.
    Well,
    /// It does not, and that is this version's fault. In technical words.
    Broken(String),
    /// It could not be tried, and that is the computer's fault: the disk is full, say.
    Untried(String),
}

/// How the parts of the updater are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// The task that owns every update answers.
    pub driver: Vital,
    /// What is compiled in, and what was verified before, verifies.
    pub trust: Vital,
    /// A patch makes the file it should.
    pub delta: Vital,
    /// A record is read as it was written.
    pub disk: Vital,
    /// The client for HTTPS can be made.
    pub client: Vital,
}

/// What the vitals come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The updater works.
    Fit,
    /// It does not: this version must not be confirmed, and the launcher may be told so.
    Unfit(String),
    /// Neither can be said now. Nothing is confirmed and nobody is blamed; ask again later.
    Later(String),
}

impl Vitals {
    /// The parts by name.
    pub fn parts(&self) -> [(&'static str, &Vital); 5] {
        [
            ("driver", &self.driver),
            ("trust", &self.trust),
            ("delta", &self.delta),
            ("disk", &self.disk),
            ("client", &self.client),
        ]
    }

    /// What they come to.
    pub fn verdict(&self) -> Verdict {
        let mut later = None;
        for (name, vital) in self.parts() {
            match vital {
                Vital::Well => {}
                Vital::Broken(why) => return Verdict::Unfit(format!("{name}: {why}")),
                Vital::Untried(why) => later = later.or_else(|| Some(format!("{name}: {why}"))),
            }
        }
        later.map_or(Verdict::Fit, Verdict::Later)
    }
}

/// How long the driver may take to answer. It never works itself, so this is long.
pub(crate) const DRIVER_LIMIT: Duration = Duration::from_secs(5);

/// Whether the driver's answer came. `None`: it did not in time.
pub(crate) fn driver(answered: Option<bool>) -> Vital {
    match answered {
        Some(true) => Vital::Well,
        Some(false) => Vital::Broken("it has ended".to_owned()),
        None => Vital::Broken(format!("it did not answer within {} s", DRIVER_LIMIT.as_secs())),
    }
}

/// Whether what is compiled in, and what is stored in `folder`, verifies.
pub(crate) async fn trust(anchor: &Anchor, folder: &Path) -> Vital {
    match moult_trust::rehearse(anchor, folder).await {
        Ok(_) => Vital::Well,
        Err(error) => Vital::Broken(chain(&error)),
    }
}

/// The old file, the new file, and the patch between them. Any version can apply any patch of its formats.
const OLD: &[u8] = include_bytes!("vitals/old.txt");
const NEW: &[u8] = include_bytes!("vitals/new.txt");
const PATCH: &[u8] = include_bytes!("vitals/old-new.patch");

/// Whether a patch makes the file it should.
pub(crate) fn delta() -> Vital {
    applied(PATCH)
}

fn applied(patch: &[u8]) -> Vital {
    let mut made = Vec::new();
    let limits = PatchLimits::exactly(NEW.len() as u64);
    match moult_delta::apply(&mut Cursor::new(OLD), patch, &mut made, limits) {
        Ok(_) if Digest::of(&made) == Digest::of(NEW) => Vital::Well,
        Ok(_) => Vital::Broken("a patch made another file than it should".to_owned()),
        Err(error) => Vital::Broken(chain(&error)),
    }
}

/// Whether a record in `<data>/update` is read as it was written.
pub(crate) async fn disk(data: &Path) -> Vital {
    let folder = data.join("update");
    let probed = blocking(move || {
        moult_durable::create_dir_all(&folder)?;
        let probe = TwoCopy::<u64>::new(&folder, "probe");
        let next = probe.load().ok().flatten().unwrap_or(0).wrapping_add(1);
        probe.store(&next)?;
        Ok((next, probe.load()?))
    });
    written(probed.await)
}

fn written(probed: Result<(u64, Option<u64>), UpdateError>) -> Vital {
    match probed {
        Ok((written, read)) if read == Some(written) => Vital::Well,
        Ok(_) => Vital::Broken("a record is read otherwise than it was written".to_owned()),
        // A full or failing disk is no fault of this version, and the version before could not write either.
        Err(error) if matches!(error.code(), ErrorCode::DiskFull | ErrorCode::DiskFailed) => {
            Vital::Untried(chain(&error))
        }
        Err(error) => Vital::Broken(chain(&error)),
    }
}

/// Whether a client for HTTPS can be made. No address is asked.
pub(crate) fn client() -> Vital {
    match Http::new("https://localhost/", Limits::default()) {
        Ok(_) => Vital::Well,
        Err(error) => Vital::Broken(chain(&error)),
    }
}

#[cfg(test)]
#[path = "vitals/tests.rs"]
mod tests;
