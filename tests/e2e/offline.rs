//! Without a network everything runs from what is on the disk.

use moult_tests::scene::{Setting, play};
use moult_tests::steps::{self, CLOCK, NOTES};

#[tokio::test]
async fn started_without_a_network_everything_runs_from_the_cache() -> anyhow::Result<()> {
    play("offline", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "written online").await?;
        let versions = [
            scene.stage()?.version(NOTES).await?,
            scene.stage()?.version(CLOCK).await?,
        ];
        scene.end();
        scene.serve().go_dark();

        scene.start().await?;
        steps::widgets_run(scene).await?;
        steps::note_stands(scene, "written online").await?;
        assert_eq!(
            [
                scene.stage()?.version(NOTES).await?,
                scene.stage()?.version(CLOCK).await?
            ],
            versions
        );
        steps::write_note(scene, ", and offline").await?;
        steps::problem_is_told(scene, "offline").await?;
        scene.picture("offline")?;

        // The network is back: the next check works.
        scene.serve().come_back()?;
        steps::problem_is_gone(scene).await
    })
    .await
}
