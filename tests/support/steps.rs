//! Steps that several stories share, in the words of the product.

use anyhow::Context as _;
use moult_model::{HistoryEntry, Outcome, Subject};

use crate::publisher::{Item, Published};
use crate::scene::{PATIENCE, Scene};
use crate::stage::Part;
use crate::wait::{Look, until};

/// The instance of Notes on the board of a first start.
pub const NOTES: Part<'static> = Part::Widget("notes-1");
/// The instance of System.
pub const SYSTEM: Part<'static> = Part::Widget("system-1");
/// The instance of Clock.
pub const CLOCK: Part<'static> = Part::Widget("clock-1");
/// Where the note is typed.
pub const NOTE: &str = "[data-testid=notes-editor]";

/// The update centre.
pub const UPDATES: &str = "[data-testid=updates-view]";
/// What the update centre says about a check that failed.
pub const CHECK_PROBLEM: &str = "[data-testid=check-problem]";

/// What is published before the first start.
pub fn opening(scene: &Scene) -> anyhow::Result<Vec<Item>> {
    let fixtures = scene.fixtures();
    Ok(vec![
        Item::app(fixtures, "0.1.0"),
        Item::shell(fixtures, "0.1.0"),
        Item::widget(fixtures, "clock", "clock")?,
        Item::widget(fixtures, "notes", "notes-1.0.0")?,
        Item::widget(fixtures, "system", "system")?,
    ])
}

/// Publishes the opening, starts the product and waits until all three widgets run.
pub async fn open(scene: &mut Scene) -> anyhow::Result<Vec<Published>> {
    let items = opening(scene)?;
    let published = items
        .iter()
        .map(|item| scene.publish(item))
        .collect::<anyhow::Result<Vec<_>>>()?;
    scene.start().await?;
    widgets_run(scene).await?;
    Ok(published)
}

/// Waits until the shell and all three widgets are live.
pub async fn widgets_run(scene: &Scene) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    until(
        "shell, Clock, Notes and System on the stage",
        PATIENCE,
        async || {
            for part in [Part::Shell, CLOCK, NOTES, SYSTEM] {
                stage.live(part).await?;
            }
            note(scene).await?;
            Ok(Look::There(()))
        },
    )
    .await
}

/// The note as it stands in the tile. Up to 1.0 it is one text; from 1.1 on its first line is a title.
pub async fn note(scene: &Scene) -> anyhow::Result<String> {
    let stage = scene.stage()?;
    let title = stage
        .value(NOTES, "[data-testid=notes-title]")
        .await
        .unwrap_or_default();
    Ok(whole(&title, &stage.value(NOTES, NOTE).await?))
}

/// Types at the end of the note and waits until all of it is safe on the disk.
pub async fn write_note(scene: &Scene, text: &str) -> anyhow::Result<()> {
    let before = note(scene).await?;
    scene.stage()?.type_into(NOTES, NOTE, text).await?;
    note_is_safe(scene, &format!("{before}{text}")).await
}

fn whole(title: &str, body: &str) -> String {
    [title, body]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Waits until the native side has acknowledged a note.
pub async fn note_is_safe(scene: &Scene, text: &str) -> anyhow::Result<()> {
    let data = scene.install().data();
    until(&format!("the note {text:?} on the disk"), PATIENCE, async || {
        let saved = crate::records::widget_state(&data, "notes-1")?;
        let Some(state) = saved else {
            return Ok(Look::NotYet("nothing".to_owned()));
        };
        let part = |name: &str| state.data[name].as_str().unwrap_or_default();
        let body = if part("text").is_empty() {
            part("body")
        } else {
            part("text")
        };
        let seen = whole(part("title"), body);
        Ok(Look::when(seen == text, format!("{seen:?}")))
    })
    .await
}

/// Types at the end of the note of a probed version and waits until all of it is safe on the disk.
pub async fn write_probed_note(scene: &Scene, text: &str) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    let expected = format!("{}{text}", stage.value(NOTES, NOTE).await?);
    stage.type_into(NOTES, NOTE, text).await?;
    let data = scene.install().data();
    until(
        &format!("the note {expected:?} on the disk"),
        PATIENCE,
        async || {
            let saved = crate::records::widget_state(&data, "notes-1")?;
            let body = saved
                .map(|saved| saved.data["widget"]["body"].clone())
                .unwrap_or_default();
            Ok(Look::when(body == expected.as_str(), body))
        },
    )
    .await
}

