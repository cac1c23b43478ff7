//! Everything that can be wrong with what comes from the network, met by the whole.

use std::fs;

use moult_model::{ErrorCode, Outcome, PlanStep, Problem};
use moult_tests::proxy::Fault;
use moult_tests::publisher::copy_tree;
use moult_tests::steps::patch_from;
use moult_tests::wait::{Look, until};

use crate::world::{PATIENCE, World, counted};

#[tokio::test]
async fn a_bad_patch_costs_one_full_download_and_is_told() -> anyhow::Result<()> {
    for fault in [
        Fault::Flip,
        Fault::Truncate,
        Fault::Status(404),
        Fault::Status(403),
    ] {
        let mut world = World::new()?;
        world.publish_widget("1.0.0", &[])?;
        world.ended(&World::widget()?, "1.0.0").await?;
        world.proxy.damage(".mpatch", fault);
        let mark = world.serve.access().mark()?;
        let published = world.publish_widget("1.1.0", &[])?;
        let line = world.ended(&World::widget()?, "1.1.0").await?;
        assert_eq!(line.outcome, Outcome::Updated, "{fault:?}");
        assert!(world.proxy.hits() >= 1, "{fault:?}: the patch was asked for");
        assert!(!line.problems.is_empty(), "{fault:?} is not silent");
        assert!(
            matches!(line.plan.last(), Some(PlanStep::Full { .. })),
            "{fault:?}: {:?}",
            line.plan
        );
        let traffic = world.serve.access().since(mark)?;
        assert_eq!(
            traffic.requests(&published.full.path),
            1,
            "{fault:?}: {:?}",
            counted(&traffic)
        );
        assert_eq!(
            traffic.bytes(&published.full.path),
            published.full.size,
            "{fault:?}"
        );
        let patch = patch_from(&published, "1.0.0")?;
        assert!(
            traffic.bytes(&patch.path) <= patch.size * 3,
            "{fault:?}: the patch is not fetched for ever"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_timestamp_stops_the_check_is_named_and_the_next_good_one_works() -> anyhow::Result<()> {
    let (mut world, _) = World::with_widget().await?;
    for (fault, codes) in [
        (Fault::Status(404), vec![ErrorCode::ServerRefused]),
        (Fault::Status(403), vec![ErrorCode::ServerRefused]),
        (Fault::Status(500), vec![ErrorCode::ServerFailed]),
        (Fault::Status(503), vec![ErrorCode::ServerFailed]),
        (Fault::Cut, vec![ErrorCode::ServerFailed, ErrorCode::Offline]),
        (Fault::Truncate, vec![ErrorCode::MetadataInvalid]),
    ] {
        // A client that has the present timestamp is told "not modified" and meets no fault: there must be news.
        let version = format!("1.0.{}", world.application.activated().len());
        world.proxy.damage("metadata/timestamp.json", fault);
        world.publish_widget(&version, &[])?;
        world.engine.check_now();
        let problem = problem(&world, &format!("{fault:?}")).await?;
        assert!(codes.contains(&problem.code), "{fault:?}: {problem:?}");
        assert!(
            !problem.happened.is_empty() && !problem.kept.is_empty(),
            "{fault:?}: {problem:?}"
        );
        world.proxy.heal();
        let line = world.ended(&World::widget()?, &version).await?;
        assert_eq!(line.outcome, Outcome::Updated, "after {fault:?}");
        let after = world.engine.picture().check_problem;
        assert_eq!(after, None, "after {fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_from_yesterday_is_not_believed() -> anyhow::Result<()> {
    let (mut world, _) = World::with_widget().await?;
    let yesterday = world.publisher.repository().with_file_name("yesterday");
    copy_tree(&world.publisher.repository(), &yesterday)?;
    let second = world.publish_widget("1.1.0", &[])?;
    world.ended(&World::widget()?, "1.1.0").await?;

    copy_tree(
        &yesterday.join("metadata"),
        &world.publisher.repository().join("metadata"),
    )?;
    world.engine.check_now();
    let problem = problem(&world, "the old repository").await?;
    assert_eq!(problem.code, ErrorCode::MetadataReplayed, "{problem:?}");
    let slots = world
        .engine
        .picture()
        .bundles
        .remove(&World::widget()?)
        .unwrap_or_default();
    assert_eq!(
        slots.current.map(|current| current.digest),
        Some(second.digest),
        "nothing goes down"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_network_what_is_installed_stands_and_the_next_check_works() -> anyhow::Result<()> {
    let (mut world, first) = World::with_widget().await?;
    world.serve.go_dark();
    let packaged = world.packaged();
    world.restart_as("1.0.0", &packaged).await?;
    let problem = problem(&world, "no server").await?;
    // The proxy stands and says that nobody is behind it.
    assert_eq!(problem.code, ErrorCode::ServerFailed, "{problem:?}");
    let slots = world
        .engine
        .picture()
        .bundles
        .remove(&World::widget()?)
        .unwrap_or_default();
    assert_eq!(slots.current.map(|current| current.digest), Some(first.digest));

    world.publish_widget("1.1.0", &[])?;
    world.serve.come_back()?;
    world.updated("1.1.0").await?;
    Ok(())
}

#[tokio::test]
async fn an_interrupted_publication_is_not_seen_and_harms_nobody() -> anyhow::Result<()> {
    let (mut world, _) = World::with_widget().await?;
    // Everything of the new release is there but the timestamp, which comes last.
    let timestamp = world.publisher.repository().join("metadata/timestamp.json");
    let old = fs::read(&timestamp)?;
    world.publish_widget("1.1.0", &[])?;
    let new = fs::read(&timestamp)?;
    fs::write(&timestamp, old)?;
    world.check_times(2).await?;
    assert_eq!(world.engine.picture().check_problem, None);
    assert_eq!(world.application.activated(), ["1.0.0"]);
    fs::write(&timestamp, new)?;
    world.updated("1.1.0").await?;
    Ok(())
}

async fn problem(world: &World, what: &str) -> anyhow::Result<Problem> {
    until(
        &format!("the problem with {what} to be told"),
        PATIENCE,
        async || {
            Ok(Look::from_option(
                world.engine.picture().check_problem,
                "no problem",
            ))
        },
    )
    .await
}
