//! The quick stop: what the role `rollout` orders, what it costs to read, and what a thief of its key can do.

use moult_model::Digest;
use moult_model::ErrorCode::{self, MetadataInvalid};
use moult_model::rollout::{Act, Order, Orders, Share};
use moult_trust::TrustError;
use moult_trust::sign::SignError;
use serde_json::{Value, json};

use crate::support::{Computer, Mirror, Outcome, Site, add_release, at, subject, verdict};

fn order(act: Act) -> Order {
    Order {
        subject: subject("w/moult/notes"),
        digest: Digest::of(b"bad"),
        hold_epoch: 0,
        act,
        reason: Some("It eats notes.".to_owned()),
        given: "2026-11-30T12:00:00Z".to_owned(),
    }
}

fn orders(acts: impl IntoIterator<Item = Act>) -> Orders {
    Orders {
        format: Orders::FORMAT,
        orders: acts.into_iter().map(order).collect(),
    }
}

fn all() -> [Act; 3] {
    [
        Act::Hold,
        Act::Limit {
            share: Share::of_ten_thousand(500).unwrap_or_default(),
        },
        Act::Recall {
            to: Digest::of(b"good"),
        },
    ]
}

fn give(site: &Site, orders: &Orders) -> Outcome<Vec<String>> {
    let mut editor = site.editor()?;
    editor.set_orders(orders)?;
    Ok(editor.commit(at(0))?.written)
}

#[tokio::test]
async fn an_order_reaches_everybody_with_the_next_check_and_costs_one_request() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    assert!(computer.client.orders(at(0)).await?.orders.is_empty());

    let given = orders(all());
    let written = give(&site, &given)?;
    let empty = Digest::of(b"");
    assert_eq!(
        written,
        [
            format!("targets/rollout/{empty}.orders.json"),
            "metadata/2.rollout.json".to_owned(),
            "metadata/3.snapshot.json".to_owned(),
            "metadata/timestamp.json".to_owned(),
        ]
    );
    mirror.serve(site.files()?);
    assert!(computer.refresh().await?.changed);
    mirror.take_requests();
    assert_eq!(*computer.client.orders(at(0)).await?, given);
    assert_eq!(mirror.take_requests(), ["metadata/2.rollout.json body"]);

    for restarted in [false, true] {
        if restarted {
            computer.restart()?;
        }
        computer.refresh().await?;
        mirror.take_requests();
        assert_eq!(*computer.client.orders(at(0)).await?, given);
        assert!(
            mirror.take_requests().is_empty(),
            "unchanged, restarted: {restarted}"
        );
    }
    Ok(())
}

#[test]
fn giving_orders_needs_the_online_keys_alone() -> Outcome {
    let site = Site::new()?;
    for entry in std::fs::read_dir(site.keys.folder())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let online = ["snapshot.", "timestamp.", "rollout."];
        if path.is_file() && !online.iter().any(|role| name.starts_with(role)) {
            std::fs::remove_file(path)?;
        }
    }
    give(&site, &orders([Act::Hold]))?;
    assert_eq!(site.editor()?.orders()?, orders([Act::Hold]));
    assert!(
        give(&site, &orders([Act::Hold]))?.is_empty(),
        "the same is no change"
    );
    let files = site.files()?;
    give(&site, &orders(all()))?;
    let again = site.files()?;
    let empty = |files: &crate::support::Files| files.keys().filter(|path| path.contains("orders")).count();
    assert_eq!((empty(&files), empty(&again)), (1, 1), "no file for each change");
    Ok(())
}

#[test]
fn orders_that_nobody_would_obey_are_not_published() -> Outcome {
    let site = Site::new()?;
    let mut editor = site.editor()?;
    let table = [
        Orders {
            format: 2,
            ..orders([])
        },
        orders([Act::Recall {
            to: Digest::of(b"bad"),
        }]),
        Orders {
            orders: vec![order(Act::Hold); Orders::MOST + 1],
            ..orders([])
        },
        Orders {
            orders: vec![Order {
                given: "now".to_owned(),
                ..order(Act::Hold)
            }],
            ..orders([])
        },
    ];
    for orders in table {
        let refused = editor.set_orders(&orders);
        assert!(matches!(refused, Err(SignError::Orders { .. })), "{refused:?}");
    }
    assert!(editor.commit(at(0))?.written.is_empty());
    Ok(())
}