/// Allows what a tile asks for.
pub async fn allow(scene: &Scene, instance: &str) -> anyhow::Result<()> {
    scene
        .stage()?
        .press(Part::Shell, &format!("[data-testid=consent-allow-{instance}]"))
        .await
}

/// Waits for the note in the tile: a new version reads it when it has started.
pub async fn note_stands(scene: &Scene, text: &str) -> anyhow::Result<()> {
    until(&format!("the note {text:?} in the tile"), PATIENCE, async || {
        let seen = note(scene).await?;
        Ok(Look::when(seen == text, format!("{seen:?}")))
    })
    .await
}

/// Shows the update centre.
pub async fn show_updates(scene: &Scene) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    if stage.words(Part::Shell, UPDATES).await?.is_none() {
        stage.press(Part::Shell, "[data-testid=status]").await?;
    }
    until("the update centre", PATIENCE, async || {
        Ok(Look::when(
            stage.words(Part::Shell, UPDATES).await?.is_some(),
            "the board",
        ))
    })
    .await
}

/// Shows the board.
pub async fn show_board(scene: &Scene) -> anyhow::Result<()> {
    scene.stage()?.press(Part::Shell, "[data-testid=tab-desk]").await
}

/// Waits until the update centre names the problem and says what was kept.
pub async fn problem_is_told(scene: &Scene, code: &str) -> anyhow::Result<()> {
    show_updates(scene).await?;
    let stage = scene.stage()?;
    let words = until(&format!("{code} in the update centre"), PATIENCE, async || {
        let found = stage.attribute(Part::Shell, CHECK_PROBLEM, "data-code").await?;
        let words = stage.words(Part::Shell, CHECK_PROBLEM).await?.unwrap_or_default();
        Ok(Look::when(found.as_deref() == Some(code), format!("{found:?}")).map(|()| words))
    })
    .await?;
    anyhow::ensure!(
        words.len() > 20 && !words.contains("Oops"),
        "a person can't use {words:?}"
    );
    Ok(())
}

/// Waits until the problem is gone by itself.
pub async fn problem_is_gone(scene: &Scene) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    until("the problem to be gone", PATIENCE, async || {
        let words = stage.words(Part::Shell, CHECK_PROBLEM).await?;
        let status = stage
            .attribute(Part::Shell, "[data-testid=status]", "data-kind")
            .await?;
        Ok(Look::when(
            words.is_none() && status.as_deref() != Some("check_failed"),
            format!("{words:?} {status:?}"),
        ))
    })
    .await
}

/// Publishes one thing and waits until the running product has taken it over.
pub async fn update(scene: &mut Scene, item: &Item) -> anyhow::Result<(Published, HistoryEntry)> {
    let published = scene.publish(item)?;
    let version = published.version.to_string();
    let entry = scene.ended(item.subject(), &version, Outcome::Updated).await?;
    Ok((published, entry))
}

/// A widget as swaps are tried with it, by its name among the fixtures: `notes-90.0.0`.
pub fn probed(scene: &Scene, name: &str) -> anyhow::Result<Item> {
    let widget = name.split('-').next().unwrap_or_default();
    Ok(Item::bundle(
        self::widget(widget)?,
        &scene.fixtures().probed(name),
    ))
}

/// The patch that leads from a version to a release.
pub fn patch_from<'a>(
    published: &'a Published,
    from: &str,
) -> anyhow::Result<&'a crate::publisher::PatchFile> {
    let found = published
        .patches
        .iter()
        .find(|patch| patch.from_version.to_string() == from);
    found.with_context(|| format!("no patch from {from} was published: {:?}", published.patches))
}

/// `w/moult/NAME`.
pub fn widget(name: &str) -> anyhow::Result<Subject> {
    Ok(format!("w/moult/{name}").parse()?)
}
