//! What a rescue brings back, and what it refuses.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use moult_boot::WriteRight;
use moult_durable::faults::{Action, Plan, arm, disarm, passed};
use moult_model::Digest;
use moult_rescue::RescueError;
use moult_trust::sign::Keys;

use crate::publisher::{Publisher, application};
use crate::world::{World, damage};

#[test]
fn a_damaged_package_and_a_damaged_slot_give_way_to_a_good_version_that_starts() {
    let mut world = World::new(&["1.0.0", "1.1.0", "1.2.0"]);
    let slot = world.update_to("1.1.0");
    world.ban("1.2.0");
    damage(&world.packaged());
    damage(&world.slot_file(&slot));
    let (code, started) = world.launch();
    assert_ne!(code, 0, "nothing starts");
    assert!(started.is_empty(), "{started:?}");

    let rescued = world.rescue().unwrap();
    assert_eq!(
        rescued.version.to_string(),
        "1.1.0",
        "the highest that is not banned"
    );
    assert!(rescued.on_trial);
    assert_eq!(world.launch(), (0, vec!["1.1.0".to_owned()]));
}

#[test]
fn the_launcher_starts_the_rescue_and_then_what_it_brought() {
    let mut world = World::new(&["1.0.0", "1.1.0", "1.2.0"]);
    world.install_rescue();
    let slot = world.update_to("1.1.0");
    world.ban("1.2.0");
    damage(&world.packaged());
    damage(&world.slot_file(&slot));
    assert_eq!(world.launch(), (0, vec!["1.1.0".to_owned()]));
    // From here on it is a version like any other.
    assert_eq!(world.launch(), (0, vec!["1.1.0".to_owned()]));
    // With nobody to ask, the launcher says so and ends.
    world.server.go_dark();
    for slot in world.store().state().unwrap().slots {
        if !slot.name.is_base() {
            damage(&world.slot_file(&slot.name));
        }
    }
    let (code, started) = world.launch();
    assert!(code != 0 && started.is_empty(), "{code} {started:?}");
}

#[test]
fn a_missing_package_and_an_unreadable_state_are_no_hindrance() {
    let mut world = World::new(&["1.1.0"]);
    world.update_to("1.1.0");
    for copy in ["state.a", "state.b"] {
        fs::write(world.config.data.join(copy), "torn").unwrap();
    }
    fs::remove_file(world.packaged()).unwrap();
    assert_eq!(world.outcome(), Ok("1.1.0".to_owned()));
}

#[test]
fn the_current_version_with_a_damaged_file_is_put_right_without_a_trial() {
    let mut world = World::new(&["1.1.0"]);
    let slot = world.update_to("1.1.0");
    damage(&world.slot_file(&slot));
    let rescued = world.rescue().unwrap();
    assert!(!rescued.on_trial);
    assert_eq!(fs::read(world.slot_file(&slot)).unwrap(), application("1.1.0"));
    assert_eq!(world.launch(), (0, vec!["1.1.0".to_owned()]));
}

#[test]
fn what_failed_is_banned_unsigned_signed_by_another_or_damaged_gives_way_to_a_lower_one() {
    type Fault = fn(&mut World);
    let table: [(&str, Fault); 5] = [
        ("it failed", |world| {
            world.publisher.release("1.2.0", |_| {});
            world.config.failed.push(Digest::of(&application("1.2.0")));
        }),
        ("it is banned", |world| {
            world.publisher.release("1.2.0", |_| {});
            world.ban("1.2.0");
        }),
        ("it is not signed", |world| {
            world
                .publisher
                .release("1.2.0", |release| release.signature = None);
        }),
        ("another signed it", |world| {
            let stranger = Keys::create(&world.folder().join("stranger")).unwrap();
            let signature =
                stranger.sign_artifact(&application("1.2.0"), &"1.2.0".parse().unwrap(), "moult-app");
            world
                .publisher
                .release("1.2.0", |release| release.signature = Some(signature.unwrap()));
        }),
        ("its bytes are others", |world| {
            let mut path = String::new();
            world
                .publisher
                .release("1.2.0", |release| path.clone_from(&release.full.path));
            world.server.spoil(&path);
        }),
    ];
    for (name, fault) in table {
        let mut world = World::new(&["1.1.0"]);
        fault(&mut world);
        assert_eq!(world.outcome(), Ok("1.1.0".to_owned()), "{name}");
        assert_eq!(world.launch(), (0, vec!["1.1.0".to_owned()]), "{name}");
    }
}

#[test]
fn if_nothing_good_is_left_nothing_is_installed_and_nothing_is_lost() {
    let mut world = World::new(&["1.1.0"]);
    world.config.failed.push(Digest::of(&application("1.1.0")));
    assert_eq!(world.outcome(), Err(4));
    assert_eq!(world.store().state().unwrap().slots.len(), 1, "base alone");
    assert_eq!(world.launch(), (0, vec!["1.0.0".to_owned()]));
}

