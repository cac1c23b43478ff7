//! One update: the launcher's own code starts versions, the real engine finds, fetches, patches, stages and
//! arms, and the launcher judges the new one. All in this process and on this thread.

use moult_boot::ToLauncher;
use moult_boot::launcher::{Body, LifeEnd, Lived, Starting, rehearse};
use moult_durable::faults as points;
use moult_update::Picture;

use crate::application::{self, Life, NoEnd, Unfit};
use crate::faults;
use crate::installation::Installation;

/// The variable that says how the new version does.
const LIFE: &str = "MOULT_DRIVE_LIFE";
/// The exit code if something failed that this program can't go on without.
pub(crate) const LOST: u8 = 3;

/// The exit code of a version that says that it does not work.
const UNFIT: i32 = 78;

/// What became of a drive.
#[derive(Debug)]
pub(crate) struct Driven {
    /// The launcher's exit code.
    pub(crate) code: i32,
    /// What could not be done, in the order in which it happened.
    pub(crate) troubles: Vec<String>,
    /// What the last application showed when it ended.
    pub(crate) picture: Picture,
}

/// Plays the application in the launcher's hands.
struct Played<'a> {
    installation: &'a Installation,
    life: Life,
    troubles: Vec<String>,
    picture: Picture,
    came_to_no_end: bool,
}

impl Body for Played<'_> {
    fn run(&mut self, start: &Starting<'_>) -> Lived {
        if self.life == Life::Crashing && start.on_trial {
            return crashed();
        }
        let running = self.installation.running(start);
        let quit = running.and_then(|running| application::run(self.installation, &running, self.life));
        match quit {
            Ok((why, picture)) => {
                self.picture = picture;
                Lived {
                    said: vec![
                        ToLauncher::Painted,
                        ToLauncher::Confirmed,
                        ToLauncher::Quitting { why },
                    ],
                    end: LifeEnd::Code(0),
                }
            }
            Err(error) if error.is::<Unfit>() => Lived {
                said: vec![
                    ToLauncher::Painted,
                    ToLauncher::Unfit {
                        what: error.to_string(),
                    },
                ],
                end: LifeEnd::Code(UNFIT),
            },
            Err(error) => {
                self.came_to_no_end |= error.is::<NoEnd>();
                self.troubles.push(format!("{error:#}"));
                crashed()
            }
        }
    }
}

/// As by `abort`.
fn crashed() -> Lived {
    Lived {
        said: Vec::new(),
        end: LifeEnd::Signal(6),
    }
}

/// One update with what the environment says about faults and lives.
pub(crate) fn update_as_told(installation: &Installation) -> anyhow::Result<u8> {
    let life = match std::env::var(LIFE).as_deref() {
        Ok("crashing") => Life::Crashing,
        Ok("go-back") => Life::GoBack,
        Ok("broken-updater") => Life::BrokenUpdater,
        Ok("good" | "") | Err(_) => Life::Good,
        Ok(other) => anyhow::bail!("`{other}` is no life"),
    };
    if let Ok(text) = std::env::var(faults::VARIABLE) {
        points::arm(faults::plan(&text, installation.install())?)?;
    }
    let driven = update(installation, life);
    for trouble in &driven.troubles {
        crate::say(trouble);
    }
    Ok(u8::try_from(driven.code).unwrap_or(1))
}

/// One update.
pub(crate) fn update(installation: &Installation, life: Life) -> Driven {
    let mut played = Played {
        installation,
        life,
        troubles: Vec::new(),
        picture: Picture::default(),
        came_to_no_end: false,
    };
    let ending = rehearse(&installation.launcher(), &mut played);
    let came_to_no_end = played.came_to_no_end;
    let (mut troubles, picture) = (played.troubles, played.picture);
    troubles.extend(ending.message);
    Driven {
        code: if came_to_no_end { LOST.into() } else { ending.code },
        troubles,
        picture,
    }
}
