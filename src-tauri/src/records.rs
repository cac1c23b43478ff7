//! What the user made: settings, board, grants and the state of widgets, each in a file of its own
//! that is either the old or the new one after a power cut.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use moult_durable::TwoCopy;
use moult_model::board::{Board, Cell, Tile};
use moult_model::stage::{HeldCause, HeldWidget, SavedState};
use moult_model::{Settings, Subject, Version, WidgetId};
use moult_sandbox::Grants;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::developer::{self, Session};
use crate::kept::Kept;

mod logic_state;
mod timers;

/// The largest state of one widget, in bytes of JSON.
pub(crate) const STATE_LIMIT_BYTES: usize = 1024 * 1024;

/// The largest settings of one tile, in bytes of JSON.
const TILE_SETTINGS_BYTES: usize = 64 * 1024;

/// The files, and what was last read from or written to them.
///
/// They may have been written by a newer version, from which this one was gone back to: what is not understood
/// is kept ([`Kept`]), and nothing of it stops the start.
pub(crate) struct Records {
    folder: PathBuf,
    settings: Mutex<Kept<Settings>>,
    board: Mutex<Kept<Board>>,
    grants: Mutex<Kept<Grants>>,
    states: Mutex<BTreeMap<String, Kept<SavedState>>>,
    proven: Mutex<Kept<Proven>>,
    held: Mutex<Kept<Held>>,
    /// What there is beside the files, of widgets that are being written.
    session: Session,
    /// Whether this process has the right to write.
    writes: AtomicBool,
}

/// The widgets that were loaded by a version of the application which was confirmed, with their versions. If such
/// a one can't be loaded any more, it is not the widget's fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Proven {
    widgets: BTreeMap<Subject, String>,
}

/// The widgets that are kept off the board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Held {
    widgets: Vec<HeldWidget>,
}

