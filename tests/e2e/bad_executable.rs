//! An executable that crashes goes back by itself and is never tried again.

use std::time::Duration;

use moult_boot::Why;
use moult_model::{ErrorCode, Outcome, Subject};
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps;
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn a_crashing_executable_goes_back_and_is_not_fetched_again() -> anyhow::Result<()> {
    play("bad-executable", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "not lost").await?;

        let published = scene.publish(&Item::app(scene.fixtures(), "0.1.2"))?;
        let entry = scene
            .ended(&Subject::Executable, "0.1.2", Outcome::RolledBack)
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
            entry
                .problems
                .iter()
                .any(|problem| problem.code == ErrorCode::Crashed),
            "{:?}",
            entry.problems
        );

        let boot = scene.boot()?;
        assert!(boot.current.is_base() && boot.trial.is_none(), "{boot:?}");
        let ban = boot.banned.iter().find(|ban| ban.digest == published.digest);
        assert!(
            matches!(ban.map(|ban| ban.why), Some(Why::Crashed { .. })),
            "{boot:?}"
        );

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
