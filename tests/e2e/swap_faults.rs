//! A version that fails in each step of its swap: the old version and what it held stay, and the tile says so in words.

use std::time::Duration;

use moult_model::Outcome;
use moult_tests::publisher::Item;
use moult_tests::scene::{PATIENCE, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};

const OLD: &str = "90.0.0";
const EDITOR: &str = "[data-testid=notes-editor]";
const STRIP: &str = "[data-testid=strip-notes-1]";

/// Where the new version fails, and what the tile says of it.
const FAULTS: [(&str, &str); 12] = [
    ("load_throws", "did not get ready."),
    ("load_hangs", "did not get ready."),
    ("migration_throws", "could not take over what you had."),
    ("parse_throws", "could not take over what you had."),
    ("start_throws", "stopped with an error."),
    ("start_hangs", "did not get ready."),
    ("restore_throws", "stopped with an error."),
    ("restore_hangs", "stopped answering."),
    ("ready_throws", "stopped with an error."),
    ("trial_throws", "stopped with an error."),
    ("trial_hangs", "stopped answering."),
    ("trial_errors", "failed in too much of what it did."),
];

#[tokio::test]
async fn whatever_step_a_version_fails_in_the_old_one_stays_with_its_state_and_the_tile_says_so()
-> anyhow::Result<()> {
    play("swap-faults", Setting::default(), async |scene| {
        let opening = steps::opening(scene)?;
        for item in opening
            .iter()
            .filter(|item| item.title() != "w/moult/notes (notes-1.0.0)")
        {
            scene.publish(item)?;
        }
        scene.publish(&steps::probed(scene, "notes-90.0.0")?)?;
        scene.start().await?;
        steps::widgets_run(scene).await?;
        scene.stage()?.type_into(NOTES, EDITOR, "It is ").await?;
        let mut held = "It is ".to_owned();

        for (number, (fault, words)) in FAULTS.into_iter().enumerate() {
            let item: Item = steps::probed(scene, &format!("notes-{fault}"))?;
            let published = scene.publish(&item)?;
            let version = published.version.to_string();
            if fault == "trial_errors" {
                steps::allow(scene, "notes-1").await?;
            }
            scene.ended(item.subject(), &version, Outcome::RolledBack).await?;
            scene.live(NOTES, OLD).await?;
            let said = scene
                .stage()?
                .read(Part::Shell, STRIP, &version, PATIENCE)
                .await?;
            for part in [
                format!("Back on {OLD}."),
                format!("{version} {words}"),
                "kept".to_owned(),
            ] {
                anyhow::ensure!(said.contains(&part), "{fault}: {part:?} is not in {said:?}");
            }
            if number == 0 || fault == "trial_errors" {
                scene.picture(fault)?;
            }
            // The old version goes on with what it held.
            let word = format!("{number} ");
            scene.stage()?.type_into(NOTES, EDITOR, &word).await?;
            held.push_str(&word);
            until(&format!("{held:?} after {fault}"), PATIENCE, async || {
                let seen = scene.stage()?.value(NOTES, EDITOR).await?;
                Ok(Look::when(seen == held, seen))
            })
            .await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    })
    .await
}
