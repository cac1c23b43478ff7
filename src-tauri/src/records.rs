//! What the user made: settings, board, grants and the state of widgets, each in a file of its own
//! that is either the old or the new one after a power cut.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use moult_durable::TwoCopy;
use moult_model::board::{Board, Cell, Tile};
use moult_model::stage::SavedState;
use moult_model::{Settings, WidgetId};
use moult_sandbox::Grants;

/// The largest state of one widget, in bytes of JSON.
pub(crate) const STATE_LIMIT_BYTES: usize = 1024 * 1024;

/// The files, and what was last read from or written to them.
pub(crate) struct Records {
    folder: PathBuf,
    settings: Mutex<Settings>,
    board: Mutex<Board>,
    grants: Mutex<Grants>,
    states: Mutex<BTreeMap<String, SavedState>>,
}

impl Records {
    /// Reads all of it. What is not there yet gets its first value; what can't be read is set aside, never deleted.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        for folder in [folder.to_owned(), folder.join("state"), folder.join("records")] {
            moult_durable::create_dir_all(&folder)?;
        }
        let settings = read_settings(&folder.join("settings.json"));
        let board = recover(&records(folder, "board"), "the board")?.unwrap_or_else(first_board);
        let grants = recover(&records(folder, "grants"), "the grants")?.unwrap_or_default();
        let mut states = BTreeMap::new();
        for tile in &board.tiles {
            if let Some(state) = recover(&state_file(folder, &tile.instance), "a widget's state")? {
                states.insert(tile.instance.clone(), state);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            settings: Mutex::new(settings),
            board: Mutex::new(board),
            grants: Mutex::new(grants),
            states: Mutex::new(states),
        })
    }

    pub(crate) fn settings(&self) -> Settings {
        locked(&self.settings).clone()
    }

    /// Saves settings. Values out of their range are refused and the old ones go on.
    pub(crate) fn set_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        validate(settings)?;
        let text = serde_json::to_vec_pretty(settings)?;
        let mut current = locked(&self.settings);
        moult_durable::write_atomic(&self.folder.join("settings.json"), &text)?;
        *current = settings.clone();
        Ok(())
    }

    pub(crate) fn board(&self) -> Board {
        locked(&self.board).clone()
    }

    pub(crate) fn set_board(&self, board: Board) -> anyhow::Result<()> {
        let mut instances: Vec<&str> = board.tiles.iter().map(|tile| tile.instance.as_str()).collect();
        instances.sort_unstable();
        anyhow::ensure!(
            instances.iter().all(|name| is_instance(name)),
            "a tile has a name that can't be a file's"
        );
        anyhow::ensure!(
            instances.windows(2).all(|pair| pair[0] != pair[1]),
            "two tiles have one name"
        );
        let mut current = locked(&self.board);
        records(&self.folder, "board").store(&board)?;
        *current = board;
        Ok(())
    }

    pub(crate) fn grants(&self) -> Grants {
        locked(&self.grants).clone()
    }

    pub(crate) fn decide(&self, widget: &WidgetId, capability: &str, allowed: bool) -> anyhow::Result<()> {
        let mut grants = locked(&self.grants);
        let mut next = grants.clone();
        next.decide(widget, capability, allowed, jiff::Timestamp::now().to_string());
        records(&self.folder, "grants").store(&next)?;
        tracing::info!(%widget, capability, allowed, "decided");
        *grants = next;
        Ok(())
    }

    pub(crate) fn state(&self, instance: &str) -> Option<SavedState> {
        locked(&self.states).get(instance).cloned()
    }

    /// Saves the state of a tile that is on the board. When this returns, the state is on the disk.
    pub(crate) fn save_state(&self, instance: &str, state: SavedState) -> anyhow::Result<()> {
        anyhow::ensure!(
            locked(&self.board)
                .tiles
                .iter()
                .any(|tile| tile.instance == instance),
            "there is no tile `{instance}` on the board"
        );
        let bytes = serde_json::to_vec(&state.data)?.len();
        anyhow::ensure!(
            bytes <= STATE_LIMIT_BYTES,
            "the state has {bytes} bytes; {STATE_LIMIT_BYTES} are allowed"
        );
        let mut states = locked(&self.states);
        if states.get(instance) == Some(&state) {
            return Ok(());
        }
        state_file(&self.folder, instance).store(&state)?;
        states.insert(instance.to_owned(), state);
        Ok(())
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn records<T: serde::Serialize + serde::de::DeserializeOwned>(folder: &Path, stem: &str) -> TwoCopy<T> {
    TwoCopy::new(folder.join("records"), stem)
}

fn state_file(folder: &Path, instance: &str) -> TwoCopy<SavedState> {
    TwoCopy::new(folder.join("state"), instance)
}

/// Reads a record. One whose two copies are both broken is said in the log; the next store replaces one
/// copy and the other stays for whoever wants to look.
fn recover<T>(file: &TwoCopy<T>, what: &str) -> anyhow::Result<Option<T>>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    match file.load() {
        Ok(value) => Ok(value),
        Err(error @ moult_durable::DurableError::BothCopiesUnreadable { .. }) => {
            tracing::error!(error = %error, "{what} can't be read; the first value is used");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("{what} can't be read")),
    }
}

