//! Swaps of the first-party widgets in the real application, one after the other, each watched on the screen, while
//! events come in and somebody types. What a widget must hold at each moment says a [`model`].

pub mod model;
mod one;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use moult_boot::BundleStore;
use moult_durable::{Lock, TwoCopy};
use moult_model::stage::SavedState;
use moult_model::{Bundle, BundleManifest, Digest, Settings};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::display::Display;
use crate::drill::Drill;
use crate::fixtures::Fixtures;
use crate::install::{Install, Running};
use crate::pixels::{Colour, Point};
use crate::processes;
use crate::scene::PATIENCE;
use crate::stage::{Part, Stage};
use crate::wait::{Look, until};

pub use one::{Chance, Load, Swap};

/// The two versions of each widget, and the colour of the mark that each paints.
pub const VERSIONS: [(&str, Colour); 2] = [("90.0.0", 0x00ff_0080), ("90.0.1", 0x0000_60ff)];

/// The widgets, and where each stands on the board.
pub const WIDGETS: [(&str, [u16; 4]); 6] = [
    ("clock", [0, 0, 4, 2]),
    ("notes", [4, 0, 4, 4]),
    ("system", [8, 0, 4, 4]),
    ("pomodoro", [0, 2, 4, 2]),
    ("feed", [4, 4, 4, 2]),
    ("tasks", [8, 4, 4, 2]),
];

/// What each widget asks for, so that no question covers a tile.
const GRANTS: [(&str, &str); 5] = [
    ("moult/system", "system.figures"),
    ("moult/pomodoro", "notifications"),
    ("moult/pomodoro", "bus"),
    ("moult/feed", "network"),
    ("moult/feed", "open.url"),
];

/// Pixels between two points of a tile that are looked at.
const STEP: u32 = 9;

/// The application with six widgets on its board.
#[derive(Debug)]
pub struct Board {
    // Dropped in this order: the product before the display, the folder last.
    stage: Stage,
    running: Running,
    pub(crate) display: Display,
    install: Install,
    bundles: PathBuf,
    pub(crate) frames: PathBuf,
    layout: BTreeMap<String, Value>,
    /// How many events each widget was told of.
    pub(crate) told: BTreeMap<&'static str, u64>,
    _folder: tempfile::TempDir,
    // Two applications at a time would only slow each other down and blur the figures.
    _turn: Lock,
}

impl Board {
    /// Installs and starts the application with the first version of each widget.
    pub async fn open(fixtures: &Fixtures) -> anyhow::Result<Self> {
        let path = fixtures.folder().join("turn.lock");
        let turn = tokio::task::spawn_blocking(move || Lock::acquire(&path)).await??;
        let folder = tempfile::Builder::new().prefix("moult-swaps-").tempdir()?;
        let (frames, bundles) = (folder.path().join("frames"), folder.path().join("bundles"));
        let display = Display::with_frame_buffer(&frames)?;
        // No repository: nothing is updated but by order.
        let settings = Settings {
            repository: "http://127.0.0.1:9/".to_owned(),
            check_every_seconds: 86_400,
            ..Settings::default()
        };
        let install = Install::new(fixtures, &folder.path().join("install"), "0.1.0", &settings)?;
        fs::create_dir_all(&bundles)?;
        furnish(fixtures, &install.data(), &bundles)?;
        let mut running = install.start(&display)?;
        let stage = Stage::attach(&mut running, None).await?;
        let mut board = Self {
            stage,
            running,
            display,
            install,
            bundles,
            frames,
            layout: BTreeMap::new(),
            told: BTreeMap::new(),
            _folder: folder,
            _turn: turn,
        };
        board.stands().await?;
        let mut drill = board.drill()?;
        for (widget, capability) in GRANTS {
            drill.grant(widget, capability)?;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        board.layout = board.stage.layout().await?;
        Ok(board)
    }

    async fn stands(&self) -> anyhow::Result<()> {
        until("six widgets on the board", PATIENCE, async || {
            for (name, _) in WIDGETS {
                self.stage.live(Part::Widget(&instance(name))).await?;
            }
            Ok(Look::There(()))
        })
        .await
    }

    /// Kills the application with all its processes, as a power cut would, and starts it again.
    pub async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        for id in self.running.processes() {
            processes::signal(id, Signal::KILL);
        }
        self.running.end();
        self.running = self.install.start(&self.display)?;
        self.stage = Stage::attach(&mut self.running, None).await?;
        self.stands().await
    }

    /// A connection for orders.
    pub fn drill(&self) -> anyhow::Result<Drill> {
        Drill::connect(&self.install.data())
    }

