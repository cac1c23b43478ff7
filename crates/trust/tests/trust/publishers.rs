//! Publishers do not share a fate: not with each other, and not with the application.

use moult_model::ErrorCode::{
    IndexInvalid, MetadataExpired, MetadataInvalid, MetadataReplayed, ServerRefused,
};
use moult_model::{Digest, ErrorCode};
use serde_json::{Value, json};

use crate::support::{Computer, Files, Mirror, Outcome, Site, verdict};

const HERS: &str = "w/hearth/clock";
const OTHERS: [&str; 3] = ["app", "shell", "w/moult/notes"];

fn role_file(files: &Files) -> String {
    let newest = files
        .keys()
        .rfind(|path| path.ends_with(".publisher-hearth.json"));
    newest.cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_is_wrong_with_one_publisher_affects_nobody_else() -> Outcome {
    let site = Site::new()?;
    let good = site.files()?;
    let file = role_file(&good);
    let expired = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        role["expires"] = json!("2020-01-01T00:00:00Z");
    })])?;
    let mut missing = good.clone();
    missing.remove(&file);
    let mut broken = good.clone();
    broken.insert(file.clone(), b"{".to_vec());
    let mut anothers = good.clone();
    anothers.insert(file.clone(), good[&file.replace("hearth", "moult")].clone());
    let oversized = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        role["targets"]["w/hearth/clock/index.json"]["length"] = json!(1_000_000);
    })])?;
    let mut huge = good.clone();
    huge.entry(file.clone())
        .and_modify(|bytes| bytes.resize(10 * 1024 * 1024, b' '));
    let mut nested = good.clone();
    nested.entry(file.clone()).and_modify(|bytes| {
        let deep = format!("{{\"x\":{}{},", "[".repeat(10_000), "]".repeat(10_000));
        bytes.splice(0..1, deep.into_bytes());
    });
    let mut twice = good.clone();
    twice.entry(file.clone()).and_modify(|bytes| {
        let text = String::from_utf8_lossy(bytes).replace("\"version\":", "\"version\":9,\"version\":");
        *bytes = text.into_bytes();
    });
    let two_ids = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        let key =
            json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": "00".repeat(32) } });
        role["delegations"] = json!({ "keys": { "a": key, "b": key }, "roles": [
            { "name": "other", "keyids": ["a", "b"], "threshold": 2, "terminating": true,
                "paths": ["w/hearth/*/index.json"] },
        ]});
    })])?;
    let bad_pattern = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        role["targets"] = json!({});
        role["delegations"] = json!({ "keys": {}, "roles": [
            { "name": "other", "keyids": [], "threshold": 1, "terminating": true, "paths": ["w/hearth/[/index.json"] },
        ]});
    })])?;
    let table: [(&str, Files, Result<String, ErrorCode>); 11] = [
        ("huge", huge, Err(MetadataInvalid)),
        ("nested", nested, Err(MetadataInvalid)),
        ("a field twice", twice, Err(MetadataInvalid)),
        ("one key by two ids", two_ids, Err(MetadataInvalid)),
        ("a pattern that is none", bad_pattern, Err(MetadataInvalid)),
        ("good", good, Ok("1.0.0".to_owned())),
        ("expired", expired, Err(MetadataExpired)),
        ("missing", missing, Err(ServerRefused)),
        ("broken", broken, Err(MetadataInvalid)),
        ("signed by another", anothers, Err(MetadataInvalid)),
        ("oversized", oversized, Err(IndexInvalid)),
    ];
    for (what, files, expected) in table {
        let mut computer = Computer::new(site.anchor()?, &Mirror::serving(files))?;
        assert_eq!(verdict(computer.newest(HERS).await), expected, "{what}");
        for text in OTHERS {
            assert_eq!(
                verdict(computer.newest(text).await),
                Ok("1.0.0".to_owned()),
                "{what}: {text}"
            );
        }
        let orders = computer.client.orders(crate::support::at(0)).await;
        assert!(orders.is_ok(), "{what}: orders");
    }
    Ok(())
}

#[tokio::test]
async fn a_publishers_older_state_is_refused_for_that_publisher_alone() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.forge(&[("publisher-hearth", &|_: &mut Value| {})])?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest(HERS).await?;
    // A new snapshot key starts the snapshot anew; the publisher's own key, and its floor, stay.
    site.replace_keys(&["snapshot", "timestamp"])?;
    mirror.serve(site.files()?);
    assert_eq!(verdict(computer.newest(HERS).await), Err(MetadataReplayed));
    for text in OTHERS {
        assert!(computer.index(text).await.is_ok(), "{text}, after the same check");
    }
    Ok(())
}

