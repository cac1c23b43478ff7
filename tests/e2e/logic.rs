//! A widget with logic: it is called, killed, swapped, and kept within its limits.

mod life;

use std::sync::atomic::{AtomicU32, Ordering};

use moult_durable::TwoCopy;
use moult_model::board::{Board, Cell, Tile};
use moult_model::{ErrorCode, Outcome};
use moult_tests::processes;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTE, NOTES};
use moult_tests::wait::{Look, until};
use rustix::process::Signal;
use serde_json::{Value, json};

const COUNTER: Part<'static> = Part::Widget("counter-1");
const HEARD: &str = "[data-testid=heard]";
const TIMERS_RIGHT: &str = "[data-testid='right-w/moult/counter-timers']";
const TILE: &str = "[data-testid=tile-counter-1]";

/// A counter on the board.
struct Counter {
    part: Part<'static>,
    instance: &'static str,
    widget: &'static str,
}

impl Counter {
    /// That of the publisher whose the other widgets are.
    const MOULT: Self = Self {
        part: COUNTER,
        instance: "counter-1",
        widget: "moult/counter",
    };

    /// Has its page do something. Names the line that says what came of it.
    async fn order(&self, scene: &Scene, mut order: Value) -> anyhow::Result<String> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("order {}", LAST.fetch_add(1, Ordering::Relaxed));
        order["as"] = json!(name);
        let script = "dispatchEvent(new CustomEvent('order', { detail: arguments[0] })); return true";
        scene
            .stage()?
            .inside(self.part, script, vec![json!(order.to_string())])
            .await?;
        Ok(name)
    }

    /// Waits until its page has written this down.
    async fn heard(&self, scene: &Scene, line: &Value) -> anyhow::Result<()> {
        scene
            .stage()?
            .read(self.part, HEARD, &line.to_string(), PATIENCE)
            .await?;
        Ok(())
    }

    /// Has its logic do something, and waits for this answer.
    async fn logic(&self, scene: &Scene, event: Value, answer: &Value) -> anyhow::Result<()> {
        let name = self.order(scene, json!({ "logic": event })).await?;
        self.heard(scene, &json!({ name: answer })).await
    }
}

/// Starts a board with the counter and Notes on it.
async fn open(scene: &mut Scene) -> anyhow::Result<()> {
    open_with(scene, &[Counter::MOULT]).await
}

/// Starts a board with these counters and Notes on it. The counters may do what they declare.
async fn open_with(scene: &mut Scene, counters: &[Counter]) -> anyhow::Result<()> {
    let fixtures = scene.fixtures().clone();
    for item in [
        Item::app(&fixtures, "0.1.0"),
        Item::shell(&fixtures, "0.1.0"),
        Item::widget(&fixtures, "notes", "notes-1.0.0")?,
    ] {
        scene.publish(&item)?;
    }
    let tile = |instance: &str, widget: &str, x| -> anyhow::Result<Tile> {
        Ok(Tile {
            instance: instance.to_owned(),
            widget: widget.parse()?,
            cell: Cell { x, y: 0, w: 4, h: 4 },
            settings: serde_json::Map::new(),
            pinned: None,
        })
    };
    let yes = json!({ "allowed": true, "at": "2026-01-01T00:00:00Z" });
    let allowed = json!({ "system.figures": yes, "timers": yes, "bus": yes, "shared": yes });
    let mut tiles = vec![tile("notes-1", "moult/notes", 8)?];
    let mut grants = json!({});
    for (x, counter) in (0..).step_by(4).zip(counters) {
        let build = format!("{}-1.0.0", counter.widget.replace("moult/", "").replace('/', "-"));
        let subject = format!("w/{}", counter.widget).parse()?;
        scene.publish(&Item::bundle(subject, &fixtures.widget(&build)))?;
        tiles.push(tile(counter.instance, counter.widget, x)?);
        grants[counter.widget] = allowed.clone();
    }
    let records = scene.install().data().join("records");
    std::fs::create_dir_all(&records)?;
    TwoCopy::new(&records, "board").store(&Board { tiles })?;
    TwoCopy::<Value>::new(&records, "grants").store(&json!({ "widgets": grants }))?;
    scene.start().await?;
    for counter in counters {
        scene.live(counter.part, "1.0.0").await?;
    }
    scene.live(NOTES, "1.0.0").await
}

async fn order(scene: &Scene, order: Value) -> anyhow::Result<String> {
    Counter::MOULT.order(scene, order).await
}

async fn heard(scene: &Scene, line: &Value) -> anyhow::Result<()> {
    Counter::MOULT.heard(scene, line).await
}

