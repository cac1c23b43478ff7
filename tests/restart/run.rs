//! One restart, watched.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use moult_model::{Outcome, Subject};
use moult_tests::display::Display;
use moult_tests::fixtures::Fixtures;
use moult_tests::pixels::{Colour, FrameBuffer, judge};
use moult_tests::publisher::{Item, Publisher};
use moult_tests::scene::{PATIENCE, Scene, Setting};
use moult_tests::steps;
use moult_tests::wait::{Look, until};
use serde::Serialize;

/// Pixels between two points that are looked at.
const STEP: u32 = 20;
/// Between two typed keys, in milliseconds.
const KEY_MS: u32 = 60;
/// The ground of the light theme, and what a display shows that shows nothing.
const GROUNDS: [Colour; 2] = [0x00e8_ebe8, 0];

/// How the new version comes to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// The running version hands over.
    HandOver,
    /// The same, to somebody who does not stop typing.
    Typing,
    /// It is ended and started again at once.
    StopAndStart,
}

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A display without a window manager.
    Bare,
    /// Under Openbox.
    Managed,
}

/// What was seen.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    way: Way,
    place: Place,
    /// Milliseconds without the board on the screen.
    gone_ms: f64,
    /// Of these, with the ground of the theme alone.
    ground_ms: f64,
    /// The smallest part of the board that was there at any moment.
    least: f64,
    /// The points that were looked at.
    points: usize,
    /// Looks in all.
    looks: usize,
    /// Milliseconds from the wish to restart until the new version can be used.
    usable_ms: f64,
    /// Whether the note is as it was, with all that was typed.
    kept: bool,
    /// Keys that were typed during the restart, and how many of them are in the note.
    typed: usize,
    arrived: usize,
}

/// Restarts once.
pub(crate) async fn measure(
    fixtures: &Fixtures,
    way: Way,
    place: Place,
    number: u32,
    folder: &Path,
) -> anyhow::Result<Run> {
    let buffers = tempfile::tempdir()?;
    let mut display = Display::with_frame_buffer(buffers.path())?;
    if place == Place::Managed {
        display.manage()?;
    }
    let open = |fixtures: &Fixtures, folder: &Path| Ok(Publisher::open(fixtures, folder)?.remembering());
    let evidence = folder.join(format!("{way:?}-{place:?}-{number}").to_lowercase());
    let mut scene = Scene::set(fixtures, display, open, Setting::default(), &evidence)?;
    match watch(&mut scene, buffers.path(), way, place).await {
        Ok(run) => Ok(run),
        Err(error) => Err(scene.explain(error)),
    }
}

async fn watch(scene: &mut Scene, buffers: &Path, way: Way, place: Place) -> anyhow::Result<Run> {
    steps::open(scene).await?;
    steps::write_note(scene, "before\n").await?;
    click_below_the_text(scene).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    scene.picture("before")?;
    let buffer = FrameBuffer::open(buffers)?;
    let points = buffer.grid(STEP);
    let (early, before) = (buffer.colours(&points)?, buffer.colours(&points)?);
    let watch = buffer.watch(points.clone());
    let text = numbers(60);

    let began = match way {
        Way::HandOver | Way::Typing => {
            scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;
            let began = line(scene, "offers to hand over", SystemTime::UNIX_EPOCH).await?;
            if way == Way::Typing {
                let mut typing = scene.display().begin_typing(&text, KEY_MS)?;
                until("the end of the typing", PATIENCE, async || {
                    Ok(Look::when(typing.try_wait()?.is_some(), "keys still come"))
                })
                .await?;
            }
            began
        }
        Way::StopAndStart => {
            let began = SystemTime::now();
            scene.end();
            scene.start().await?;
            began
        }
    };
    let usable = match way {
        Way::HandOver | Way::Typing => line(scene, "has taken over", began).await?,
        Way::StopAndStart => line(scene, "everything is loaded", began).await?,
    };
    tokio::time::sleep(Duration::from_secs(3)).await;
    let samples = watch.end()?;
    let after = FrameBuffer::open(buffers)?.colours(&points)?;
    scene.picture("after")?;
    let sight = judge(&samples, &steady(&early, &before), &after, &GROUNDS);

    let typed = if way == Way::Typing { text.as_str() } else { "" };
    if way != Way::StopAndStart {
        scene.attach_present().await?;
        scene
            .ended(&Subject::Executable, "0.1.1", Outcome::Updated)
            .await?;
    }
    steps::widgets_run(scene).await?;
    let note = steps::note(scene).await?;
    Ok(Run {
        way,
        place,
        gone_ms: sight.gone_ms,
        ground_ms: sight.ground_ms,
        least: sight.least,
        points: sight.points,
        looks: samples.len(),
        usable_ms: milliseconds(began, usable),
        kept: note == format!("before\n{typed}"),
        typed: typed.len(),
        arrived: note.trim_start_matches("before\n").len(),
    })
}

/// What moves by itself gets a colour that nothing has, so that it is not looked at.
fn steady(early: &[Colour], late: &[Colour]) -> Vec<Colour> {
    let pairs = early.iter().zip(late);
    pairs
        .map(|(early, late)| if early == late { *late } else { Colour::MAX })
        .collect()
}

/// Waits for a line in the application's log that is later than `after`, and says when it was written.
async fn line(scene: &mut Scene, message: &str, after: SystemTime) -> anyhow::Result<SystemTime> {
    let path = scene.install().data().join("log/app.log");
    until(&format!("{message:?} in the log"), PATIENCE * 2, async || {
        let log = std::fs::read_to_string(&path)?;
        let found = log.lines().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let at: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
            let at = SystemTime::from(at);
            (line["fields"]["message"] == message && at >= after).then_some(at)
        });
        Ok(Look::from_option(found, "no such line"))
    })
    .await
}

fn milliseconds(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).unwrap_or_default().as_secs_f64() * 1000.0
}

/// Puts the caret to the end of the note, with the keyboard on the window as a hand would leave it.
async fn click_below_the_text(scene: &Scene) -> anyhow::Result<()> {
    let layout = scene.stage()?.layout().await?;
    let place = layout.get("notes-1").context("Notes is not on the board")?;
    let side = |index: usize| place[index].as_f64().context("a tile without a place");
    scene
        .display()
        .click(side(0)? + side(2)? / 2.0, side(1)? + side(3)? - 60.0)?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(())
}

/// Words in which every lost, doubled or exchanged key shows: 1 2 3 4 …
fn numbers(count: u32) -> String {
    (1..=count)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}
