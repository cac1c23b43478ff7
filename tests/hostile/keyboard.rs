//! Keys reach who the user gave the keyboard to, and nobody else.

use std::time::Duration;

use anyhow::Context as _;
use moult_tests::records;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps;
use moult_tests::wait::{Look, until};
use serde_json::json;

use crate::ground::{self, HOSTILE, Hostile};

async fn type_all(scene: &Scene, text: &str, pause_ms: u32) -> anyhow::Result<()> {
    let mut typing = scene.display().begin_typing(text, pause_ms)?;
    until("the end of the typing", PATIENCE, async || {
        Ok(Look::when(typing.try_wait()?.is_some(), "keys still come"))
    })
    .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// The keys that the thief has seen since it began to look, as it kept them itself.
fn stolen(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let state = records::widget_state(&scene.install().data(), "hostile-1")?;
    let events = state
        .map(|state| state.data["stolen"].clone())
        .unwrap_or_default();
    Ok(serde_json::from_value(events).unwrap_or_default())
}

/// Plays a thief that takes the keyboard from Notes while that is typed into, and proves that it saw no key.
async fn play_thief(name: &str, how: &str) -> anyhow::Result<()> {
    play(name, Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        // The engine lets only a frame that was touched once take the focus at all. The control: it sees what is meant
        // for it.
        ground::press(scene, "hostile-1", 0.8).await?;
        scene.stage()?.click(HOSTILE, "input").await?;
        let patient = json!({ "wait": 1_000_000, "every": 1000, "how": "" });
        ground::begin(scene, HOSTILE, "steal", patient).await?;
        type_all(scene, "meant", 40).await?;
        until("the thief to see what is meant for it", PATIENCE, async || {
            let seen = stolen(scene)?;
            Ok(Look::when(
                seen.contains(&"keydown t".to_owned()),
                format!("{seen:?}"),
            ))
        })
        .await?;

        ground::press(scene, "notes-1", 0.4).await?;
        let plan = json!({ "wait": 800, "every": 20, "how": how });
        ground::begin(scene, HOSTILE, "steal", plan).await?;
        until("the thief to begin anew", PATIENCE, async || {
            let seen = stolen(scene)?;
            Ok(Look::when(seen.is_empty(), format!("{seen:?}")))
        })
        .await?;
        let text = numbers(150);
        type_all(scene, &text, 12).await?;
        let seen = stolen(scene)?;
        ground::say(&format!("{name}: stolen keys"), &seen.len());
        assert!(seen.is_empty(), "{seen:?} were stolen");
        let thefts = ground::named(scene, &["was denied", "hostile-1", "took the keyboard"]).await?;
        ground::say(&format!("{name}: told"), &thefts["fields"]["detail"]);
        if how == "window" {
            // For no field of its own it may do so for longer, and gets as little. Where two take the focus from each other
            // all the time, a key may be lost; most are typed where they were meant for.
            let state = records::widget_state(&scene.install().data(), "notes-1")?;
            let typed = state.and_then(|state| state.data["text"].as_str().map(str::len));
            assert!(typed > Some(text.len() / 2), "{typed:?} of {}", text.len());
            return Ok(());
        }
        steps::note_is_safe(scene, &text).await?;
        ground::named(scene, &["kept off the board", "hostile-1", "Keyboard"]).await?;
        let words = scene
            .stage()?
            .read(
                Part::Shell,
                "[data-testid=held-hostile-1]",
                "took the keyboard",
                PATIENCE,
            )
            .await?;
        assert!(words.contains("Try again"), "{words}");
        scene.picture("thief")?;
        Ok(())
    })
    .await
}

/// Words in which every lost, doubled or exchanged key shows: 1 2 3 4 …
fn numbers(count: u32) -> String {
    let words: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
    words.join(" ")
}

#[tokio::test]
async fn no_key_reaches_a_widget_that_takes_the_keyboard_from_another() -> anyhow::Result<()> {
    play_thief("hostile-keyboard", "field").await
}

#[tokio::test]
async fn no_key_reaches_a_widget_that_rids_itself_of_the_watch() -> anyhow::Result<()> {
    play_thief("hostile-keyboard-open", "open").await
}

#[tokio::test]
async fn no_key_reaches_a_widget_that_takes_the_keyboard_again_and_again_for_no_field() -> anyhow::Result<()>
{
    play_thief("hostile-keyboard-window", "window").await
}

#[tokio::test]
async fn keys_for_the_shell_and_its_consent_reach_no_widget() -> anyhow::Result<()> {
    play("hostile-consent", Setting::default(), async |scene| {
        let asking = Hostile {
            permissions: json!([{ "capability": "storage", "reason": "For the test." }]),
            granted: Vec::new(),
            script: String::new(),
        };
        ground::open(scene, &[asking]).await?;
        ground::press(scene, "hostile-1", 0.5).await?;
        let consent = "[data-testid=consent-refuse-hostile-1]";
        let place = scene
            .stage()?
            .inside(
                Part::Shell,
                "const box = document.querySelector(arguments[0]).getBoundingClientRect();
                 return [box.x + box.width / 2, box.y + box.height / 2]",
                vec![json!("[data-testid=status]")],
            )
            .await?;
        let at = |index: usize| place[index].as_f64().context("no place");
        // A press in the shell, then Tab and keys there; the thief tries all the while.
        scene.display().click(at(0)?, at(1)?)?;
        ground::begin(
            scene,
            HOSTILE,
            "steal",
            json!({ "wait": 300, "every": 20, "how": "" }),
        )
        .await?;
        let script =
            "globalThis.heard = []; addEventListener('keydown', (event) => heard.push(event.key), true)";
        scene.stage()?.inside(Part::Shell, script, vec![]).await?;
        type_all(scene, "abcdefghijklmnopqrstuvwxyz", 30).await?;
        let heard = scene
            .stage()?
            .inside(Part::Shell, "return globalThis.heard.length", vec![])
            .await?;
        ground::say("keys in the shell, of 26", &heard);
        assert!(heard.as_u64() > Some(20), "the control: the shell hears them");
        assert!(stolen(scene)?.is_empty());
        ground::named(scene, &["was denied", "hostile-1", "took the keyboard"]).await?;
        assert!(
            scene.stage()?.words(Part::Shell, consent).await?.is_some(),
            "and what it asks for is still to be decided by a person"
        );
        Ok(())
    })
    .await
}