#[tokio::test]
async fn a_publisher_who_lists_the_files_of_others_is_not_believed() -> Outcome {
    let site = Site::new()?;
    let fake = b"not even an index".to_vec();
    let (length, digest) = (fake.len(), Digest::of(&fake).to_string());
    let target = json!({ "length": length, "hashes": { "sha256": digest } });
    let paths = [
        "w/moult/notes/index.json",
        "app/shell/index.json",
        "w/moult/unknown/index.json",
    ];
    let mut files = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        for path in paths {
            role["targets"][path] = target.clone();
        }
    })])?;
    for path in paths {
        files.insert(
            format!("targets/{}", path.replace("index", &format!("{digest}.index"))),
            fake.clone(),
        );
    }
    let mut computer = Computer::new(site.anchor()?, &Mirror::serving(files))?;
    for text in OTHERS.iter().chain([&HERS]) {
        assert_eq!(
            verdict(computer.newest(text).await),
            Ok("1.0.0".to_owned()),
            "{text}"
        );
    }
    assert_eq!(
        verdict(computer.newest("w/moult/unknown").await),
        Err(IndexInvalid)
    );
    Ok(())
}

#[tokio::test]
async fn a_publisher_who_delegates_the_name_of_another_role_does_not_lower_its_floor() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let honest = site.files()?;
    // The publisher claims that its own key signs a role `app`, below its own paths, and a mirror that is in
    // league with it serves such a file in place of the application's.
    let hers = signed_key(&honest)?;
    let forged = site.forge(&[("publisher-hearth", &|role: &mut Value| {
        role["targets"] = json!({});
        role["delegations"] = json!({
            "keys": { hers.0.clone(): hers.1.clone() },
            "roles": [{ "name": "app", "keyids": [hers.0], "threshold": 1, "terminating": true,
                "paths": ["w/hearth/*/index.json"] }],
        });
    })])?;
    let mut files = forged.clone();
    let app = honest
        .keys()
        .rfind(|path| path.ends_with(".app.json"))
        .cloned()
        .unwrap_or_default();
    let document = crate::support::signed(&honest, &app)?;
    files.insert(
        app.clone(),
        site.keys
            .sign_metadata("publisher-hearth", std::slice::from_ref(&hers.0), &document)?,
    );

    let mirror = Mirror::serving(honest.clone());
    let mut computer = Computer::new(anchor, &mirror)?;
    computer.newest("app").await?;
    let before = computer.client.beliefs().floor.roles["app"].clone();
    std::fs::remove_file(computer.directory().join("metadata/app.json"))?;
    computer.restart()?;
    mirror.serve(files);
    assert!(computer.newest(HERS).await.is_err());
    let after = computer.client.beliefs().floor.roles["app"].clone();
    assert_eq!(after, before);
    mirror.serve(forged);
    assert_eq!(verdict(computer.newest("app").await), Ok("1.0.0".to_owned()));
    Ok(())
}

fn signed_key(files: &Files) -> Outcome<(String, Value)> {
    let shards = files.keys().filter(|path| path.contains("publishers-"));
    for path in shards {
        let shard = crate::support::signed(files, path)?;
        for role in shard["delegations"]["roles"].as_array().into_iter().flatten() {
            if role["name"] == "publisher-hearth" {
                let id = role["keyids"][0].as_str().unwrap_or_default().to_owned();
                let key = shard["delegations"]["keys"][&id].clone();
                return Ok((id, key));
            }
        }
    }
    Err("no shard delegates to hearth".into())
}

#[tokio::test]
async fn a_revoked_publisher_is_believed_no_more_and_can_come_back() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.newest(HERS).await?;

    let mut editor = site.editor()?;
    editor.revoke_publisher("hearth")?;
    editor.commit(crate::support::at(0))?;
    assert_eq!(editor.publishers(), ["moult"]);
    drop(editor);
    mirror.serve(site.files()?);
    assert_eq!(verdict(computer.newest(HERS).await), Err(IndexInvalid));
    assert_eq!(
        verdict(computer.newest("w/moult/notes").await),
        Ok("1.0.0".to_owned())
    );

    let mut editor = site.editor()?;
    editor.add_publisher("hearth")?;
    editor.commit(crate::support::at(0))?;
    drop(editor);
    site.publish(HERS, "2.0.0")?;
    mirror.serve(site.files()?);
    assert_eq!(verdict(computer.newest(HERS).await), Ok("2.0.0".to_owned()));
    Ok(())
}
