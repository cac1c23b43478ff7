//! A widget is replaced under the hands of somebody who does not stop typing.

use std::time::Duration;

use anyhow::Context as _;
use moult_model::Outcome;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};

/// Between two keys: quick, and never a rest of 2 s, after which an update would come in between.
const PAUSE_MS: u32 = 90;

#[tokio::test]
async fn no_key_is_lost_or_moved_when_notes_is_swapped_while_it_is_typed_into() -> anyhow::Result<()> {
    play("typing", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "Diary\n").await?;
        click_below_the_text(scene).await?;

        // Longer than the patience of an update, so that it has to come in while keys are typed.
        let text = numbers(270);
        let mut typing = scene.display().begin_typing(&text, PAUSE_MS)?;
        let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
        let (_, entry) = steps::update(scene, &item).await?;
        assert_eq!(entry.outcome, Outcome::Updated);
        anyhow::ensure!(
            typing.try_wait()?.is_none(),
            "the typing ended before the update did: the swap was not tried"
        );
        scene.live(NOTES, "1.1.0").await?;
        until("the end of the typing", PATIENCE, async || {
            let ended = typing.try_wait()?;
            Ok(Look::when(ended.is_some(), "keys still come".to_owned()))
        })
        .await?;
        steps::note_is_safe(scene, &format!("Diary\n{text}")).await
    })
    .await
}

/// Puts the caret to the end of the note, with the keyboard on the window as a hand would leave it.
pub(crate) async fn click_below_the_text(scene: &Scene) -> anyhow::Result<()> {
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
pub(crate) fn numbers(count: u32) -> String {
    (1..=count)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}
