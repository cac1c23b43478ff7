//! The ground that the stories stand on: the application with a good neighbour and hostile widgets on its board.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use moult_durable::TwoCopy;
use moult_model::board::{Board, Cell, Tile};
use moult_sandbox::Grants;
use moult_tests::publisher::Item;
use moult_tests::records;
use moult_tests::scene::{PATIENCE, Scene};
use moult_tests::stage::Part;
use moult_tests::steps;
use moult_tests::wait::{Look, until};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bundles;

/// The good neighbour on the board.
pub(crate) const PROBE: Part<'static> = Part::Widget("probe-1");
/// The hostile widget on the board.
pub(crate) const HOSTILE: Part<'static> = Part::Widget("hostile-1");

/// A hostile widget on the board.
pub(crate) struct Hostile {
    /// What it declares.
    pub(crate) permissions: Value,
    /// Which of it is granted.
    pub(crate) granted: Vec<&'static str>,
    /// What its script begins with.
    pub(crate) script: String,
}

impl Hostile {
    /// One that declares nothing, and does what it is told by the test.
    pub(crate) fn plain() -> Self {
        Self {
            permissions: json!([]),
            granted: Vec::new(),
            script: String::new(),
        }
    }
}

/// Publishes and starts the application with Notes, the neighbour, and these hostile widgets (`hostile-1`, ...).
pub(crate) async fn open_without_waiting(scene: &mut Scene, hostile: &[Hostile]) -> anyhow::Result<()> {
    let folder = folder(scene);
    let mut items = vec![
        Item::app(scene.fixtures(), "0.1.0"),
        Item::shell(scene.fixtures(), "0.1.0"),
        Item::widget(scene.fixtures(), "notes", "notes-1.0.0")?,
        Item::bundle("w/moult/probe".parse()?, &bundles::probe(&folder)?),
    ];
    let mut grants = Grants::default();
    let mut tiles = vec![
        tile("notes-1", "moult/notes", 0)?,
        tile("probe-1", "moult/probe", 4)?,
    ];
    for (index, one) in hostile.iter().enumerate() {
        let name = if index == 0 {
            "hostile".to_owned()
        } else {
            format!("hostile{}", index + 1)
        };
        let made = bundles::hostile(&folder, &name, "1.0.0", &one.permissions, &one.script)?;
        items.push(Item::bundle(format!("w/moult/{name}").parse()?, &made));
        let widget = format!("moult/{name}").parse()?;
        for capability in &one.granted {
            grants.decide(&widget, capability, true, "2026-01-01T00:00:00Z".to_owned());
        }
        let place = u16::try_from(index)? * 4;
        let mut tile = tile(&format!("hostile-{}", index + 1), &format!("moult/{name}"), place)?;
        tile.cell.y = 3;
        tiles.push(tile);
    }
    for item in &items {
        scene.publish(item)?;
    }
    let data = scene.install().data();
    let records = data.join("records");
    moult_durable::create_dir_all(&records)?;
    TwoCopy::new(records.clone(), "board").store(&Board { tiles })?;
    TwoCopy::new(records, "grants").store(&grants)?;
    scene.start().await
}

/// The same, and waits until all of them stand.
pub(crate) async fn open(scene: &mut Scene, hostile: &[Hostile]) -> anyhow::Result<()> {
    open_without_waiting(scene, hostile).await?;
    until("every widget on the stage", PATIENCE, async || {
        let stage = scene.stage()?;
        let frames = stage.frames().await?;
        let ready = hostile.len() + 3;
        for part in [Part::Shell, steps::NOTES, PROBE] {
            stage.live(part).await?;
        }
        steps::note(scene).await?;
        Ok(Look::when(
            frames.len() == ready,
            format!("{} frames", frames.len()),
        ))
    })
    .await
}

/// Attaches to the page that came after the one that was lost.
pub(crate) async fn back(scene: &mut Scene) -> anyhow::Result<()> {
    let same = scene.stage()?.frames().await;
    if same.is_ok_and(|frames| !frames.is_empty()) {
        return Ok(());
    }
    scene.attach_to_page().await
}

fn tile(instance: &str, widget: &str, x: u16) -> anyhow::Result<Tile> {
    Ok(Tile {
        instance: instance.to_owned(),
        widget: widget.parse()?,
        cell: Cell { x, y: 0, w: 4, h: 2 },
        settings: serde_json::Map::new(),
        pinned: None,
    })
}

