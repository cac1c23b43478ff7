//! Floods of messages, calls, timers and promises do not hold up the others, and end who goes on.

use std::time::Duration;

use moult_tests::records;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::wait::{Look, until};
use serde_json::{Value, json};

use crate::ground::{self, HOSTILE, Hostile};

/// The bound that is asserted, in milliseconds. What was seen is far below; other work may run on this computer.
const BOUND_MS: u32 = 900;

async fn neighbour_is_not_held_up(scene: &Scene, what: &str) -> anyhow::Result<()> {
    // A flood may be over within a frame or two: what comes after it counts too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let gaps = ground::gaps(scene).await?;
    ground::say(what, &gaps);
    anyhow::ensure!(gaps.frames > 5, "the neighbour painted no frames: {gaps:?}");
    anyhow::ensure!(gaps.p99 < BOUND_MS, "{what} held up the neighbour: {gaps:?}");
    Ok(())
}

#[tokio::test]
async fn floods_within_bounds_are_dropped_and_do_not_hold_up_the_neighbour() -> anyhow::Result<()> {
    play("hostile-floods", Setting::default(), async |scene| {
        let hostile = Hostile {
            permissions: json!([{ "capability": "storage", "reason": "For the test." }]),
            granted: vec!["storage"],
            script: String::new(),
        };
        ground::open(scene, &[hostile]).await?;
        ground::gaps(scene).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        neighbour_is_not_held_up(scene, "nothing").await?;

        let calls = ground::attack(scene, HOSTILE, "call_flood", json!(1500)).await?;
        ground::say("calls at once", &calls);
        let answered = calls["answered"].as_u64().unwrap_or_default();
        assert!(
            (1..=1000).contains(&answered),
            "{calls}: some are answered, and no more than may be"
        );
        assert!(calls["refused"].as_u64() > Some(0), "{calls}");
        neighbour_is_not_held_up(scene, "a flood of calls").await?;
        ground::named(scene, &["was denied", "hostile-1", "calls unanswered"]).await?;

        let forks = ground::attack(scene, HOSTILE, "forks", Value::Null).await?;
        ground::say("forks", &forks);
        neighbour_is_not_held_up(scene, "forks of promises and timers").await?;

        ground::attack(scene, HOSTILE, "large_state", Value::Null).await?;
        neighbour_is_not_held_up(scene, "a state of 2 MiB").await?;
        assert!(
            records::widget_state(&scene.install().data(), "hostile-1")?.is_none(),
            "it was not taken"
        );
        ground::named(scene, &["was denied", "hostile-1", "said state"]).await?;
        // The control: it goes on, and a count is a state that is taken.
        ground::count(scene).await?;
        scene.live(HOSTILE, "1.0.0").await
    })
    .await
}

#[tokio::test]
async fn a_million_messages_end_the_widget_and_hold_up_nobody() -> anyhow::Result<()> {
    play("hostile-messages", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain(), Hostile::plain()]).await?;
        ground::gaps(scene).await?;
        for (instance, attack) in [("hostile-1", "messages"), ("hostile-2", "window_messages")] {
            ground::begin(scene, Part::Widget(instance), attack, json!(1_000_000)).await?;
            is_held(scene, instance, "flood").await?;
            neighbour_is_not_held_up(scene, attack).await?;
            ground::named(scene, &["kept off the board", instance, "Flood"]).await?;
        }
        // The control: the neighbour speaks, and is heard.
        ground::count(scene).await?;
        scene.picture("flood")?;
        Ok(())
    })
    .await
}

/// Waits until a tile says that its widget is kept off.
async fn is_held(scene: &Scene, instance: &str, cause: &str) -> anyhow::Result<()> {
    let selector = format!("[data-testid=held-{instance}]");
    until(&format!("{instance} to be kept off"), PATIENCE, async || {
        let found = scene
            .stage()?
            .attribute(Part::Shell, &selector, "data-cause")
            .await?;
        Ok(Look::when(found.as_deref() == Some(cause), format!("{found:?}")))
    })
    .await
}
