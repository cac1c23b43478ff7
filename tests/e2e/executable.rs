//! The native executable replaces itself by a binary delta.

use moult_model::{Outcome, Phase, Subject};
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps;
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn the_executable_is_patched_restarted_and_confirmed_with_everything_as_it_was() -> anyhow::Result<()> {
    play("executable", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "survives a restart").await?;
        let layout = scene.stage()?.layout().await?;
        assert!(scene.boot()?.current.is_base());
        let mark = scene.access().mark()?;

        let published = scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;
        scene.attach_again().await?;
        assert!(
            scene.stage()?.inspector().slot.starts_with("0.1.1-"),
            "{:?}",
            scene.stage()?.inspector()
        );
        steps::widgets_run(scene).await?;
        steps::note_stands(scene, "survives a restart").await?;
        let entry = scene
            .ended(&Subject::Executable, "0.1.1", Outcome::Updated)
            .await?;

        let boot = scene.boot()?;
        assert_eq!(boot.trial, None, "the trial is over");
        let slot = boot
            .slot(&boot.current)
            .map(|slot| (slot.version.to_string(), slot.digest));
        assert_eq!(slot, Some(("0.1.1".to_owned(), published.digest)));
        assert_eq!(
            boot.previous.as_ref().map(ToString::to_string).as_deref(),
            Some("base")
        );
        assert_eq!(
            scene.stage()?.layout().await?,
            layout,
            "every tile stands where it stood"
        );

        let patch = steps::patch_from(&published, "0.1.0")?;
        let traffic = scene.access().since(mark)?;
        assert_eq!(
            traffic.bytes(&patch.path),
            patch.size,
            "the delta went over the wire, once"
        );
        assert_eq!(traffic.requests(&published.full.path), 0, "the full file did not");
        assert_eq!(entry.wire_bytes, patch.size);
        assert!(
            patch.size * 4 < published.full.size,
            "{} of {} bytes",
            patch.size,
            published.full.size
        );
        let confirming = entry.phases.iter().any(|(phase, _)| *phase == Phase::Confirming);
        assert!(
            confirming,
            "one line of the history tells the update across the restart: {:?}",
            entry.phases
        );

        // A second start goes straight to the confirmed version.
        scene.end();
        scene.start().await?;
        let stage = scene.stage()?;
        until(
            "the confirmed version after another start",
            PATIENCE,
            async || {
                let slot = &stage.inspector().slot;
                Ok(Look::when(slot.starts_with("0.1.1-"), slot))
            },
        )
        .await
    })
    .await
}