/// What a thief of the keys `rollout`, `snapshot` and `timestamp` writes in place of the orders.
async fn read(site: &Site, edit: &dyn Fn(&mut Value)) -> Outcome<Result<Orders, TrustError>> {
    let mirror = Mirror::serving(site.forge(&[("rollout", edit)])?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    let read = computer.client.orders(at(0)).await;
    // Whatever it is, it is nobody's business that looks for releases.
    assert_eq!(computer.index("app").await?.releases.len(), 1);
    Ok(read.map(|orders| (*orders).clone()))
}

#[tokio::test]
async fn orders_that_can_not_be_read_are_refused_in_words_and_never_taken_for_none() -> Outcome {
    let site = Site::new()?;
    give(&site, &orders(all()))?;
    let edit = |value: Value| {
        move |role: &mut Value| role["targets"]["rollout/orders.json"]["custom"] = value.clone()
    };
    let table = [
        (json!({ "format": 7, "orders": 3 }), "format 7"),
        (json!({ "format": 1, "orders": [{}] }), "can't be read"),
        (json!({ "format": 1, "orders": vec![1; 1025] }), "1025, more than"),
        (json!(null), "nothing in it"),
        (json!("hold"), "can't be read"),
    ];
    for (value, expected) in table {
        match read(&site, &edit(value.clone())).await? {
            Err(error @ TrustError::Orders { .. }) => {
                assert_eq!(error.code(), MetadataInvalid, "{value}");
                assert!(error.to_string().contains(expected), "{value}: {error}");
            }
            other => return Err(format!("{value}: {other:?}").into()),
        }
    }
    let without = |role: &mut Value| {
        if let Some(target) = role["targets"]["rollout/orders.json"].as_object_mut() {
            target.remove("custom");
        }
    };
    assert!(matches!(
        read(&site, &without).await?,
        Err(TrustError::Orders { .. })
    ));
    Ok(())
}

#[tokio::test]
async fn a_role_that_is_too_large_or_kept_away_is_no_empty_role() -> Outcome {
    let site = Site::new()?;
    give(&site, &orders(all()))?;
    let large = |role: &mut Value| role["padding"] = json!("x".repeat(256 * 1024));
    let mut files = site.files()?;
    files.remove("metadata/2.rollout.json");
    let without_pin = site.forge(&[("snapshot", &|snapshot: &mut Value| {
        if let Some(meta) = snapshot["meta"].as_object_mut() {
            meta.remove("rollout.json");
        }
    })])?;
    let mut anchor = site.anchor()?;
    // An application that was built before there were orders: nothing of the role is compiled in.
    anchor.floor.roles.remove("rollout");
    let table = [
        ("too large", site.forge(&[("rollout", &large)])?, MetadataInvalid),
        ("missing", files, ErrorCode::ServerRefused),
        ("not in the snapshot", without_pin, MetadataInvalid),
    ];
    for (what, files, expected) in table {
        let mirror = Mirror::serving(files);
        let mut computer = Computer::new(anchor.clone(), &mirror)?;
        computer.refresh().await?;
        let read = computer.client.orders(at(0)).await;
        assert_eq!(
            read.map(|_| ()).map_err(|error| error.code()),
            Err(expected),
            "{what}"
        );
        mirror.serve(site.files()?);
        computer.index("app").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_thief_of_the_rollout_key_touches_nothing_else() -> Outcome {
    let site = Site::new()?;
    let anchor = site.anchor()?;
    let fake = site.files()?;
    let app = fake.keys().find(|path| path.starts_with("targets/app/")).cloned();
    let bytes = &fake[&app.ok_or("no index")?];
    let target = json!({ "length": bytes.len(), "hashes": { "sha256": Digest::of(bytes).to_string() } });
    // It lists everything, and delegates everything to itself.
    let greedy = |role: &mut Value| {
        for path in [
            "app/shell/index.json",
            "w/moult/notes/index.json",
            "w/moult/other/index.json",
        ] {
            role["targets"][path] = target.clone();
        }
        role["delegations"] = json!({ "keys": {}, "roles": [
            { "name": "app", "keyids": [], "threshold": 1, "terminating": true, "paths": ["app/*/index.json"] },
        ]});
    };
    let mirror = Mirror::serving(site.forge(&[("rollout", &greedy)])?);
    let mut computer = Computer::new(anchor, &mirror)?;
    for text in crate::support::SUBJECTS {
        assert_eq!(
            verdict(computer.newest(text).await),
            Ok("1.0.0".to_owned()),
            "{text}"
        );
    }
    assert_eq!(
        verdict(computer.newest("w/moult/other").await),
        Err(ErrorCode::IndexInvalid)
    );
    // The key alone, without those of snapshot and timestamp, gives no order at all.
    let mut files = site.files()?;
    let forged = site.forge(&[("rollout", &greedy)])?;
    files.insert(
        "metadata/1.rollout.json".to_owned(),
        forged["metadata/2.rollout.json"].clone(),
    );
    let mirror = Mirror::serving(files);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    computer.refresh().await?;
    let read = computer.client.orders(at(0)).await;
    assert_eq!(
        read.map(|_| ()).map_err(|error| error.code()),
        Err(MetadataInvalid)
    );
    Ok(())
}

#[tokio::test]
async fn older_orders_are_not_believed_again() -> Outcome {
    let site = Site::new()?;
    let mirror = Mirror::serving(site.files()?);
    let mut computer = Computer::new(site.anchor()?, &mirror)?;
    let before = site.files()?;
    give(&site, &orders([Act::Hold]))?;
    mirror.serve(site.files()?);
    computer.refresh().await?;
    computer.client.orders(at(0)).await?;
    for lost in [false, true] {
        if lost {
            std::fs::remove_dir_all(computer.directory().join("metadata"))?;
            computer.restart()?;
        }
        mirror.serve(before.clone());
        assert_eq!(
            computer.refresh().await.map_err(|error| error.code()).map(|_| ()),
            Err(ErrorCode::MetadataReplayed)
        );
    }
    // The key is replaced, and a new one goes on.
    site.replace_keys(&["rollout"])?;
    let mut editor = site.editor()?;
    add_release(&mut editor, "app", "1.1.0")?;
    editor.set_orders(&orders(all()))?;
    editor.commit(at(0))?;
    drop(editor);
    mirror.serve(site.files()?);
    assert_eq!(verdict(computer.newest("app").await), Ok("1.1.0".to_owned()));
    assert_eq!(*computer.client.orders(at(0)).await?, orders(all()));
    Ok(())
}
