//! In prompt mode the executable is replaced only after somebody said yes.

use std::time::Duration;

use moult_model::{Mode, Outcome, Subject};
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::steps;
use moult_tests::wait::{Look, until};

#[tokio::test]
async fn in_prompt_mode_it_asks_and_restarts_only_when_told_to() -> anyhow::Result<()> {
    let setting = Setting {
        mode: Mode::Prompt,
        ..Setting::default()
    };
    play("prompt", setting, async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "asked first").await?;
        let before = scene.display().windows(".")?;
        scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;

        let dialog = until("a dialog that asks", PATIENCE, async || {
            let windows = scene.display().windows(".")?;
            let new = windows.iter().find(|window| !before.contains(window)).cloned();
            Ok(Look::from_option(new, format!("the windows {windows:?}")))
        })
        .await?;
        scene.picture("asked")?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(
            scene.running()?.inspector()?.slot,
            "base",
            "nothing is restarted unasked"
        );
        assert_eq!(scene.boot()?.trial, None, "and nothing is on trial");

        scene.display().press(&dialog, "Return")?;
        scene.attach_again().await?;
        scene
            .ended(&Subject::Executable, "0.1.1", Outcome::Updated)
            .await?;
        steps::widgets_run(scene).await?;
        steps::note_stands(scene, "asked first").await
    })
    .await
}