#[test]
fn a_repository_of_yesterday_is_refused() {
    let mut world = World::new(&["1.1.0"]);
    let yesterday = world.folder().join("yesterday");
    copy_tree(&world.publisher.repository(), &yesterday);
    world.publisher.release("1.2.0", |_| {});
    assert_eq!(world.outcome(), Ok("1.2.0".to_owned()));
    world.server.serve(&yesterday);
    assert!(matches!(
        world.rescue(),
        Err(RescueError::Trust { source, .. }) if source.code() == moult_model::ErrorCode::MetadataReplayed
    ));
    assert_eq!(world.outcome(), Err(4));
}

#[test]
fn a_repository_of_somebody_else_is_refused() {
    let mut world = World::new(&["1.1.0"]);
    let stranger = World::new(&["9.0.0"]);
    world.config.repositories = vec![stranger.server.url().to_owned()];
    assert_eq!(world.outcome(), Err(4));
    assert_eq!(world.store().state().unwrap().slots.len(), 1);
}

#[test]
fn without_a_network_it_says_so_and_the_next_repository_is_asked() {
    let mut world = World::new(&["1.1.0"]);
    let good = world.config.repositories[0].clone();
    world.config.repositories.clear();
    assert!(matches!(world.rescue(), Err(RescueError::NoRepository)));
    world.config.repositories = vec!["http://127.0.0.1:1/".to_owned(), good];
    assert_eq!(world.outcome(), Ok("1.1.0".to_owned()));
    world.server.go_dark();
    assert_eq!(world.outcome(), Err(3));
}

#[test]
fn a_second_try_waits_a_minute_but_only_if_the_first_reached_the_repository() {
    let mut world = World::new(&["1.1.0"]);
    let good = std::mem::replace(
        &mut world.config.repositories,
        vec!["http://127.0.0.1:1/".to_owned()],
    );
    assert_eq!(world.outcome(), Err(3));
    world.config.repositories = good;
    world.rescue_at_once().unwrap();
    assert!(matches!(world.rescue_at_once(), Err(RescueError::TooSoon { .. })));
    assert!(world.rescue().is_ok());
}

#[test]
fn while_somebody_else_may_write_nothing_is_touched() {
    let mut world = World::new(&["1.1.0"]);
    let right = WriteRight::take(&world.config.data, Duration::ZERO)
        .unwrap()
        .unwrap();
    assert!(matches!(world.rescue(), Err(RescueError::Running)));
    assert!(!world.config.data.join("trust").exists());
    drop(right);
    assert_eq!(world.outcome(), Ok("1.1.0".to_owned()));
}

/// A copy of the data folder before each change of a file stands for a kill right there: the next rescue
/// brings the version all the same, and it starts.
#[test]
fn after_a_death_at_any_moment_the_next_rescue_succeeds() {
    let mut world = World::new(&["1.1.0"]);
    fs::create_dir(&world.config.data).unwrap();
    let copies = tempfile::tempdir().unwrap();
    let plan = Plan {
        at: 0,
        action: Action::Snapshot {
            into: copies.path().to_owned(),
        },
        log: None,
        root: world.config.data.clone(),
    };
    arm(plan).unwrap();
    world.rescue().unwrap();
    let points = passed();
    disarm();
    assert!(points > 30, "{points} points");
    for point in 1..=points {
        world.config.data = copies.path().join(point.to_string());
        assert_eq!(world.outcome(), Ok("1.1.0".to_owned()), "before change {point}");
        assert_eq!(world.launch().1, ["1.1.0"], "before change {point}");
    }
}

/// At each change of a file in turn the disk becomes full: the rescue says so or gets by, and the next one
/// succeeds.
#[test]
fn a_disk_that_becomes_full_at_any_moment_is_named_and_harms_nothing() {
    const DISK_IS_FULL: i32 = 28;
    let plan = |world: &World, at, action| Plan {
        at,
        action,
        log: None,
        root: world.config.data.clone(),
    };
    let publisher = Rc::new(Publisher::of(&["1.1.0"]));
    let mut world = World::of(publisher.clone());
    arm(plan(&world, 0, Action::Nothing)).unwrap();
    world.rescue().unwrap();
    let points = passed();
    disarm();
    assert!(points > 30, "{points} points");
    for at in 1..=points {
        let mut world = World::of(publisher.clone());
        let fail = Action::Fail {
            errno: DISK_IS_FULL,
            sticky: true,
        };
        arm(plan(&world, at, fail)).unwrap();
        let outcome = world.outcome();
        disarm();
        assert!(
            matches!(outcome, Ok(_) | Err(5)),
            "at {at} of {points}: {outcome:?}"
        );
        assert_eq!(world.outcome(), Ok("1.1.0".to_owned()), "after {at} of {points}");
        assert_eq!(world.launch().1, ["1.1.0"], "after {at} of {points}");
    }
}

fn copy_tree(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
