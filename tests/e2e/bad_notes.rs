//! A widget that throws after its switch goes back by itself.

use moult_model::Outcome;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn a_throwing_notes_goes_back_says_so_and_keeps_the_note() -> anyhow::Result<()> {
    play("bad-notes", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "still here").await?;

        let item = Item::widget(scene.fixtures(), "notes", "notes-bad")?;
        let published = scene.publish(&item)?;
        let version = published.version.to_string();
        let entry = scene.ended(item.subject(), &version, Outcome::RolledBack).await?;
        assert!(!entry.problems.is_empty(), "the history says why");

        scene.live(NOTES, "1.0.0").await?;
        steps::note_stands(scene, "still here").await?;
        let strip = "[data-testid=strip-notes-1]";
        let words = scene
            .stage()?
            .read(Part::Shell, strip, "Back on 1.0.0.", PATIENCE)
            .await?;
        assert!(words.contains("kept"), "the strip says what was kept: {words:?}");
        scene.picture("strip")?;

        // The old version goes on: what is typed now is kept too.
        steps::write_note(scene, " and goes on").await?;

        let mark = scene.access().mark()?;
        until("three more checks", PATIENCE, async || {
            let checks = scene.access().since(mark)?.checks();
            Ok(Look::when(checks >= 3, format!("{checks} checks")))
        })
        .await?;
        assert_eq!(
            scene.access().since(mark)?.artifact_requests(),
            0,
            "it is not tried again"
        );
        scene.live(NOTES, "1.0.0").await
    })
    .await
}
