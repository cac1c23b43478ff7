//! Bad input while the application runs: it says so, and goes on.

use moult_model::{ErrorCode, Mode};
use moult_tests::proxy::Fault;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTES};

const THROUGH_PROXY: Setting = Setting {
    mode: Mode::Silent,
    through_proxy: true,
};

#[tokio::test]
async fn a_flipped_patch_costs_one_full_download_and_is_told() -> anyhow::Result<()> {
    play("flipped-patch", THROUGH_PROXY, async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "safe").await?;
        scene.proxy()?.damage(".mpatch", Fault::Flip);
        let mark = scene.access().mark()?;

        let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
        let (published, entry) = steps::update(scene, &item).await?;
        scene.live(NOTES, "1.1.0").await?;
        steps::note_stands(scene, "safe").await?;

        let patch = steps::patch_from(&published, "1.0.0")?;
        let traffic = scene.access().since(mark)?;
        assert!(traffic.requests(&patch.path) >= 1, "the patch was tried");
        assert_eq!(
            traffic.requests(&published.full.path),
            1,
            "then the full file, once"
        );
        assert!(
            entry
                .problems
                .iter()
                .any(|problem| problem.code == ErrorCode::FileCorrupt),
            "{:?}",
            entry.problems
        );
        assert_eq!(
            entry.plan.last().map(moult_model::PlanStep::is_patch),
            Some(false),
            "{:?}",
            entry.plan
        );

        steps::show_updates(scene).await?;
        scene
            .stage()?
            .read(
                Part::Shell,
                "[data-testid=history]",
                "patch failed, full file",
                PATIENCE,
            )
            .await?;
        scene.picture("told")?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_that_refuses_fails_lies_or_is_gone_is_told_and_the_application_goes_on()
-> anyhow::Result<()> {
    play("server-faults", THROUGH_PROXY, async |scene| {
        steps::open(scene).await?;
        let widgets = ["1.0.0", "1.1.0"];
        scene.live(NOTES, widgets[0]).await?;
        for (fault, code) in [
            (Fault::Status(404), "server_refused"),
            (Fault::Status(500), "server_failed"),
            (Fault::Truncate, "metadata_invalid"),
        ] {
            // No fault is met without a body to send: what the application has already is answered with 304.
            scene.proxy()?.damage("metadata/timestamp.json", fault);
            if fault == Fault::Truncate {
                let item = Item::widget(scene.fixtures(), "notes", "notes-1.1.0")?;
                scene.publish(&item)?;
            }
            steps::problem_is_told(scene, code).await?;
            scene.picture(code)?;
            scene.proxy()?.heal();
            steps::problem_is_gone(scene).await?;
        }
        scene.live(NOTES, widgets[1]).await?;

        scene.serve().go_dark();
        let network = steps::problem_is_told(scene, "server_failed").await;
        scene.picture("nobody-behind-the-proxy")?;
        network?;
        steps::show_board(scene).await?;
        steps::write_note(scene, "typed all the same").await?;
        steps::note_stands(scene, "typed all the same").await?;
        scene.serve().come_back()?;
        steps::problem_is_gone(scene).await
    })
    .await
}
