//! The application's own frontend is replaced under the eyes of the user.

use moult_tests::publisher::Item;
use moult_tests::scene::{Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, CLOCK, NOTES, SYSTEM};

#[tokio::test]
async fn the_shell_is_swapped_and_no_widget_is_loaded_again() -> anyhow::Result<()> {
    play("shell", Setting::default(), async |scene| {
        steps::open(scene).await?;
        // The words stand in the field alone: a frame that was loaded again would have lost the caret's mark.
        steps::write_note(scene, "untouched").await?;
        let mut tokens = Vec::new();
        for part in [CLOCK, NOTES, SYSTEM] {
            tokens.push(scene.stage()?.live(part).await?.token);
            scene
                .stage()?
                .inside(part, "window.aliveSince = 'before'", vec![])
                .await?;
        }
        let loads = scene.stage()?.loads().await?;
        let layout = scene.stage()?.layout().await?;
        let mark = scene.access().mark()?;

        let item = Item::shell(scene.fixtures(), "0.2.0");
        let (published, entry) = steps::update(scene, &item).await?;
        scene.live(Part::Shell, "0.2.0").await?;
        assert_eq!(scene.stage()?.shell_version().await?, "0.2.0");

        for (part, token) in [CLOCK, NOTES, SYSTEM].into_iter().zip(tokens) {
            assert_eq!(
                scene.stage()?.live(part).await?.token,
                token,
                "{part:?} has the load it had"
            );
            let alive = scene
                .stage()?
                .inside(part, "return window.aliveSince", vec![])
                .await?;
            assert_eq!(alive, "before", "{part:?} is the page it was");
        }
        let mut after = scene.stage()?.loads().await?;
        for instance in ["clock-1", "notes-1", "system-1"] {
            assert_eq!(
                after.remove(instance),
                loads.get(instance).copied(),
                "{instance} was not loaded again"
            );
        }
        assert_eq!(scene.stage()?.layout().await?, layout, "nothing has moved");
        steps::note_stands(scene, "untouched").await?;

        let patch = steps::patch_from(&published, "0.1.0")?;
        let traffic = scene.access().since(mark)?;
        assert_eq!(traffic.bytes(&patch.path), patch.size);
        assert_eq!(traffic.requests(&published.full.path), 0);
        assert_eq!(entry.wire_bytes, patch.size);
        Ok(())
    })
    .await
}
