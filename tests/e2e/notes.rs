//! A widget is replaced while it is used.

use moult_model::Outcome;
use moult_tests::publisher::Item;
use moult_tests::records;
use moult_tests::scene::{Setting, play};
use moult_tests::steps::{self, NOTES};

#[tokio::test]
async fn notes_is_swapped_live_by_a_patch_and_the_note_is_kept_and_migrated() -> anyhow::Result<()> {
    play("notes", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "Shopping\nmilk, bread").await?;
        let schema_before =
            records::widget_state(&scene.install().data(), "notes-1")?.map(|state| state.schema);
        let before = scene.stage()?.loads().await?;
        let mark = scene.access().mark()?;

        let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
        let (published, entry) = steps::update(scene, &item).await?;

        scene.live(NOTES, "1.1.0").await?;
        steps::note_stands(scene, "Shopping\nmilk, bread").await?;
        steps::write_note(scene, " and tea").await?;
        steps::note_stands(scene, "Shopping\nmilk, bread and tea").await?;
        let schema = records::widget_state(&scene.install().data(), "notes-1")?.map(|state| state.schema);
        anyhow::ensure!(
            schema > schema_before,
            "the note was migrated from schema {schema_before:?} to {schema:?}"
        );

        let patch = steps::patch_from(&published, "1.0.0")?;
        let traffic = scene.access().since(mark)?;
        assert_eq!(
            traffic.bytes(&patch.path),
            patch.size,
            "the patch went over the wire, once"
        );
        assert_eq!(traffic.requests(&published.full.path), 0, "the full file did not");
        assert_eq!(entry.outcome, Outcome::Updated);
        assert_eq!(entry.wire_bytes, patch.size);
        assert!(
            entry.plan.iter().all(moult_model::PlanStep::is_patch),
            "{:?}",
            entry.plan
        );
        assert_eq!(entry.full_bytes, published.full.size);
        assert!(entry.problems.is_empty(), "{:?}", entry.problems);

        let mut expected = before.clone();
        *expected.entry("notes-1".to_owned()).or_default() += 1;
        assert_eq!(
            scene.stage()?.loads().await?,
            expected,
            "Notes was loaded once more, nothing else was"
        );
        Ok(())
    })
    .await
}
