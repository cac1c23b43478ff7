//! What was verified once verifies again from the disk alone, whatever the network and the clock say.

use moult_model::ErrorCode;
use moult_trust::rehearse;

use crate::support::{Computer, Mirror, Outcome, Site, files_of, restore, verdict};

#[tokio::test]
async fn before_the_first_check_there_is_only_the_anchor_to_verify() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let computer = Computer::new(site.anchor()?, &mirror)?;
    assert!(!rehearse(&site.anchor()?, &computer.directory()).await?);

    let mut anchor = site.anchor()?;
    anchor.root = b"{}".to_vec();
    let refused = rehearse(&anchor, &computer.directory()).await;
    assert_eq!(verdict(refused), Err(ErrorCode::Internal));
    Ok(())
}

#[tokio::test]
async fn after_checks_releases_and_new_keys_all_of_it_verifies_and_nothing_is_written() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let anchor = site.anchor()?;
    let mut computer = Computer::new(anchor.clone(), &mirror)?;
    computer.refresh().await?;
    assert!(rehearse(&anchor, &computer.directory()).await?);

    for keys in [&["timestamp"][..], &["snapshot", "targets"], &["root"]] {
        site.replace_keys(keys)?;
        mirror.serve(site.files()?);
        computer.refresh().await?;
        let before = files_of(&computer.directory())?;
        mirror.take_requests();
        assert!(rehearse(&anchor, &computer.directory()).await?, "{keys:?}");
        assert_eq!(files_of(&computer.directory())?, before, "{keys:?}");
        assert!(mirror.take_requests().is_empty(), "{keys:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_verify_any_more_is_told_from_what_is_torn_or_not_there() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let anchor = site.anchor()?;
    let mut computer = Computer::new(anchor.clone(), &mirror)?;
    computer.refresh().await?;
    let good = files_of(&computer.directory())?;

    let mut torn = good.clone();
    torn.insert("metadata/timestamp.json".into(), b"{\"signed\":{".to_vec());
    restore(&computer.directory(), &torn)?;
    assert!(!rehearse(&anchor, &computer.directory()).await?, "torn");

    let mut missing = good.clone();
    missing.remove("metadata/snapshot.json");
    restore(&computer.directory(), &missing)?;
    assert!(!rehearse(&anchor, &computer.directory()).await?, "missing");

    // The first timestamp after a change is signed with both keys, the next with the new one alone.
    site.replace_keys(&["timestamp"])?;
    site.publish("app", "1.1.0")?;
    mirror.serve(site.files()?);
    restore(&computer.directory(), &good)?;
    computer.restart()?;
    computer.refresh().await?;
    let mut gap = files_of(&computer.directory())?;
    assert!(gap.remove("metadata/root_history/2.root.json").is_some());
    restore(&computer.directory(), &gap)?;
    assert!(
        !rehearse(&anchor, &computer.directory()).await?,
        "a root is missing"
    );

    // Another publisher's anchor stands for a version that has forgotten how to verify.
    restore(&computer.directory(), &good)?;
    let refused = rehearse(&Site::new()?.anchor()?, &computer.directory()).await;
    assert_eq!(verdict(refused), Err(ErrorCode::MetadataInvalid));
    Ok(())
}
