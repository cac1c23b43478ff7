//! Two that run on one data folder never write both: the second says so, and goes on when the first has ended.

use std::time::Duration;

use anyhow::Context as _;
use moult_boot::WriteRight;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps::{self, NOTE, NOTES};
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn who_may_not_write_says_so_and_goes_on_when_the_other_has_ended() -> anyhow::Result<()> {
    play("only-reading", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "of the first").await?;
        scene.end();

        let data = scene.install().data();
        let right = WriteRight::take(&data, Duration::from_secs(5))?.context("the right is free")?;
        scene.start().await?;
        steps::widgets_run(scene).await?;
        steps::problem_is_told(scene, "disk_failed").await?;
        scene.picture("told")?;
        steps::show_board(scene).await?;
        steps::note_stands(scene, "of the first").await?;
        scene.stage()?.type_into(NOTES, NOTE, " and lost").await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        right.check()?;
        steps::note_is_safe(scene, "of the first").await?;
        let trial = scene.boot()?.trial;
        assert_eq!(trial, None);

        drop(right);
        until("a board that can be written to", PATIENCE, async || {
            let loads = scene.stage()?.loads().await?;
            let seen = steps::note(scene).await?;
            Ok(Look::when(
                seen == "of the first",
                format!("{seen:?} after {loads:?}"),
            ))
        })
        .await?;
        steps::write_note(scene, ", written").await
    })
    .await
}
