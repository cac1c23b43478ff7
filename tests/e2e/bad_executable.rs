//! An executable that crashes or hangs goes back by itself and is never tried again.

use std::time::Duration;

use moult_boot::Why;
use moult_model::{ErrorCode, Outcome, Subject};
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps;
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn a_crashing_executable_goes_back_and_is_not_fetched_again() -> anyhow::Result<()> {
    goes_back("crashing-executable", "0.1.2", ErrorCode::Crashed, |why| {
        matches!(why, Why::Crashed { .. })
    })
    .await
}

#[tokio::test]
async fn a_hanging_executable_goes_back_and_is_not_fetched_again() -> anyhow::Result<()> {
    goes_back("hanging-executable", "0.1.3", ErrorCode::Hung, |why| {
        matches!(why, Why::Hung)
    })
    .await
}

async fn goes_back(
    story: &str,
    version: &str,
    code: ErrorCode,
    is_why: fn(Why) -> bool,
) -> anyhow::Result<()> {
    play(story, Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "not lost").await?;

        let published = scene.publish(&Item::app(scene.fixtures(), version))?;
        let entry = scene
            .ended(&Subject::Executable, version, Outcome::RolledBack)
            .await?;
        scene.attach_present().await?;
        assert_eq!(
            scene.stage()?.inspector().slot,
            "base",
            "the version that worked runs again"
        );
        steps::widgets_run(scene).await?;
        steps::note_stands(scene, "not lost").await?;
        assert!(
            entry.problems.iter().any(|problem| problem.code == code),
            "{:?}",
            entry.problems
        );

        let boot = scene.boot()?;
        assert!(boot.current.is_base() && boot.trial.is_none(), "{boot:?}");
        let ban = boot.banned.iter().find(|ban| ban.digest == published.digest);
        assert!(ban.is_some_and(|ban| is_why(ban.why)), "{boot:?}");

        let mark = scene.access().mark()?;
        until("three more checks", PATIENCE, async || {
            let checks = scene.access().since(mark)?.checks();
            Ok(Look::when(checks >= 3, format!("{checks} checks")))
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let traffic = scene.access().since(mark)?;
        assert_eq!(traffic.artifact_requests(), 0, "{:?}", traffic.answers());
        assert_eq!(scene.boot()?, boot, "nothing was tried");
        Ok(())
    })
    .await
}