fn read_settings(path: &Path) -> Settings {
    let parsed = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<Settings>(&bytes)
            .map_err(anyhow::Error::from)
            .and_then(|settings| validate(&settings).map(|()| settings)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Settings::default(),
        Err(error) => Err(error.into()),
    };
    parsed.unwrap_or_else(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "settings.json was not taken over; the defaults are used"
        );
        Settings::default()
    })
}

fn validate(settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        (1..=86_400).contains(&settings.check_every_seconds),
        "{} is not a number of seconds between 1 and 86400",
        settings.check_every_seconds
    );
    anyhow::ensure!(
        settings.repository.is_empty() || settings.repository.ends_with('/'),
        "the repository's address must end in `/`"
    );
    Ok(())
}

fn is_instance(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=48).contains(&name.len()) && name.bytes().all(allowed)
}

/// The board of a first start.
fn first_board() -> Board {
    let tile = |instance: &str, widget: &str, x, y, w, h| {
        let widget = widget.parse().ok()?;
        Some(Tile {
            instance: instance.to_owned(),
            widget,
            cell: Cell { x, y, w, h },
        })
    };
    let tiles = [
        tile("clock-1", "moult/clock", 0, 0, 4, 2),
        tile("system-1", "moult/system", 4, 0, 4, 4),
        tile("notes-1", "moult/notes", 8, 0, 4, 4),
    ];
    Board {
        tiles: tiles.into_iter().flatten().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> SavedState {
        SavedState {
            schema: 1,
            data: serde_json::json!({ "text": text }),
        }
    }

    #[test]
    fn what_was_saved_is_there_after_a_restart() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let records = Records::open(folder.path())?;
        records.save_state("notes-1", state("kept"))?;
        records.decide(&"moult/system".parse()?, "system.figures", true)?;
        records.set_settings(&Settings {
            check_every_seconds: 60,
            ..Settings::default()
        })?;
        let again = Records::open(folder.path())?;
        assert_eq!(again.state("notes-1"), Some(state("kept")));
        assert!(again.grants().allows(&"moult/system".parse()?, "system.figures"));
        assert_eq!(again.settings().check_every_seconds, 60);
        Ok(())
    }

    #[test]
    fn state_of_a_tile_that_is_not_there_is_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let records = Records::open(folder.path())?;
        assert!(records.save_state("../settings", state("x")).is_err());
        let large = SavedState {
            schema: 1,
            data: serde_json::Value::String("x".repeat(STATE_LIMIT_BYTES)),
        };
        assert!(records.save_state("notes-1", large).is_err());
        Ok(())
    }

    #[test]
    fn wrong_settings_are_refused_and_the_old_ones_go_on() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let records = Records::open(folder.path())?;
        assert!(
            records
                .set_settings(&Settings {
                    check_every_seconds: 0,
                    ..Settings::default()
                })
                .is_err()
        );
        assert_eq!(records.settings(), Settings::default());
        fs::write(folder.path().join("settings.json"), b"{\"mode\":\"sometimes\"}")?;
        assert_eq!(Records::open(folder.path())?.settings(), Settings::default());
        Ok(())
    }
}
