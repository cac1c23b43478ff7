//! How many requests a check costs, and what happens when the way is closed.

use moult_model::ErrorCode;

use crate::support::{Computer, Mirror, Outcome, SUBJECTS, Site, verdict};

const NOTHING_NEW: [&str; 2] = [
    "metadata/2.root.json missing",
    "metadata/timestamp.json not modified",
];

#[tokio::test]
async fn a_check_that_finds_nothing_costs_two_small_requests() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    assert!(computer.refresh().await?.changed);
    mirror.take_requests();

    assert!(!computer.refresh().await?.changed);
    assert_eq!(mirror.take_requests(), NOTHING_NEW);
    computer.restart()?;
    assert!(!computer.refresh().await?.changed);
    assert_eq!(mirror.take_requests(), NOTHING_NEW, "after a restart");
    Ok(())
}

#[tokio::test]
async fn an_index_that_has_not_changed_costs_no_request() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    for text in SUBJECTS {
        computer.index(text).await?;
    }
    computer.restart()?;
    computer.refresh().await?;
    mirror.take_requests();
    for text in SUBJECTS {
        assert_eq!(computer.index(text).await?.releases.len(), 1);
    }
    assert!(mirror.take_requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_new_release_costs_only_what_changed() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    for text in SUBJECTS {
        computer.index(text).await?;
    }
    site.publish("app", "1.1.0")?;
    mirror.serve(site.files()?);
    mirror.take_requests();

    assert!(computer.refresh().await?.changed);
    for text in SUBJECTS {
        computer.index(text).await?;
    }
    let requests = mirror.take_requests();
    let kinds: Vec<_> = requests
        .iter()
        .map(|request| request.split('/').next().unwrap_or(""))
        .collect();
    assert_eq!(
        kinds,
        ["metadata", "metadata", "metadata", "metadata", "targets"],
        "{requests:?}"
    );
    assert_eq!(computer.index("app").await?.releases.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_renewed_timestamp_is_no_change() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    let before = computer.refresh().await?;
    site.editor()?.resign(crate::support::at(1))?;
    mirror.serve(site.files()?);
    let after = computer.refresh().await?;
    assert!(!after.changed);
    assert_eq!(after.timestamp_version, before.timestamp_version + 1);
    assert!(after.expires > before.expires);
    Ok(())
}

#[tokio::test]
async fn offline_keeps_what_was_found_until_it_expires() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    mirror.set_offline(true);
    assert_eq!(verdict(computer.newest("app").await), Err(ErrorCode::Offline));
    mirror.set_offline(false);
    assert_eq!(verdict(computer.newest("app").await), Ok("1.0.0".to_owned()));
    mirror.set_offline(true);
    assert_eq!(
        computer.refresh().await.map_err(|error| error.code()),
        Err(ErrorCode::Offline)
    );
    assert_eq!(computer.index("app").await?.releases.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_the_repository_must_have_and_lacks_is_named() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    mirror.edit(|files| files.retain(|path, _| !path.ends_with("timestamp.json")));
    let error = computer
        .refresh()
        .await
        .err()
        .map(|error| (error.code(), error.to_string()));
    let expected = "the repository has no metadata/timestamp.json".to_owned();
    assert_eq!(error, Some((ErrorCode::ServerRefused, expected)));
    mirror.serve(site.files()?);
    mirror.edit(|files| files.retain(|path, _| !path.contains("index.json")));
    assert_eq!(
        verdict(computer.newest("app").await),
        Err(ErrorCode::ServerRefused)
    );
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_even_if_the_transport_let_it_through() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    mirror.edit(|files| {
        if let Some(timestamp) = files.get_mut("metadata/timestamp.json") {
            timestamp.resize(20_000, b' ');
        }
    });
    assert_eq!(
        verdict(computer.newest("app").await),
        Err(ErrorCode::MetadataInvalid)
    );
    Ok(())
}

#[test]
fn a_check_can_run_on_any_thread() -> Outcome {
    fn on_any_thread<T: Send>(_: &T) {}
    let site = Site::new()?;
    let mut computer = Computer::new(site.anchor()?, &Mirror::serving(site.files()?))?;
    on_any_thread(&computer.client);
    on_any_thread(&computer.refresh());
    on_any_thread(&computer.index("app"));
    Ok(())
}