impl Records {
    /// Reads all of it and writes nothing. What is not there yet gets its first value.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let records = Self {
            folder: folder.to_owned(),
            settings: Mutex::new(Kept::first(Settings::default())?),
            board: Mutex::new(Kept::first(Board::default())?),
            grants: Mutex::new(Kept::first(Grants::default())?),
            states: Mutex::default(),
            proven: Mutex::new(Kept::first(Proven::default())?),
            held: Mutex::new(Kept::first(Held::default())?),
            session: Session::default(),
            writes: AtomicBool::new(false),
        };
        records.read_again()?;
        Ok(records)
    }

    /// Reads all of it anew: another process may have written meanwhile.
    pub(crate) fn read_again(&self) -> anyhow::Result<()> {
        let folder = &self.folder;
        let settings = read_settings(&folder.join("settings.json"))?;
        let board = match recover(&records(folder, "board"), "the board") {
            Some(found) => understood(found, Board::default(), "the board", |_| true)?,
            None => Kept::first(first_board())?,
        };
        let grants = match recover(&records(folder, "grants"), "the grants") {
            Some(found) => understood(found, Grants::default(), "the grants", |_| true)?,
            None => Kept::first(Grants::default())?,
        };
        let proven = match recover(&records(folder, "proven"), "the list of loaded widgets") {
            Some(found) => understood(found, Proven::default(), "the list of loaded widgets", |_| true)?,
            None => Kept::first(Proven::default())?,
        };
        let held = match recover(&records(folder, "held"), "the list of widgets that are kept off") {
            Some(found) => understood(
                found,
                Held::default(),
                "the list of widgets that are kept off",
                |_| true,
            )?,
            None => Kept::first(Held::default())?,
        };
        let mut states = BTreeMap::new();
        for tile in &board.value().tiles {
            if let Some(found) = recover(&state_file(folder, &tile.instance), "a widget's state") {
                let state = understood(found, no_state(), "a widget's state", |_| true)?;
                states.insert(tile.instance.clone(), state);
            }
        }
        *locked(&self.settings) = settings;
        *locked(&self.board) = board;
        *locked(&self.grants) = grants;
        *locked(&self.states) = states;
        *locked(&self.proven) = proven;
        *locked(&self.held) = held;
        Ok(())
    }

    /// From now on this process writes, or does not. Only who holds the right to write may say yes.
    pub(crate) fn set_writing(&self, writes: bool) -> anyhow::Result<()> {
        if writes {
            for folder in [
                self.folder.clone(),
                self.folder.join("state"),
                self.folder.join("records"),
            ] {
                moult_durable::create_dir_all(&folder)?;
            }
        }
        self.writes.store(writes, Ordering::Release);
        Ok(())
    }

    fn may_write(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.writes.load(Ordering::Acquire),
            "another Moult that runs holds the data of this one"
        );
        Ok(())
    }

    pub(crate) fn settings(&self) -> Settings {
        locked(&self.settings).value().clone()
    }

    /// Saves settings. Values out of their range are refused and the old ones go on.
    pub(crate) fn set_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        self.may_write()?;
        validate(settings)?;
        let mut current = locked(&self.settings);
        let path = self.folder.join("settings.json");
        if !current.is_record() && path.exists() {
            moult_durable::write_atomic(&self.folder.join("settings.unread.json"), &fs::read(&path)?)?;
        }
        let next = current.with(settings.clone())?;
        moult_durable::write_atomic(&path, &serde_json::to_vec_pretty(next.whole())?)?;
        *current = next;
        Ok(())
    }

    /// What there is beside the files.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The board with all that stands on it.
    pub(crate) fn board(&self) -> Board {
        let mut board = self.kept_board();
        board.tiles.extend(self.session.tiles());
        board
    }

    /// The board as it is on the disk.
    pub(crate) fn kept_board(&self) -> Board {
        locked(&self.board).value().clone()
    }

    pub(crate) fn set_board(&self, board: Board) -> anyhow::Result<()> {
        let board = self.session.part(board);
        self.may_write()?;
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
        let hidden = current.unknown_items("tiles")?;
        anyhow::ensure!(
            !hidden.iter().any(|name| instances.contains(&name.as_str())),
            "a tile of a newer version has this name"
        );
        self.set_aside("board", &current)?;
        let next = current.with(board)?;
        records(&self.folder, "board").store(next.whole())?;
        *current = next;
        Ok(())
    }

    /// Keeps the settings of a tile. Which values fit is its manifest's affair, and looked at when they are used.
    pub(crate) fn set_tile_settings(
        &self,
        instance: &str,
        settings: Map<String, Value>,
    ) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(&settings)?.len();
        anyhow::ensure!(
            bytes <= TILE_SETTINGS_BYTES,
            "the settings have {bytes} bytes; {TILE_SETTINGS_BYTES} are allowed"
        );
        let mut board = self.board();
        let tile = board.tiles.iter_mut().find(|tile| tile.instance == instance);
        tile.with_context(|| format!("there is no tile `{instance}` on the board"))?
            .settings = settings;
        self.set_board(board)
    }

    pub(crate) fn grants(&self) -> Grants {
        self.session.over(locked(&self.grants).value().clone())
    }

    pub(crate) fn decide(&self, widget: &WidgetId, capability: &str, allowed: bool) -> anyhow::Result<()> {
        if developer::is_ones(widget) {
            self.session.decide(widget, capability, allowed);
            return Ok(());
        }
        self.may_write()?;
        let mut grants = locked(&self.grants);
        let mut decided = grants.value().clone();
        decided.decide(widget, capability, allowed, jiff::Timestamp::now().to_string());
        self.set_aside("grants", &grants)?;
        let next = grants.with(decided)?;
        records(&self.folder, "grants").store(next.whole())?;
        tracing::info!(%widget, capability, allowed, "decided");
        *grants = next;
        Ok(())
    }

    pub(crate) fn state(&self, instance: &str) -> Option<SavedState> {
        if self.session.has_tile(instance) {
            return self.session.state(instance);
        }
        let states = locked(&self.states);
        let state = states.get(instance)?.value();
        (*state != no_state()).then(|| state.clone())
    }

    /// Saves the state of a tile that is on the board. When this returns, the state is on the disk.
    pub(crate) fn save_state(&self, instance: &str, state: SavedState) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(&state.data)?.len();
        anyhow::ensure!(
            bytes <= STATE_LIMIT_BYTES,
            "the state has {bytes} bytes; {STATE_LIMIT_BYTES} are allowed"
        );
        if self.session.has_tile(instance) {
            self.session.save_state(instance, state);
            return Ok(());
        }
        self.may_write()?;
        anyhow::ensure!(
            locked(&self.board)
                .value()
                .tiles
                .iter()
                .any(|tile| tile.instance == instance),
            "there is no tile `{instance}` on the board"
        );
        let mut states = locked(&self.states);
        let next = match states.get(instance) {
            Some(kept) if *kept.value() == state => return Ok(()),
            // Nobody can say which of its parts still hold for the new state.
            Some(kept) if *kept.value() == no_state() => {
                self.write_aside(&format!("state.{instance}"), kept.whole())?;
                Kept::first(state)?
            }
            Some(kept) => kept.with(state)?,
            None => Kept::first(state)?,
        };
        state_file(&self.folder, instance).store(next.whole())?;
        states.insert(instance.to_owned(), next);
        Ok(())
    }

    /// Whether this version of a widget was loaded before.
    pub(crate) fn is_proven(&self, widget: &Subject, version: &Version) -> bool {
        let proven = locked(&self.proven);
        proven
            .value()
            .widgets
            .get(widget)
            .is_some_and(|known| *known == version.to_string())
    }

    /// Notes the widgets that a confirmed version of the application has loaded.
    pub(crate) fn prove(&self, widgets: &[(Subject, Version)]) -> anyhow::Result<()> {
        self.may_write()?;
        let mut proven = locked(&self.proven);
        let mut value = proven.value().clone();
        value.widgets.extend(
            widgets
                .iter()
                .map(|(widget, version)| (widget.clone(), version.to_string())),
        );
        if value != *proven.value() {
            self.set_aside("proven", &proven)?;
            let next = proven.with(value)?;
            records(&self.folder, "proven").store(next.whole())?;
            *proven = next;
        }
        Ok(())
    }

    /// The widgets that are kept off the board.
    pub(crate) fn held(&self) -> Vec<HeldWidget> {
        locked(&self.held).value().widgets.clone()
    }

    /// Keeps a version of a widget off the board. It is kept off also if that can't be written.
    pub(crate) fn hold(&self, instance: &str, version: &Version, cause: HeldCause) -> anyhow::Result<()> {
        let mut widgets = self.held();
        widgets.retain(|held| held.instance != instance);
        widgets.push(HeldWidget {
            instance: instance.to_owned(),
            version: version.clone(),
            cause,
            at: jiff::Timestamp::now().to_string(),
        });
        self.keep_held(widgets)
    }

    /// Keeps a widget off no more.
    pub(crate) fn release(&self, instance: &str) -> anyhow::Result<()> {
        let mut widgets = self.held();
        widgets.retain(|held| held.instance != instance);
        self.keep_held(widgets)
    }

    fn keep_held(&self, widgets: Vec<HeldWidget>) -> anyhow::Result<()> {
        let mut held = locked(&self.held);
        if held.value().widgets == widgets {
            return Ok(());
        }
        self.set_aside("held", &held)?;
        *held = held.with(Held { widgets })?;
        self.may_write()?;
        Ok(records(&self.folder, "held").store(held.whole())?)
    }

    /// Keeps what has another shape altogether, before a change writes over it.
    fn set_aside<T>(&self, stem: &str, kept: &Kept<T>) -> anyhow::Result<()>
    where
        T: Clone + Serialize + serde::de::DeserializeOwned,
    {
        if kept.is_record() {
            return Ok(());
        }
        self.write_aside(stem, kept.whole())
    }

    fn write_aside(&self, stem: &str, whole: &Value) -> anyhow::Result<()> {
        let path = self.folder.join("records").join(format!("{stem}.unread.json"));
        Ok(moult_durable::write_atomic(&path, &serde_json::to_vec(whole)?)?)
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn records(folder: &Path, stem: &str) -> TwoCopy<Value> {
    TwoCopy::new(folder.join("records"), stem)
}

fn state_file(folder: &Path, instance: &str) -> TwoCopy<Value> {
    TwoCopy::new(folder.join("state"), instance)
}

/// Stands for a state that is there and not understood.
fn no_state() -> SavedState {
    SavedState {
        schema: 0,
        data: Value::Null,
    }
}

/// Reads a record. One whose two copies are both broken is said in the log; the next store replaces one
/// copy and the other stays for whoever wants to look.
fn recover(file: &TwoCopy<Value>, what: &str) -> Option<Value> {
    file.load().unwrap_or_else(|error| {
        tracing::error!(%error, "{what} can't be read; the first value is used");
        None
    })
}

/// As much of a record as this version understands.
fn understood<T>(found: Value, first: T, what: &str, fits: impl Fn(&T) -> bool) -> anyhow::Result<Kept<T>>
where
    T: Clone + Serialize + serde::de::DeserializeOwned,
{
    let (kept, refused) = Kept::read(found, first, fits)?;
    if !refused.is_empty() || !kept.is_record() {
        tracing::warn!(
            ?refused,
            "{what} has parts that this version does not understand; they are kept as they are"
        );
    }
    Ok(kept)
}

fn read_settings(path: &Path) -> anyhow::Result<Kept<Settings>> {
    let found = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(anyhow::Error::from),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Kept::first(Settings::default())?);
        }
        Err(error) => Err(error.into()),
    };
    let found = found.unwrap_or_else(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "settings.json can't be read; the defaults are used"
        );
        Value::Null
    });
    understood(found, Settings::default(), "settings.json", |settings| {
        validate(settings).is_ok()
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
            settings: Map::new(),
            pinned: None,
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
mod tests;
