//! Two versions of one widget stand on the board at once: one tile is held while the other is updated.

use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};

const OTHER: Part<'static> = Part::Widget("notes-2");

#[tokio::test]
async fn a_tile_that_is_held_keeps_its_version_over_updates_and_restarts_and_says_which() -> anyhow::Result<()>
{
    play("held", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "compare").await?;
        scene.stage()?.press(Part::Shell, "[data-testid=add]").await?;
        scene
            .stage()?
            .press(Part::Shell, "[data-testid='add-w/moult/notes']")
            .await?;
        scene.live(OTHER, "1.0.0").await?;
        choose(scene, "notes-1", "pin-1.0.0").await?;
        says(scene, "notes-1", "Stays on 1.0.0").await?;

        let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
        steps::update(scene, &item).await?;
        scene.live(OTHER, "1.1.0").await?;
        scene.live(NOTES, "1.0.0").await?;
        says(scene, "notes-1", "Stays on 1.0.0").await?;
        let tile = "[data-testid=tile-notes-2]";
        let version = scene
            .stage()?
            .attribute(Part::Shell, tile, "data-version")
            .await?;
        assert_eq!(version.as_deref(), Some("1.1.0"));
        steps::write_note(scene, " the old").await?;
        scene.picture("two-versions")?;

        scene.end();
        scene.start().await?;
        steps::widgets_run(scene).await?;
        scene.live(NOTES, "1.0.0").await?;
        scene.live(OTHER, "1.1.0").await?;
        says(scene, "notes-1", "Stays on 1.0.0").await?;
        steps::note_stands(scene, "compare the old").await?;

        choose(scene, "notes-1", "pin-off").await?;
        scene.live(NOTES, "1.1.0").await?;
        steps::note_stands(scene, "compare the old").await?;
        let held = "[data-testid=pinned-notes-1]";
        until("nothing that says that it stays", PATIENCE, async || {
            let words = scene.stage()?.words(Part::Shell, held).await?;
            Ok(Look::when(words.is_none(), format!("{words:?}")))
        })
        .await
    })
    .await
}

/// Chooses from a tile's menu.
async fn choose(scene: &Scene, instance: &str, item: &str) -> anyhow::Result<()> {
    let handle = format!("[data-handle={instance}]");
    scene.stage()?.press(Part::Shell, &handle).await?;
    scene
        .stage()?
        .press(Part::Shell, &format!("[data-testid='{item}']"))
        .await
}

async fn says(scene: &Scene, instance: &str, words: &str) -> anyhow::Result<()> {
    let place = format!("[data-testid=pinned-{instance}]");
    scene.stage()?.read(Part::Shell, &place, words, PATIENCE).await?;
    Ok(())
}
