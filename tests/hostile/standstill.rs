//! Who holds up the board is ended, named and kept off, and everything else is back as it was saved.

use std::time::Duration;

use moult_tests::records;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps;
use moult_tests::wait::{Look, until};
use serde_json::json;

use crate::ground::{self, HOSTILE, Hostile, PROBE};

/// What is asserted of the way back, in milliseconds: what is promised, and as much again for other work on this computer.
const BOUND_MS: u64 = 6000;

/// Has a widget hold up the board, and sees everything else come back.
async fn survives(scene: &mut Scene, name: &str, cause: &str) -> anyhow::Result<()> {
    steps::write_note(scene, "safe").await?;
    let counted = ground::count(scene).await?;
    ground::attack(scene, HOSTILE, "arm", json!(name)).await?;
    ground::press(scene, "hostile-1", 0.9).await?;
    let line = ground::named(scene, &["the board is back"]).await?;
    let milliseconds = line["fields"]["milliseconds"].as_u64().unwrap_or(u64::MAX);
    ground::say(&format!("{name}: from the loss to the board, ms"), &milliseconds);
    let lost = ground::named(scene, &["the stage is lost"]).await?;
    ground::say(&format!("{name}: lost"), &lost["fields"]["loss"]);
    assert!(milliseconds < BOUND_MS, "it took {milliseconds} ms");

    ground::named(scene, &["kept off the board", "hostile-1", cause]).await?;
    let held = ground::log(scene, &["kept off the board"])?;
    assert!(
        held.iter().all(|line| line["fields"]["instance"] == "hostile-1"),
        "nobody else was named: {held:?}"
    );
    ground::back(scene).await?;
    steps::note_stands(scene, "safe").await?;
    assert_eq!(scene.stage()?.text(PROBE).await?.trim(), counted.to_string());
    let words = scene
        .stage()?
        .read(
            Part::Shell,
            "[data-testid=held-hostile-1]",
            "Hostile 1.0.0",
            PATIENCE,
        )
        .await?;
    assert!(words.contains("kept"), "{words}");
    scene.picture("held")?;
    Ok(())
}

#[tokio::test]
async fn an_endless_loop_is_ended_and_its_widget_named() -> anyhow::Result<()> {
    play("hostile-loop", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        survives(scene, "loop", "Hung").await?;

        // Asked for again, it comes back with its state, as it was.
        scene
            .stage()?
            .press(Part::Shell, "[data-testid=try-again-hostile-1]")
            .await?;
        scene.live(HOSTILE, "1.0.0").await?;
        assert!(records::held(&scene.install().data())?.is_empty());
        ground::count(scene).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_endless_chain_of_promises_is_ended_and_its_widget_named() -> anyhow::Result<()> {
    play("hostile-promises", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        survives(scene, "promise_loop", "Hung").await
    })
    .await
}

#[tokio::test]
async fn a_layout_without_end_is_ended_and_its_widget_named() -> anyhow::Result<()> {
    play("hostile-layout", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        survives(scene, "layout", "Hung").await
    })
    .await
}

#[tokio::test]
async fn a_widget_that_takes_all_memory_is_ended_and_named() -> anyhow::Result<()> {
    play("hostile-memory", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        survives(scene, "memory", "Memory").await
    })
    .await
}

#[tokio::test]
async fn who_holds_up_the_board_again_and_again_by_itself_is_found_among_all() -> anyhow::Result<()> {
    play("hostile-unseen", Setting::default(), async |scene| {
        // Nothing points at it: it says nothing, is not touched, and begins by itself some time after it is ready.
        let unseen = Hostile {
            permissions: json!([]),
            granted: Vec::new(),
            script: "globalThis.atStart = () => setTimeout(() => { for (;;); }, 2500);".to_owned(),
        };
        ground::open_without_waiting(scene, &[unseen]).await?;
        ground::named(scene, &["kept off the board", "hostile-1", "Hung"]).await?;
        until("everybody else", PATIENCE, async || {
            ground::back(scene).await?;
            for part in [Part::Shell, steps::NOTES, PROBE] {
                scene.stage()?.live(part).await?;
            }
            let held = records::held(&scene.install().data())?;
            let names: Vec<_> = held.iter().map(|held| held.instance.clone()).collect();
            Ok(Look::when(names == ["hostile-1"], format!("{names:?}")))
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        ground::count(scene).await?;
        Ok(())
    })
    .await
}
