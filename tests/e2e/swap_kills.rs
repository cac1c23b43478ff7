//! The application is killed in each step of a swap: the old version comes back, with the old state.

use std::time::Duration;

use moult_tests::fixtures::Fixtures;
use moult_tests::scene::PATIENCE;
use moult_tests::stage::Part;
use moult_tests::swap::{Board, VERSIONS, model};
use moult_tests::wait::{Look, until};

const NOTES: Part<'static> = Part::Widget("notes-1");
const EDITOR: &str = "[data-testid=notes-editor]";

/// A kill: in which step, the version that is swapped in, whether it waits for a pause, when the kill comes after the
/// order, and whether what is typed on trial comes back.
struct Kill {
    step: &'static str,
    version: &'static str,
    patient: bool,
    after_ms: u64,
    keeps_trial: Option<bool>,
}

const KILLS: [Kill; 5] = [
    Kill {
        step: "loading",
        version: "notes-start_hangs",
        patient: false,
        after_ms: 1500,
        keeps_trial: None,
    },
    Kill {
        step: "waiting",
        version: "notes-90.0.1",
        patient: true,
        after_ms: 1200,
        keeps_trial: None,
    },
    Kill {
        step: "switching",
        version: "notes-restore_hangs",
        patient: false,
        after_ms: 400,
        keeps_trial: None,
    },
    Kill {
        step: "trial, the same schema",
        version: "notes-90.0.1",
        patient: false,
        after_ms: 2500,
        keeps_trial: Some(true),
    },
    Kill {
        step: "trial, a newer schema",
        version: "notes-newer_schema",
        patient: false,
        after_ms: 2500,
        keeps_trial: Some(false),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_any_step_brings_the_old_version_back_with_its_state() -> anyhow::Result<()> {
    let fixtures = tokio::task::spawn_blocking(|| Fixtures::ensure(&mut |_| {})).await??;
    let mut board = Board::open(&fixtures).await?;
    let mut held = model::whole("notes", "");
    for kill in KILLS {
        let step = kill.step;
        let word = format!("{step}. ");
        board.stage().type_into(NOTES, EDITOR, &word).await?;
        held.push_str(&word);
        is_safe(&board, &held).await?;

        let mut orders = board.drill()?;
        let (bundle, patient) = (board.bundle(kill.version), kill.patient);
        if patient {
            board.stage().type_into(NOTES, EDITOR, "x").await?;
            held.push('x');
            is_safe(&board, &held).await?;
        }
        let ordered =
            std::thread::spawn(move || orders.swap_as("notes-1", &bundle, Duration::from_mins(1), patient));
        tokio::time::sleep(Duration::from_millis(kill.after_ms)).await;
        let live = board.stage().version(NOTES).await?;
        match kill.keeps_trial {
            None => assert_eq!(live, VERSIONS[0].0, "{step}: switched too early"),
            Some(keeps) => {
                assert_ne!(live, VERSIONS[0].0, "{step}: not switched yet");
                board.stage().type_into(NOTES, EDITOR, "tried ").await?;
                if keeps {
                    held.push_str("tried ");
                    is_safe(&board, &held).await?;
                } else {
                    tokio::time::sleep(Duration::from_millis(400)).await;
                }
            }
        }
        board.kill_and_start().await?;
        // It was killed with the order under way.
        assert!(
            ordered.join().is_ok_and(|ended| ended.is_err()),
            "{step}: it had ended"
        );

        assert_eq!(board.stage().version(NOTES).await?, VERSIONS[0].0, "{step}");
        until(
            &format!("{held:?} after the kill in {step}"),
            PATIENCE,
            async || {
                let seen = board.stage().value(NOTES, EDITOR).await?;
                Ok(Look::when(seen == held, seen))
            },
        )
        .await?;
    }
    Ok(())
}

async fn is_safe(board: &Board, text: &str) -> anyhow::Result<()> {
    until(&format!("{text:?} on the disk"), PATIENCE, async || {
        let body = board.state("notes")?["widget"]["body"].clone();
        Ok(Look::when(body == text, body))
    })
    .await
}