/// Has the page do something, and waits until this came of it.
async fn done(scene: &Scene, what: Value, outcome: &Value) -> anyhow::Result<()> {
    let name = order(scene, what).await?;
    heard(scene, &json!({ name: outcome })).await
}

async fn logic(scene: &Scene, event: Value, answer: &Value) -> anyhow::Result<()> {
    Counter::MOULT.logic(scene, event, answer).await
}

/// The processes that run logic now.
fn sandboxes(scene: &mut Scene) -> anyhow::Result<Vec<u32>> {
    let all = scene.running()?.processes();
    Ok(processes::children_named(&all, "moult-sandbox"))
}

#[tokio::test]
async fn logic_comes_back_with_what_it_had_after_a_kill_a_swap_and_a_restart() -> anyhow::Result<()> {
    play("logic", Setting::default(), async |scene| {
        open(scene).await?;
        for count in 1..=3 {
            logic(scene, json!({ "do": "count" }), &json!(count)).await?;
        }
        logic(scene, json!({ "do": "version" }), &json!("first")).await?;

        let before = sandboxes(scene)?;
        assert_eq!(before.len(), 1, "one process for the one publisher");
        let frame = scene.stage()?.live(COUNTER).await?;
        processes::signal(before[0], Signal::KILL);
        scene
            .stage()?
            .read_attribute(Part::Shell, TILE, "data-logic", "restarting")
            .await?;
        scene.picture("starts-again")?;
        logic(scene, json!({ "do": "count" }), &json!(4)).await?;
        assert_eq!(
            scene.stage()?.live(COUNTER).await?,
            frame,
            "the page was not loaded again"
        );
        let after = sandboxes(scene)?;
        assert!(after.len() == 1 && after != before, "{before:?} {after:?}");

        let item = Item::widget(scene.fixtures(), "counter", "counter-1.1.0")?;
        steps::update(scene, &item).await?;
        scene.live(COUNTER, "1.1.0").await?;
        logic(scene, json!({ "do": "version" }), &json!("second")).await?;
        logic(scene, json!({ "do": "count" }), &json!(5)).await?;
        assert_eq!(sandboxes(scene)?.len(), 1, "the old logic is gone");

        let last = sandboxes(scene)?;
        scene.end();
        until("the process of the logic to be gone", PATIENCE, async || {
            let left = last
                .iter()
                .filter(|id| std::path::Path::new(&format!("/proc/{id}")).exists());
            Ok(Look::when(left.count() == 0, "it is there"))
        })
        .await?;
        scene.start().await?;
        scene.live(COUNTER, "1.1.0").await?;
        logic(scene, json!({ "do": "count" }), &json!(6)).await
    })
    .await
}

#[tokio::test]
async fn logic_that_must_run_in_the_shadow_first_is_promoted_if_it_answers_the_same_and_else_refused()
-> anyhow::Result<()> {
    play("logic-shadow", Setting::default(), async |scene| {
        open(scene).await?;
        logic(scene, json!({ "do": "count" }), &json!(1)).await?;
        let subject = steps::widget("counter")?;

        let different = Item::widget(scene.fixtures(), "counter", "counter-1.2.0")?;
        scene.publish(&different)?;
        in_the_shadow(scene, "1.2.0").await?;
        logic(scene, json!({ "do": "count" }), &json!(2)).await?;
        logic(scene, json!({ "do": "doubled" }), &json!({ "doubled": 6 })).await?;
        let entry = scene.ended(&subject, "1.2.0", Outcome::RolledBack).await?;
        let problem = entry.problems.last();
        assert_eq!(
            problem.map(|problem| (problem.code, &*problem.detail)),
            Some((
                ErrorCode::AnswersDiffer,
                "To {\"do\":\"doubled\"} the version that runs answered {\"doubled\":6}, \
                 and 1.2.0 answered {\"doubled\":9}"
            ))
        );
        scene.live(COUNTER, "1.0.0").await?;
        logic(scene, json!({ "do": "count" }), &json!(4)).await?;

        let equal = Item::widget(scene.fixtures(), "counter", "counter-1.3.0")?;
        scene.publish(&equal)?;
        in_the_shadow(scene, "1.3.0").await?;
        for count in 5..=7 {
            logic(scene, json!({ "do": "count" }), &json!(count)).await?;
        }
        scene.ended(&subject, "1.3.0", Outcome::Updated).await?;
        scene.live(COUNTER, "1.3.0").await?;
        logic(scene, json!({ "do": "count" }), &json!(8)).await
    })
    .await
}