/// Where this scene's bundles are made.
pub(crate) fn folder(scene: &Scene) -> PathBuf {
    scene.install().folder().join("bundles")
}

/// Begins an attack, and does not wait for it.
pub(crate) async fn begin(scene: &Scene, part: Part<'_>, name: &str, argument: Value) -> anyhow::Result<()> {
    let script = "return attack(arguments[0], arguments[1]) ?? null";
    scene
        .stage()?
        .inside(part, script, vec![json!(name), argument])
        .await?;
    Ok(())
}

/// What came of an attack.
pub(crate) async fn attack(
    scene: &Scene,
    part: Part<'_>,
    name: &str,
    argument: Value,
) -> anyhow::Result<Value> {
    begin(scene, part, name, argument).await?;
    until(&format!("the end of {name}"), PATIENCE, async || {
        let result = scene
            .stage()?
            .inside(part, "return results[arguments[0]] ?? null", vec![json!(name)])
            .await?;
        anyhow::ensure!(result["error"].is_null(), "it failed by itself: {result}");
        Ok(Look::from_option(result.get("outcome").cloned(), &result))
    })
    .await
}

/// Asserts of each attempt but those in `allowed` that it was refused.
pub(crate) fn all_refused(outcome: &Value, allowed: &[&str]) -> anyhow::Result<()> {
    let attempts = outcome.as_object().context("an attack without attempts")?;
    for (name, result) in attempts {
        let refused = result.get("refused").is_some();
        anyhow::ensure!(
            refused != allowed.contains(&&**name),
            "{name} came to {result}, of {outcome:#}"
        );
    }
    Ok(())
}

/// How long the neighbour's frames took since the last call, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Gaps {
    pub(crate) frames: u32,
    median: u32,
    pub(crate) p99: u32,
    longest: u32,
}

impl std::fmt::Display for Gaps {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            frames,
            median,
            p99,
            longest,
        } = self;
        write!(
            out,
            "median {median}, p99 {p99}, longest {longest} ms, of {frames}"
        )
    }
}

/// Reads and forgets the neighbour's frames.
pub(crate) async fn gaps(scene: &Scene) -> anyhow::Result<Gaps> {
    let gaps = scene.stage()?.inside(PROBE, "return takeGaps()", vec![]).await?;
    Ok(serde_json::from_value(gaps)?)
}

/// Has the neighbour count once, and waits until that is on the disk.
pub(crate) async fn count(scene: &Scene) -> anyhow::Result<u64> {
    let counted = scene.stage()?.inside(PROBE, "return count()", vec![]).await?;
    let counted = counted.as_u64().context("no count")?;
    let data = scene.install().data();
    until("the count on the disk", PATIENCE, async || {
        let state = records::widget_state(&data, "probe-1")?;
        let kept = state.and_then(|state| state.data["count"].as_u64());
        Ok(Look::when(kept == Some(counted), format!("{kept:?}")))
    })
    .await?;
    Ok(counted)
}

/// Presses the mouse at a share of a tile's height, as a hand does.
pub(crate) async fn press(scene: &Scene, instance: &str, height: f64) -> anyhow::Result<()> {
    let layout = scene.stage()?.layout().await?;
    let place = layout.get(instance).context("no such tile")?;
    let side = |index: usize| place[index].as_f64().context("a tile without a place");
    scene
        .display()
        .click(side(0)? + side(2)? / 2.0, side(1)? + side(3)? * height)?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(())
}

/// The lines of the application's log that hold all of these.
pub(crate) fn log(scene: &Scene, parts: &[&str]) -> anyhow::Result<Vec<Value>> {
    let path = scene.install().data().join("log/app.log");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text
        .lines()
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// Waits until the log names something.
pub(crate) async fn named(scene: &Scene, parts: &[&str]) -> anyhow::Result<Value> {
    until(
        &format!("{parts:?} in the log"),
        Duration::from_secs(20),
        async || Ok(Look::from_option(log(scene, parts)?.pop(), "no such line")),
    )
    .await
}

/// Says a figure of this run, for the page about this suite.
#[expect(clippy::print_stderr, reason = "figures of a run are read by a person")]
pub(crate) fn say(what: &str, figures: &impl std::fmt::Display) {
    eprintln!("FIGURE {what}: {figures}");
}
