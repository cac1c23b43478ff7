//! No native command is carried out for a bundle, whatever it knows or guesses.

use moult_tests::records;
use moult_tests::scene::{Setting, play};
use moult_tests::steps;
use serde_json::{Value, json};

use crate::ground::{self, HOSTILE, Hostile};

#[tokio::test]
async fn no_bundle_has_a_native_command_carried_out() -> anyhow::Result<()> {
    play("hostile-commands", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        let data = scene.install().data();
        let board = records::board(&data)?;

        let outcome = ground::attack(scene, HOSTILE, "commands", Value::Null).await?;
        // What is sent to the handlers goes nowhere, and throws nothing.
        ground::all_refused(&outcome, &["handler", "keys", "again"])?;
        ground::attack(scene, HOSTILE, "claims", Value::Null).await?;

        // The control: the same commands work for who may give them.
        steps::write_note(scene, "kept all the same").await?;
        assert_eq!(records::board(&data)?, board, "the board is as it was");
        assert!(
            ground::log(scene, &["a command without the stage's key was refused"])?.is_empty(),
            "nothing even came as far as the guard of the commands"
        );
        ground::named(scene, &["was denied", "hostile-1", "the native message handlers"]).await?;
        ground::named(scene, &["was denied", "hostile-1", "ipc"]).await?;
        ground::named(scene, &["was denied", "hostile-1", "said command"]).await?;
        ground::named(scene, &["was denied", "hostile-1", "said layout"]).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_message_to_the_native_handler_without_the_engines_key_comes_to_nothing() -> anyhow::Result<()> {
    play("hostile-handler", Setting::default(), async |scene| {
        ground::open(scene, &[Hostile::plain()]).await?;
        // Where the handler is not taken away: in the stage's own page. What a frame would send comes the same way.
        let script = "const [key] = arguments;
            webkit.messageHandlers.ipc.postMessage(JSON.stringify({
                cmd: 'shell_command', callback: 1, error: 2, options: {}, __TAURI_INVOKE_KEY__: key,
                payload: { key: 'guess', command: { kind: 'set_board', board: { tiles: [] } } } }));
            return true";
        let sent = scene.stage()?.on_top(script, vec![json!("guess")]).await?;
        assert_eq!(
            sent,
            json!(true),
            "the handler is there: the control of the test before this"
        );
        steps::write_note(scene, "goes on").await?;
        let board = records::board(&scene.install().data())?;
        assert_eq!(board.map(|board| board.tiles.len()), Some(3));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn calls_without_a_grant_or_beyond_its_bounds_are_refused_and_granted_ones_work() -> anyhow::Result<()>
{
    play("hostile-calls", Setting::default(), async |scene| {
        let hostile = Hostile {
            permissions: json!([
                { "capability": "storage", "reason": "For the test." },
                { "capability": "open.url", "reason": "For the test." },
                { "capability": "network", "reason": "For the test.", "hosts": ["127.0.0.1:9"] },
            ]),
            granted: vec!["storage", "open.url", "network"],
            script: String::new(),
        };
        ground::open(scene, &[hostile]).await?;
        let outcome = ground::attack(scene, HOSTILE, "calls", json!("http://127.0.0.1:1/")).await?;
        let refused = [
            ("figures", "consent_needed"),
            ("clipboard", "consent_needed"),
            ("notify", "consent_needed"),
            ("unknown", "consent_needed"),
            ("prototype", "consent_needed"),
            ("much", "too_large"),
        ];
        for (name, code) in refused {
            assert_eq!(outcome[name]["refused"], json!(code), "{name} of {outcome:#}");
        }
        for name in ["open", "elsewhere", "file", "path"] {
            assert!(
                outcome[name].get("refused").is_some() || outcome[name]["got"] == "null",
                "{name} of {outcome:#}"
            );
        }
        // The control: what is granted and in bounds.
        assert_eq!(outcome["kept"]["got"], "null", "{outcome:#}");
        assert_eq!(outcome["mine"]["got"], "1", "{outcome:#}");
        ground::named(scene, &["hostile-1", "called system.figures without a grant"]).await?;
        ground::named(scene, &["a call was refused", "w/moult/hostile"]).await?;
        Ok(())
    })
    .await
}
