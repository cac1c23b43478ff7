//! The executable is renewed while its window stands: the new one takes over from the old one.

mod witness;

use std::time::Duration;

use anyhow::Context as _;
use moult_model::{Outcome, Subject};
use moult_tests::processes;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::steps;
use moult_tests::wait::{Look, until};

use crate::typing::{click_below_the_text, numbers};
use rustix::process::Signal;
use witness::Witness;

/// Between two keys.
const PAUSE_MS: u32 = 90;

#[tokio::test]
async fn no_key_is_lost_no_window_missing_and_no_request_refused_when_a_new_executable_takes_over()
-> anyhow::Result<()> {
    play("hand-over", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "Diary\n").await?;
        click_below_the_text(scene).await?;
        let witness = Witness::begin(scene)?;

        // Longer than all the patience there is, so that it takes over while keys are typed. To publish takes
        // longer still on a busy machine, and to start the new one takes longer than the first key.
        scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;
        let text = numbers(270);
        let mut typing = scene.display().begin_typing(&text, PAUSE_MS)?;
        scene.attach_again().await?;
        anyhow::ensure!(
            typing.try_wait()?.is_none(),
            "the typing ended before the hand-over did: it was not tried"
        );
        until("the end of the typing", PATIENCE * 2, async || {
            let ended = typing.try_wait()?;
            Ok(Look::when(ended.is_some(), "keys still come".to_owned()))
        })
        .await?;
        steps::note_is_safe(scene, &format!("Diary\n{text}")).await?;
        steps::note_stands(scene, &format!("Diary\n{text}")).await?;
        scene
            .ended(&Subject::Executable, "0.1.1", Outcome::Updated)
            .await?;
        steps::widgets_run(scene).await?;

        let seen = witness.end()?;
        assert_eq!(seen.without_window, 0, "of {} looks", seen.looks);
        assert_eq!(seen.refused, Vec::<String>::new(), "of {} requests", seen.looks);
        assert_eq!(seen.ports.len(), 1, "{:?}", seen.ports);
        assert_eq!(seen.versions, ["0.1.0", "0.1.1"], "one after the other");
        scene.picture("after")?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_executable_that_crashes_never_gets_the_window() -> anyhow::Result<()> {
    play("hand-over-crash", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "before").await?;
        let old = witness::status(scene)?.pid;
        let witness = Witness::begin(scene)?;

        scene.publish(&Item::app(scene.fixtures(), "0.1.2"))?;
        scene
            .ended(&Subject::Executable, "0.1.2", Outcome::RolledBack)
            .await?;
        steps::write_note(scene, ", after").await?;

        let seen = witness.end()?;
        assert_eq!(witness::status(scene)?.pid, old, "it was never ended");
        assert_eq!(seen.without_window, 0, "of {} looks", seen.looks);
        assert_eq!(seen.versions, ["0.1.0"]);
        let boot = scene.boot()?;
        assert!(boot.current.is_base() && boot.trial.is_none(), "{boot:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_executable_that_is_killed_on_its_way_is_tried_again_and_takes_over() -> anyhow::Result<()> {
    play("hand-over-killed-early", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "kept").await?;
        let witness = Witness::begin(scene)?;
        scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;

        let first = successor(scene, "starts").await?;
        processes::signal(first, Signal::KILL);
        scene.attach_again().await?;
        steps::note_stands(scene, "kept").await?;
        scene
            .ended(&Subject::Executable, "0.1.1", Outcome::Updated)
            .await?;
        let seen = witness.end()?;
        assert_ne!(witness::status(scene)?.pid, first);
        assert_eq!(seen.without_window, 0, "of {} looks", seen.looks);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn when_the_new_executable_is_killed_with_the_right_the_old_one_takes_it_back() -> anyhow::Result<()> {
    play("hand-over-killed-late", Setting::default(), async |scene| {
        steps::open(scene).await?;
        steps::write_note(scene, "before").await?;
        let old = witness::status(scene)?.pid;
        let witness = Witness::begin(scene)?;
        scene.publish(&Item::app(scene.fixtures(), "0.1.1"))?;

        // Looked for without a rest: what comes between takes some hundred milliseconds.
        let new = successor(scene, "is ready to take over").await?;
        while !log(scene)?.contains("\"message\":\"holds still\"") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        processes::signal(new, Signal::KILL);
        until_logged(scene, "goes on; there was no hand-over").await?;
        let status = witness::status(scene)?;
        assert!(status.pid == old && status.writes, "{status:?}");
        steps::write_note(scene, ", after").await?;

        let seen = witness.end()?;
        assert_eq!(seen.without_window, 0, "of {} looks", seen.looks);
        assert_eq!(seen.ports.len(), 1, "{:?}", seen.ports);
        Ok(())
    })
    .await
}

/// The process that was started last, as soon as it has logged this.
async fn successor(scene: &Scene, message: &str) -> anyhow::Result<u32> {
    let old = witness::status(scene)?.pid;
    let path = scene.install().data().join("log/launcher.log");
    // The old one said this too when it started.
    logged(scene, message, usize::from(message == "starts")).await?;
    until("the successor in the launcher's log", PATIENCE, async || {
        let log = std::fs::read_to_string(&path)?;
        let started = log
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|line| line["event"] == "started")
            .filter_map(|line| line["details"]["pid"].as_u64())
            .next_back()
            .context("nothing was started")?;
        let pid = u32::try_from(started)?;
        Ok(Look::when(pid != old, "only the old one").map(|()| pid))
    })
    .await
}

async fn until_logged(scene: &Scene, message: &str) -> anyhow::Result<()> {
    logged(scene, message, 0).await
}

/// Waits until the application's log has this message more often than this.
async fn logged(scene: &Scene, message: &str, before: usize) -> anyhow::Result<()> {
    let needle = format!("\"message\":\"{message}\"");
    until(&format!("{message:?} in the log"), PATIENCE * 2, async || {
        let times = log(scene)?.matches(&needle).count();
        Ok(Look::when(times > before, format!("{times} times")))
    })
    .await
}

fn log(scene: &Scene) -> anyhow::Result<String> {
    let path = scene.install().data().join("log/app.log");
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}
