//! Executables from the publisher to the slot that the launcher starts.

use anyhow::Context as _;
use moult_boot::Store;
use moult_model::{ErrorCode, Outcome, Phase, Subject};
use moult_tests::steps::patch_from;
use moult_tests::wait::{Look, until};

use crate::world::{PATIENCE, World, digest};

#[tokio::test]
async fn an_executable_is_rebuilt_from_a_delta_put_on_trial_and_confirmed_in_one_line_of_history()
-> anyhow::Result<()> {
    let mut world = World::new()?;
    let packaged = world.packaged();
    // The packaged version was published too, so there is a patch from it.
    world
        .publisher
        .publish(&moult_tests::publisher::Item::executable("1.0.0", &packaged))?;
    let (published, _) = world.publish_executable("1.1.0", 3)?;
    let patch = patch_from(&published, "1.0.0")?.clone();
    let slot = on_trial(&world).await?;
    assert_eq!(
        digest(&slot)?,
        published.digest,
        "the slot holds what was published, byte for byte"
    );
    let traffic = world.serve.access().all()?;
    assert!(traffic.iter().any(|access| access.path.ends_with(&patch.path)));
    assert!(
        traffic
            .iter()
            .all(|access| !access.path.ends_with(&published.full.path))
    );

    world.restart_as("1.1.0", &slot).await?;
    until("the trial to be told", PATIENCE, async || {
        let activities = world.engine.picture().activities;
        let confirming = activities
            .iter()
            .any(|activity| activity.phase == Phase::Confirming);
        Ok(Look::when(confirming, format!("{activities:?}")))
    })
    .await?;
    world.engine.confirm_executable()?;
    let line = world.ended(&Subject::Executable, "1.1.0").await?;
    assert_eq!(line.outcome, Outcome::Updated);
    assert_eq!(
        line.wire_bytes, patch.size,
        "the bytes of the first process are in the line of the second"
    );
    let phases: Vec<Phase> = line.phases.iter().map(|(phase, _)| *phase).collect();
    assert!(
        phases.contains(&Phase::Fetching) && phases.contains(&Phase::Confirming),
        "{phases:?}"
    );
    let boot = world.engine.picture().boot.context("no boot state")?;
    assert_eq!(
        boot.slot(&boot.current).map(|slot| slot.digest),
        Some(published.digest)
    );
    assert_eq!(boot.trial, None);
    Ok(())
}

#[tokio::test]
async fn an_executable_whose_signature_is_by_another_key_is_refused() -> anyhow::Result<()> {
    let mut world = World::new()?;
    let (published, _) = world.publish_executable("1.1.0", 3)?;
    // The engine trusts other minisign keys than those that signed: a publisher whose TUF keys alone were stolen.
    world.trust_other_minisign_key().await?;
    let line = world.ended(&Subject::Executable, "1.1.0").await?;
    assert_eq!(line.outcome, Outcome::Failed);
    assert!(
        line.problems
            .iter()
            .any(|problem| problem.code == ErrorCode::SignatureInvalid),
        "{:?}",
        line.problems
    );
    let boot = world.engine.picture().boot.context("no boot state")?;
    assert!(
        boot.slots.iter().all(|slot| slot.digest != published.digest),
        "nothing of it is installed"
    );
    Ok(())
}

/// Waits until the engine asks for the restart, and tells where the executable on trial is.
async fn on_trial(world: &World) -> anyhow::Result<std::path::PathBuf> {
    world.engine.check_now();
    until("the engine to ask for a restart", PATIENCE, async || {
        let picture = world.engine.picture();
        let seen = format!("{:?} {:?}", picture.activities, picture.check_problem);
        Ok(Look::when(world.application.restarts() == 1, seen))
    })
    .await?;
    let boot = world.engine.picture().boot;
    let trial = boot.and_then(|boot| boot.trial).map(|trial| trial.slot);
    let trial = trial.context("nothing is on trial")?;
    let store = Store::open(&world.data(), world.base()?)?;
    Ok(store.executable(&trial))
}
