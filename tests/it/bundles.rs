//! Widgets from the publisher's folder to the store on the disk.

use moult_boot::{BundleStore, Why};
use moult_model::stage::{SwapCause, SwapFailure};
use moult_model::{ErrorCode, Outcome, Phase, PlanStep};
use moult_tests::steps::patch_from;
use moult_tests::wait::{Look, until};
use moult_update::SwapRefusal;

use crate::world::{PATIENCE, World, counted};

#[tokio::test]
async fn a_widget_is_installed_whole_and_updated_by_a_patch() -> anyhow::Result<()> {
    let mut world = World::new()?;
    let first = world.publish_widget("1.0.0", &[])?;
    let installed = world.ended(&World::widget()?, "1.0.0").await?;
    assert_eq!(installed.outcome, Outcome::Installed);
    assert_eq!(
        (installed.wire_bytes, installed.full_bytes),
        (first.full.size, first.full.size)
    );

    let mark = world.serve.access().mark()?;
    let second = world.publish_widget("1.1.0", &[])?;
    let updated = world.ended(&World::widget()?, "1.1.0").await?;
    let patch = patch_from(&second, "1.0.0")?;
    let traffic = world.serve.access().since(mark)?;
    assert_eq!(updated.outcome, Outcome::Updated);
    assert_eq!(
        (updated.wire_bytes, updated.full_bytes),
        (patch.size, second.full.size)
    );
    assert_eq!(traffic.bytes(&patch.path), patch.size, "{:?}", counted(&traffic));
    assert_eq!(traffic.requests(&second.full.path), 0, "{:?}", counted(&traffic));
    assert!(matches!(updated.plan.as_slice(), [PlanStep::Patch { bytes, .. }] if *bytes == patch.size));
    assert_eq!(world.application.activated(), ["1.0.0", "1.1.0"]);

    world.engine.shutdown().await;
    let slots = BundleStore::open(&world.data())?.subject(&World::widget()?)?;
    assert_eq!(slots.current.map(|current| current.digest), Some(second.digest));
    assert_eq!(
        slots.earlier.first().map(|earlier| earlier.digest),
        Some(first.digest)
    );
    Ok(())
}

#[tokio::test]
async fn releases_in_between_are_passed_over_by_one_patch() -> anyhow::Result<()> {
    let (mut world, _) = World::with_widget().await?;
    // Three releases while nobody looked: the newest has a patch from each of the three before it.
    for version in ["1.1.0", "1.2.0"] {
        world.publish_widget(version, &[])?;
    }
    let newest = world.publish_widget("1.3.0", &[])?;
    let updated = world.ended(&World::widget()?, "1.3.0").await?;
    assert_eq!(updated.wire_bytes, patch_from(&newest, "1.0.0")?.size);
    assert_eq!(
        world.application.activated(),
        ["1.0.0", "1.3.0"],
        "what lies between is passed over"
    );
    Ok(())
}

#[tokio::test]
async fn a_widget_that_throws_goes_back_and_is_not_fetched_again() -> anyhow::Result<()> {
    let (mut world, first) = World::with_widget().await?;
    let failure = SwapFailure {
        cause: SwapCause::Exception,
        detail: "TypeError".to_owned(),
    };
    world.application.refuse_next(SwapRefusal { failure, ban: true });
    let bad = world.publish_widget("1.1.0", &[])?;
    let line = world.ended(&World::widget()?, "1.1.0").await?;
    assert_eq!(line.outcome, Outcome::RolledBack);
    assert_eq!(
        line.problems
            .iter()
            .map(|problem| problem.code)
            .collect::<Vec<_>>(),
        [ErrorCode::Crashed]
    );

    let mark = world.serve.access().mark()?;
    world.check_times(3).await?;
    let traffic = world.serve.access().since(mark)?;
    assert_eq!(traffic.artifact_requests(), 0, "{:?}", counted(&traffic));
    assert_eq!(world.application.activated(), ["1.0.0", "1.1.0"]);
    let slots = world
        .engine
        .picture()
        .bundles
        .remove(&World::widget()?)
        .unwrap_or_default();
    assert_eq!(slots.current.map(|current| current.digest), Some(first.digest));
    assert!(
        slots
            .banned
            .iter()
            .any(|ban| ban.digest == bad.digest && matches!(ban.why, Why::Crashed { .. }))
    );

    // A higher release is another digest: it is tried.
    world.publish_widget("1.2.0", &[])?;
    world.updated("1.2.0").await?;
    Ok(())
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_for_consent_before_a_byte_is_fetched() -> anyhow::Result<()> {
    let (mut world, _) = World::with_widget().await?;
    let mark = world.serve.access().mark()?;
    world.publish_widget("1.1.0", &["system.figures"])?;
    world.engine.check_now();
    until("a request for consent", PATIENCE, async || {
        let waiting = world.engine.picture().waiting;
        let asked = waiting.iter().any(|request| {
            request
                .permissions
                .iter()
                .any(|p| p.capability == "system.figures")
        });
        Ok(Look::when(asked, format!("{waiting:?}")))
    })
    .await?;
    world.check_times(2).await?;
    let activities = world.engine.picture().activities;
    assert!(
        activities.iter().all(|activity| activity.phase == Phase::Waiting),
        "{activities:?}"
    );
    assert_eq!(
        world.serve.access().since(mark)?.artifact_requests(),
        0,
        "nothing is fetched before the answer"
    );

    world.application.grant("system.figures");
    world.engine.check_now();
    world.engine.check_now();
    world.updated("1.1.0").await?;
    Ok(())
}
