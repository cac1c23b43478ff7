//! From what logic hears of settings to its rest when nothing happens; who shares a process, and what a failure on trial undoes.

use moult_model::{ErrorCode, Outcome, Subject};
use moult_tests::processes;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps;
use moult_tests::wait::{Look, until};
use rustix::process::Signal;
use serde_json::json;

use super::{COUNTER, Counter, TILE, done, heard, logic, open, open_with, order, sandboxes};

const OTHER: Counter = Counter {
    part: Part::Widget("other-1"),
    instance: "other-1",
    widget: "other/counter",
};

#[tokio::test]
async fn logic_hears_of_the_settings_of_its_tile_and_starts_with_them() -> anyhow::Result<()> {
    play("logic-settings", Setting::default(), async |scene| {
        open(scene).await?;
        logic(scene, json!({ "do": "settings" }), &json!({ "step": 1 })).await?;
        let stage = scene.stage()?;
        stage.press(Part::Shell, "[data-handle=counter-1]").await?;
        stage.press(Part::Shell, "[data-testid=tile-settings]").await?;
        // The arrow keys of the protocol that drives it.
        stage
            .type_into(Part::Shell, "[data-testid=set-step]", "\u{e013}\u{e013}")
            .await?;
        let told = json!({ "kind": "settings", "settings": { "step": 3 } });
        heard(scene, &json!({ "event": told, "kind": "logic" })).await?;
        heard(scene, &told).await?;
        logic(scene, json!({ "do": "settings" }), &json!({ "step": 3 })).await?;

        processes::signal(sandboxes(scene)?[0], Signal::KILL);
        logic(scene, json!({ "do": "settings" }), &json!({ "step": 3 })).await?;
        let item = Item::widget(scene.fixtures(), "counter", "counter-1.1.0")?;
        steps::update(scene, &item).await?;
        logic(scene, json!({ "do": "settings" }), &json!({ "step": 3 })).await
    })
    .await
}

#[tokio::test]
async fn logic_that_nothing_happens_to_is_ended_and_goes_on_where_it_was() -> anyhow::Result<()> {
    play("logic-rest", Setting::default(), async |scene| {
        open(scene).await?;
        for count in 1..=2 {
            logic(scene, json!({ "do": "count" }), &json!(count)).await?;
        }
        moult_tests::drill::Drill::connect(&scene.install().data())?.rest()?;
        none_runs(scene).await?;
        logic(scene, json!({ "do": "count" }), &json!(3)).await?;
        assert_eq!(sandboxes(scene)?.len(), 1);
        Ok(())
    })
    .await
}

async fn none_runs(scene: &mut Scene) -> anyhow::Result<()> {
    until("no process for logic", PATIENCE, async || {
        let left = sandboxes(scene)?;
        Ok(Look::when(left.is_empty(), format!("{left:?} run")))
    })
    .await
}

#[tokio::test]
async fn logic_of_two_publishers_shares_no_process_and_no_failure() -> anyhow::Result<()> {
    play("logic-publishers", Setting::default(), async |scene| {
        open_with(scene, &[Counter::MOULT, OTHER]).await?;
        logic(scene, json!({ "do": "count" }), &json!(1)).await?;
        OTHER.logic(scene, json!({ "do": "count" }), &json!(1)).await?;
        let both = sandboxes(scene)?;
        assert_eq!(both.len(), 2, "a process for each publisher");

        // Whatever befalls the one, the other goes on.
        for attack in ["loop", "trap"] {
            order(scene, json!({ "logic": { "do": attack } })).await?;
            OTHER
                .logic(scene, json!({ "do": "version" }), &json!("first"))
                .await?;
        }
        assert_eq!(sandboxes(scene)?, both, "neither process ended");
        processes::signal(both[0], Signal::KILL);
        logic(scene, json!({ "do": "count" }), &json!(2)).await?;
        OTHER.logic(scene, json!({ "do": "count" }), &json!(2)).await?;
        let after = sandboxes(scene)?;
        assert!(
            after.contains(&both[1]),
            "{both:?}, {after:?}: the process of the other went on"
        );
        assert!(
            after.len() == 2 && !after.contains(&both[0]),
            "{both:?}, {after:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn logic_that_fails_on_trial_takes_its_version_back_and_loses_no_count() -> anyhow::Result<()> {
    play("logic-trial", Setting::default(), async |scene| {
        open(scene).await?;
        for count in 1..=2 {
            logic(scene, json!({ "do": "count" }), &json!(count)).await?;
        }
        let item = Item::widget(scene.fixtures(), "counter", "counter-1.1.0")?;
        scene.publish(&item)?;
        scene.live(COUNTER, "1.1.0").await?;
        order(scene, json!({ "logic": { "do": "trap" } })).await?;
        let subject: Subject = steps::widget("counter")?;
        let entry = scene.ended(&subject, "1.1.0", Outcome::RolledBack).await?;
        let code = entry.problems.last().map(|problem| problem.code);
        assert_eq!(code, Some(ErrorCode::Crashed), "{entry:?}");
        scene.live(COUNTER, "1.0.0").await?;
        logic(scene, json!({ "do": "version" }), &json!("first")).await?;
        done(scene, json!({ "logic": { "do": "count" } }), &json!(3)).await?;
        let state: Option<String> = scene.stage()?.attribute(Part::Shell, TILE, "data-logic").await?;
        assert_eq!(state, None, "its logic runs");
        scene.picture("went-back")?;
        Ok(())
    })
    .await
}