/// Waits until a version runs in the shadow of the live one.
async fn in_the_shadow(scene: &Scene, version: &str) -> anyhow::Result<()> {
    let log = scene.install().data().join("log/app.log");
    until(&format!("{version} in the shadow"), PATIENCE, async || {
        let text = std::fs::read_to_string(&log)?;
        let said = text
            .lines()
            .any(|line| line.contains("runs in the shadow") && line.contains(version));
        Ok(Look::when(said, "it is not there yet"))
    })
    .await
}

#[tokio::test]
async fn logic_that_loops_is_stopped_and_nothing_else_is() -> anyhow::Result<()> {
    play("logic-loop", Setting::default(), async |scene| {
        open(scene).await?;
        logic(scene, json!({ "do": "count" }), &json!(1)).await?;
        let before = sandboxes(scene)?;
        let looping = order(scene, json!({ "logic": { "do": "loop" } })).await?;
        steps::write_note(scene, "typed meanwhile").await?;
        heard(scene, &json!({ looping: { "refused": "hung" } })).await?;
        logic(scene, json!({ "do": "count" }), &json!(2)).await?;
        assert_eq!(sandboxes(scene)?, before, "the process of the others went on");
        let note = scene.stage()?.value(NOTES, NOTE).await?;
        assert_eq!(note, "typed meanwhile");
        for _ in 0..2 {
            logic(scene, json!({ "do": "trap" }), &json!({ "refused": "crashed" })).await?;
        }
        scene
            .stage()?
            .read_attribute(Part::Shell, TILE, "data-logic", "off")
            .await?;
        scene.picture("stays-off")?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn logic_is_woken_hears_others_and_stops_when_it_may_not_any_more() -> anyhow::Result<()> {
    play("logic-talk", Setting::default(), async |scene| {
        open(scene).await?;
        let call = |capability: &str, request: Value| json!({ "do": "call", "capability": capability, "request": request });
        let ok = json!({ "ok": null });
        logic(
            scene,
            call("timers.set", json!({ "name": "wake", "after_ms": 1000 })),
            &ok,
        )
        .await?;
        let timer = json!({ "kind": "timer", "name": "wake" });
        heard(scene, &json!({ "event": timer, "kind": "logic" })).await?;

        let topic = json!({ "topic": "w/moult/counter:news" });
        logic(scene, call("bus.listen", topic.clone()), &ok).await?;
        done(scene, json!({ "call": "bus.listen", "request": topic }), &Value::Null).await?;
        let published = json!({ "topic": "news", "data": "all" });
        done(scene, json!({ "call": "bus.publish", "request": published }), &Value::Null).await?;
        let event = json!({ "data": "all", "kind": "event", "topic": "w/moult/counter:news" });
        heard(scene, &event).await?;
        heard(scene, &json!({ "event": event, "kind": "logic" })).await?;

        let ask = json!({ "call": "bus.ask", "request": { "topic": "w/moult/counter:total", "data": 7 } });
        done(scene, ask.clone(), &json!({ "refused": "timed_out" })).await?;
        logic(scene, call("bus.answer", json!({ "topic": "total" })), &ok).await?;
        done(scene, ask.clone(), &json!({ "asked": 7, "logic": 0 })).await?;
        done(scene, json!({ "answer": "total" }), &Value::Null).await?;
        done(scene, ask, &json!({ "from": "w/moult/counter", "page": 7 })).await?;

        let name = json!({ "name": "w/moult/counter:count" });
        logic(scene, call("shared.get", name.clone()), &ok).await?;
        let value = json!({ "name": "count", "value": 9 });
        done(scene, json!({ "call": "shared.set", "request": value }), &Value::Null).await?;
        let shared = json!({ "kind": "shared", "name": "w/moult/counter:count", "value": 9 });
        heard(scene, &json!({ "event": shared, "kind": "logic" })).await?;
        done(scene, json!({ "call": "shared.get", "request": name }), &json!(9)).await?;

        // From here on it may not wake itself.
        let stage = scene.stage()?;
        stage.press(Part::Shell, "[data-testid=settings]").await?;
        stage.press(Part::Shell, "[data-testid=section-rights]").await?;
        stage.press(Part::Shell, TIMERS_RIGHT).await?;
        stage.press(Part::Shell, "[data-testid='uses-w/moult/counter']").await?;
        stage
            .read(Part::Shell, "[data-testid='uses-list-w/moult/counter']", "timers.set", PATIENCE)
            .await?;
        scene.picture("what-it-used")?;
        stage
            .read_attribute(Part::Shell, TIMERS_RIGHT, "aria-checked", "false")
            .await?;
        let again = json!({ "name": "wake", "after_ms": 1000 });
        order(scene, json!({ "logic": call("timers.set", again) })).await?;
        stage.read(COUNTER, HEARD, "consent_needed", PATIENCE).await?;
        Ok(())
    })
    .await
}