    /// The stage.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The display.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// The bundle file of a widget, by its name among the fixtures: `notes-90.0.0`.
    pub fn bundle(&self, name: &str) -> PathBuf {
        self.bundles.join(format!("{name}.bundle"))
    }

    /// The memory of the application and of all its children, in KiB.
    pub fn memory_kib(&self) -> u64 {
        processes::memory_kib(&self.running.processes())
    }

    /// What the application wrote last, for messages.
    pub fn tail(&self) -> String {
        self.running.tail(40)
    }

    /// The state of a widget as it is on the disk.
    pub fn state(&self, name: &str) -> anyhow::Result<Value> {
        let state = crate::records::widget_state(&self.install.data(), &instance(name))?;
        Ok(state.context("there is no state")?.data)
    }

    /// The points of a widget's body that are looked at; the last one is in the mark.
    pub(crate) fn points(&self, name: &str) -> anyhow::Result<Vec<Point>> {
        let place = self
            .layout
            .get(&instance(name))
            .context("the widget is not on the board")?;
        let side = |index: usize| place[index].as_u64().and_then(|side| u32::try_from(side).ok());
        let (Some(x), Some(y), Some(w), Some(h)) = (side(0), side(1), side(2), side(3)) else {
            anyhow::bail!("{name} lies outside of the window");
        };
        let lines = (y + 3..y + h - 1).step_by(STEP as usize);
        let mut points: Vec<Point> = lines
            .flat_map(|y| {
                (x + 3..x + w - 1)
                    .step_by(STEP as usize)
                    .map(move |x| Point { x, y })
            })
            .collect();
        points.push(Point {
            x: x + w - 5,
            y: y + h - 5,
        });
        Ok(points)
    }

    /// Clicks an element of a widget, as a hand does: the keyboard is there from then on.
    pub async fn focus(&self, name: &str, selector: &str) -> anyhow::Result<()> {
        let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]";
        let instance = instance(name);
        let at = self
            .stage
            .inside(Part::Widget(&instance), script, vec![json!(selector)])
            .await?;
        let place = self
            .layout
            .get(&instance)
            .context("the widget is not on the board")?;
        let side = |value: &Value, index: usize| value[index].as_f64().unwrap_or_default();
        self.display
            .click(side(place, 0) + side(&at, 0), side(place, 1) + side(&at, 1))?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let to_end = "const field = document.querySelector(arguments[0]);
            field.setSelectionRange(field.value.length, field.value.length)";
        self.stage
            .inside(Part::Widget(&instance), to_end, vec![json!(selector)])
            .await
            .map(drop)
    }
}

/// The instance of a widget on the board.
pub fn instance(name: &str) -> String {
    format!("{name}-1")
}

/// Writes what the application finds at its start: the board, the installed widgets and what each holds.
fn furnish(fixtures: &Fixtures, data: &Path, bundles: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(data.join("records"))?;
    fs::create_dir_all(data.join("state"))?;
    let tiles: Vec<Value> = WIDGETS
        .iter()
        .map(|(name, [x, y, w, h])| {
            let cell = json!({ "x": x, "y": y, "w": w, "h": h });
            json!({ "instance": instance(name), "widget": format!("moult/{name}"), "cell": cell })
        })
        .collect();
    TwoCopy::new(data.join("records"), "board").store(&json!({ "tiles": tiles }))?;
    let store = BundleStore::open(data)?;
    for entry in fs::read_dir(fixtures.probed(""))? {
        let entry = entry?;
        let (manifest, bytes) = pack(&entry.path())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        fs::write(bundles.join(format!("{name}.bundle")), &bytes)?;
        if !name.ends_with(VERSIONS[0].0) {
            continue;
        }
        let (staged, digest) = (store.staging().join(&name), Digest::of(&bytes));
        fs::write(&staged, &bytes)?;
        store.install(&staged, &manifest.id, &manifest.version, digest)?;
        store.begin_trial(&manifest.id, &digest)?;
        store.confirm(&manifest.id, &digest)?;
        let widget = name.split('-').next().unwrap_or_default();
        if let (Some(state), Some(schema)) = (model::first(widget), manifest.state) {
            let heard = json!({ "count": 0, "last": 0, "astray": 0 });
            let state = SavedState {
                schema: schema.schema,
                data: json!({ "widget": state, "heard": heard }),
            };
            TwoCopy::new(data.join("state"), &instance(widget)).store(&state)?;
        }
    }
    Ok(())
}

/// Packs a built widget.
fn pack(folder: &Path) -> anyhow::Result<(BundleManifest, Vec<u8>)> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    let manifest = files.remove("moult.json").context("there is no moult.json")?;
    let manifest: BundleManifest = serde_json::from_slice(&manifest)?;
    let bytes = Bundle::pack(&manifest, &files)?;
    Ok((manifest, bytes))
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
