//! Keys that are replaced, and thieves of keys.

use moult_model::ErrorCode::{MetadataInvalid, MetadataReplayed};
use serde_json::{Value, json};

use crate::support::{Computer, Edit, Files, Mirror, Outcome, Site, at, restore, verdict};

const FAR: u64 = 1 << 53;

#[tokio::test]
async fn follows_one_two_and_ten_new_roots() -> Outcome {
    let site = Site::new()?;
    let (first, start) = (site.anchor()?, site.files()?);
    let mirror = Mirror::serving(start.clone());
    for root in 2..=11_u64 {
        site.replace_keys(&["root", "timestamp", "snapshot", "targets"])?;
        if ![2, 3, 11].contains(&root) {
            continue;
        }
        mirror.serve(start.clone());
        let mut computer = Computer::new(first.clone(), &mirror)?;
        computer.newest("app").await?;
        mirror.serve(site.files()?);
        assert_eq!(
            verdict(computer.newest("app").await),
            Ok("1.0.0".to_owned()),
            "root {root}"
        );
        assert_eq!(computer.client.beliefs().root, Some(root));
        let mut fresh = Computer::new(first.clone(), &mirror)?;
        assert_eq!(
            verdict(fresh.newest("app").await),
            Ok("1.0.0".to_owned()),
            "fresh, root {root}"
        );

        // Whoever knows the new root never goes back, whatever is left of its metadata.
        mirror.serve(start.clone());
        assert_eq!(
            verdict(computer.newest("app").await),
            Err(MetadataInvalid),
            "root {root}"
        );
        restore(&computer.directory().join("metadata"), &Files::new())?;
        computer.restart()?;
        assert_eq!(
            verdict(computer.newest("app").await),
            Err(MetadataReplayed),
            "root {root}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_old_key_does_not_count_after_its_replacement() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    // Signed with the old keys, later than anything the publisher has signed.
    let stolen = site.forge(&[("timestamp", &|role: &mut Value| role["version"] = json!(1000))])?;
    site.replace_keys(&["timestamp"])?;
    let mut files = site.files()?;
    files.insert(
        "metadata/timestamp.json".into(),
        stolen["metadata/timestamp.json"].clone(),
    );
    let mut computer = Computer::new(anchor, &Mirror::serving(files))?;
    assert_eq!(verdict(computer.newest("app").await), Err(MetadataInvalid));
    Ok(())
}

#[tokio::test]
async fn new_keys_bring_everybody_back_after_a_thief_used_up_the_versions() -> Outcome {
    let far = |role: &mut Value| role["version"] = json!(FAR);
    let table: [(&str, &[&str], &[&str]); 5] = [
        // As The Update Framework has it: the key of targets itself may stay.
        ("targets", &["targets", "snapshot"], &["snapshot", "timestamp"]),
        (
            "rollout",
            &["rollout", "snapshot"],
            &["rollout", "snapshot", "timestamp"],
        ),
        ("timestamp", &["timestamp"], &["timestamp"]),
        ("snapshot", &["snapshot"], &["snapshot", "timestamp"]),
        ("app", &["app", "snapshot"], &["app", "snapshot", "timestamp"]),
    ];
    for (what, stolen, replaced) in table {
        let site = Site::new()?;
        let edits: Vec<Edit<'_>> = stolen.iter().map(|role| (*role, &far as _)).collect();
        let forged = site.forge(&edits)?;
        let mirror = Mirror::serving(forged);
        let mut computer = Computer::new(site.anchor()?, &mirror)?;
        assert_eq!(
            verdict(computer.newest("app").await),
            Ok("1.0.0".to_owned()),
            "{what}"
        );
        computer.client.orders(at(0)).await?;
        let believed = computer.client.beliefs().floor;
        assert_eq!(believed.version(what), Some(FAR), "{what}");

        mirror.serve(site.files()?);
        let locked = computer.newest("app").await;
        assert_eq!(verdict(locked), Err(MetadataReplayed), "{what}");

        site.replace_keys(replaced)?;
        site.publish("app", "1.1.0")?;
        mirror.serve(site.files()?);
        assert_eq!(
            verdict(computer.newest("app").await),
            Ok("1.1.0".to_owned()),
            "{what}"
        );
        // An application that was built while the thief was at work has the thief's floor compiled in.
        let mut anchor = computer.anchor.clone();
        anchor.floor = believed;
        let mut built_then = Computer::new(anchor, &mirror)?;
        assert_eq!(
            verdict(built_then.newest("app").await),
            Ok("1.1.0".to_owned()),
            "{what}"
        );
        built_then.restart()?;
        assert_eq!(
            verdict(built_then.newest("app").await),
            Ok("1.1.0".to_owned()),
            "{what} again"
        );
        for computer in [&mut computer, &mut built_then] {
            assert!(computer.client.orders(at(0)).await.is_ok(), "{what}: orders");
        }
    }
    Ok(())
}
