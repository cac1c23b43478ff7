//! An AppImage that is renewed, and what each death on the way leaves.
#![expect(clippy::unwrap_used, reason = "a test that can't set up its world has failed")]

use std::fs as std_fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use moult_durable::faults::{Action, Plan, arm, disarm, passed};

use super::*;

const OLD: &[u8] = b"#!/bin/sh\nexit 7\n";
const NAME: &str = "Moult \u{e4} 1.AppImage";

/// Starts, and says that it is the launcher, as an AppImage does that hands its arguments on to it.
const NEW: &[u8] = b"#!/bin/sh\n[ \"$1\" = --self-test ] && echo '{\"program\":\"moult-launcher\"}'\n";
/// Starts, and is something else.
const FOREIGN: &[u8] = b"#!/bin/sh\necho '{\"program\":\"another\"}'\n";

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join(NAME);
        std_fs::write(&image, OLD).unwrap();
        std_fs::set_permissions(&image, std_fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn image(&self) -> AppImage {
        image_in(self.folder.path())
    }
}

fn image_in(folder: &Path) -> AppImage {
    AppImage::at(&folder.join(NAME))
}

fn right(folder: &Path) -> WriteRight {
    WriteRight::take(&folder.join("data"), Duration::ZERO)
        .unwrap()
        .unwrap()
}

/// What Tauri's updater (2.14) does to the file that it is told: away with it, to a folder that is removed, and
/// the new bytes under its name. Of them `length` come to the disk; without a length not even the name does.
fn install(told: &Path, bytes: &[u8], length: Option<usize>) {
    let mode = std_fs::metadata(told).unwrap().permissions();
    let aside = tempfile::tempdir_in(told.parent().unwrap()).unwrap();
    std_fs::rename(told, aside.path().join("current_app.AppImage")).unwrap();
    if let Some(length) = length {
        std_fs::write(told, &bytes[..length]).unwrap();
        std_fs::set_permissions(told, mode).unwrap();
    }
}

/// A whole renewal, in the order of the application.
fn renew(folder: &Path, bytes: &[u8], length: Option<usize>) -> Result<Renewed, BootError> {
    let (image, right) = (image_in(folder), right(folder));
    let told = image.begin(&right)?;
    install(told, bytes, length);
    image.place(&right, Digest::of(bytes), &folder.join("data"))
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std_fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "data")
        .collect();
    names.sort();
    names
}

#[test]
fn a_new_one_takes_its_place_and_the_old_one_can_come_back() {
    let world = World::new();
    let folder = world.folder.path();
    assert_eq!(renew(folder, NEW, Some(NEW.len())).unwrap(), Renewed::Placed);
    let image = world.image();
    assert_eq!(std_fs::read(folder.join(NAME)).unwrap(), NEW);
    assert_eq!(std_fs::read(image.previous()).unwrap(), OLD);
    assert_eq!(mode_of(&folder.join(NAME)).unwrap(), 0o755);
    assert_eq!(files(folder), [format!(".{NAME}.previous"), NAME.to_owned()]);
    let right = right(folder);
    assert!(image.go_back(&right).unwrap());
    assert_eq!(std_fs::read(folder.join(NAME)).unwrap(), OLD);
    assert!(image.go_back(&right).unwrap(), "and forth");
    assert_eq!(std_fs::read(folder.join(NAME)).unwrap(), NEW);
}

#[test]
fn what_is_cut_off_changed_or_does_not_start_never_takes_its_place() {
    for (bytes, length, expected) in [
        (NEW, None, Renewed::Other),
        (NEW, Some(0), Renewed::Other),
        (NEW, Some(NEW.len() - 1), Renewed::Other),
        (FOREIGN, Some(FOREIGN.len()), Renewed::Failed),
        (OLD, Some(OLD.len()), Renewed::Placed),
    ] {
        let world = World::new();
        let folder = world.folder.path();
        assert_eq!(renew(folder, bytes, length).unwrap(), expected, "{length:?}");
        assert_eq!(std_fs::read(folder.join(NAME)).unwrap(), OLD);
        assert_eq!(files(folder), [NAME], "{length:?}");
    }
}

#[test]
fn one_that_can_not_be_tested_now_waits() {
    let world = World::new();
    let folder = world.folder.path();
    let (image, right) = (world.image(), right(folder));
    install(image.begin(&right).unwrap(), NEW, Some(NEW.len()));
    let digest = Digest::of(NEW);
    let waits = image.place_if(&right, digest, |_| Tested::NotNow).unwrap();
    assert_eq!(
        (waits, std_fs::read(folder.join(NAME)).unwrap()),
        (Renewed::NotNow, OLD.to_vec())
    );
    assert_eq!(
        image.place(&right, digest, &folder.join("data")).unwrap(),
        Renewed::Placed
    );
}

/// A death before each change of a file, and at each byte of what the installer writes.
#[test]
fn after_a_death_at_any_moment_a_whole_one_is_there_and_the_next_renewal_works() {
    let mut deaths = 0;
    let mut kinds = [0, 0];
    let lengths = (0..=NEW.len()).map(Some).chain([None]);
    for length in lengths {
        let world = World::new();
        let folder = world.folder.path();
        let copies = tempfile::tempdir().unwrap();
        let right = right(folder);
        arm(Plan {
            at: 0,
            action: Action::Snapshot {
                into: copies.path().to_owned(),
            },
            log: None,
            root: folder.to_owned(),
        })
        .unwrap();
        let image = world.image();
        install(image.begin(&right).unwrap(), NEW, length);
        image
            .place(&right, Digest::of(NEW), &folder.join("data"))
            .unwrap();
        let points = passed();
        disarm();
        assert!(
            points >= if length == Some(NEW.len()) { 8 } else { 2 },
            "{points} at {length:?}"
        );
        for point in 1..=points {
            let copy = copies.path().join(point.to_string());
            let found = std_fs::read(copy.join(NAME)).unwrap();
            assert!(found == OLD || found == NEW, "{length:?}, before change {point}");
            assert_eq!(mode_of(&copy.join(NAME)).unwrap(), 0o755);
            kinds[usize::from(found == NEW)] += 1;
            // The next start clears up; the next renewal is carried out.
            let image = image_in(&copy);
            image.clear().unwrap();
            assert_eq!(std_fs::read(copy.join(NAME)).unwrap(), found);
            assert_eq!(renew(&copy, NEW, Some(NEW.len())).unwrap(), Renewed::Placed);
            assert_eq!(std_fs::read(copy.join(NAME)).unwrap(), NEW);
            if found == NEW {
                assert_eq!(
                    std_fs::read(image.previous()).unwrap(),
                    OLD,
                    "{length:?}, {point}"
                );
            }
            deaths += 1;
        }
    }
    assert!(deaths > 100 && kinds[0] > 0 && kinds[1] > 0, "{deaths} {kinds:?}");
}
