//! The model of a disk whose power goes: what it must find, and what it must not.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeSet, HashMap};
use std::fs as disk;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use moult_durable::faults::{self, Action, Call, Line, Plan};
use moult_durable::{TwoCopy, create_dir_all, fs, write_atomic};
use moult_tests::power::{Cut, Disk, Entry, Recording};

/// A record that was written by hand.
#[derive(Default)]
struct Hand {
    lines: Vec<Line>,
    bytes: HashMap<u64, Vec<u8>>,
}

impl Hand {
    fn call(mut self, call: Call, path: &str) -> Self {
        self.lines.push(Line {
            n: self.lines.len() as u64 + 1,
            call,
            path: path.to_owned(),
            to: None,
            ordinal: 0,
            length: None,
            sha256: None,
            thread: "main".to_owned(),
            raw: path.to_owned(),
            raw_to: None,
            offset: None,
            opened_at: None,
            mode: None,
        });
        self
    }

    fn to(mut self, to: &str) -> Self {
        if let Some(line) = self.lines.last_mut() {
            line.raw_to = Some(to.to_owned());
        }
        self
    }

    fn write(self, path: &str, offset: u64, bytes: &[u8]) -> Self {
        let mut written = self.call(Call::Write, path);
        if let Some(line) = written.lines.last_mut() {
            line.offset = Some(offset);
        }
        written.bytes.insert(written.lines.len() as u64, bytes.to_vec());
        written
    }

    /// The cuts of a disk on which `file` held `old`, beside the folder `below`.
    fn cuts(self) -> Vec<Cut> {
        let mut before = Disk::default();
        before.entries.insert(String::new(), Entry::Folder(0o755));
        before.entries.insert("below".to_owned(), Entry::Folder(0o755));
        let old = Entry::File(0o644, b"old".to_vec().into());
        before.entries.insert("file".to_owned(), old);
        let recording = Recording {
            before,
            lines: self.lines,
            bytes: self.bytes,
        };
        recording.cuts().expect("the record is complete")
    }
}

/// What a file is found to hold after some power cut, `-` for none; after the last call alone if `last`.
fn found(cuts: &[Cut], path: &str, last: bool) -> BTreeSet<String> {
    let end = cuts.iter().map(|cut| cut.until).max();
    let cuts = cuts.iter().filter(|cut| !last || Some(cut.until) == end);
    let bytes = cuts.map(|cut| cut.disk.file(path));
    bytes
        .map(|bytes| bytes.map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into_owned()))
        .collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What `write_atomic` does, with each step that is told.
fn replaced(sync: bool, sync_folder: bool) -> Vec<Cut> {
    let mut hand = Hand::default().call(Call::Create, "new").write("new", 0, b"next");
    if sync {
        hand = hand.call(Call::Sync, "new");
    }
    hand = hand.call(Call::Rename, "new").to("file");
    if sync_folder {
        hand = hand.call(Call::SyncFolder, "");
    }
    hand.cuts()
}

#[test]
fn a_missing_sync_of_the_file_is_found() {
    let cuts = replaced(false, true);
    assert_eq!(
        found(&cuts, "file", false),
        set(&["old", "next", "", "ne", "ne\0\0"])
    );
    let cuts = replaced(true, true);
    assert_eq!(found(&cuts, "file", false), set(&["old", "next"]));
}

#[test]
fn a_missing_sync_of_the_folder_is_found() {
    assert_eq!(found(&replaced(true, false), "file", true), set(&["old", "next"]));
    assert_eq!(found(&replaced(true, true), "file", true), set(&["next"]));
}

#[test]
fn a_file_that_moves_is_gone_if_the_folder_it_left_is_synced_first() {
    let moved = |first: &str, second: &str| {
        let hand = Hand::default().call(Call::Rename, "file").to("below/file");
        let hand = hand.call(Call::SyncFolder, first).call(Call::SyncFolder, second);
        hand.cuts()
    };
    let lost = |cuts: &[Cut]| {
        let nowhere = |cut: &&Cut| cut.disk.file("file").is_none() && cut.disk.file("below/file").is_none();
        cuts.iter().filter(nowhere).count()
    };
    assert_eq!(lost(&moved("below", "")), 0);
    assert_eq!(lost(&moved("", "below")), 1);
}

#[test]
fn a_new_folder_takes_its_files_along_unless_its_parent_is_synced() {
    let made = |sync: bool| {
        let hand = Hand::default().call(Call::MakeFolder, "folder");
        let hand = if sync {
            hand.call(Call::SyncFolder, "")
        } else {
            hand
        };
        let hand = hand.call(Call::Create, "folder/kept");
        hand.call(Call::SyncFolder, "folder").cuts()
    };
    assert_eq!(found(&made(false), "folder/kept", true), set(&["-", ""]));
    assert_eq!(found(&made(true), "folder/kept", true), set(&[""]));
}

#[test]
fn names_that_change_unsynced_may_change_in_the_other_order() {
    let hand = Hand::default();
    let hand = hand
        .call(Call::Create, "a")
        .write("a", 0, b"A")
        .call(Call::Sync, "a");
    let hand = hand
        .call(Call::Create, "b")
        .write("b", 0, b"B")
        .call(Call::Sync, "b");
    let hand = hand.call(Call::SyncFolder, "");
    let hand = hand.call(Call::Rename, "a").to("file");
    let cuts = hand.call(Call::Rename, "b").to("file").cuts();
    let swapped = |cut: &&Cut| {
        let files = ["file", "a", "b"].map(|name| cut.disk.file(name));
        files == [Some(&b"A"[..]), None, None]
    };
    assert_eq!(cuts.iter().filter(swapped).count(), 1);
}

#[test]
fn bytes_that_were_cut_off_may_come_back_and_modes_last_with_a_sync() {
    let mut hand = Hand::default().call(Call::OpenOrCreate, "file");
    hand = hand.call(Call::SetLength, "file");
    hand.lines[1].length = Some(1);
    hand = hand.call(Call::SetMode, "file");
    hand.lines[2].mode = Some(0o755);
    let cuts = hand.call(Call::Sync, "file").cuts();
    assert_eq!(found(&cuts, "file", false), set(&["old", "o"]));
    let modes = |last: bool| -> BTreeSet<u32> {
        let at_end = |cut: &&Cut| !last || cut.until == 4;
        let modes = cuts
            .iter()
            .filter(at_end)
            .map(|cut| match cut.disk.entries["file"] {
                Entry::File(mode, _) => mode,
                _ => 0,
            });
        modes.collect()
    };
    assert_eq!(modes(false), [0o644, 0o755].into());
    assert_eq!(modes(true), [0o755].into());
}

#[test]
fn no_two_disks_are_alike() {
    let hand = Hand::default()
        .call(Call::OpenOrCreate, "file")
        .call(Call::Sync, "file");
    let cuts = hand.call(Call::SyncFolder, "").cuts();
    assert_eq!(cuts.len(), 1, "nothing has changed");
}

#[test]
fn a_record_without_its_bytes_is_refused() {
    let mut hand = Hand::default().call(Call::Create, "a").write("a", 0, b"A");
    hand.bytes.clear();
    let recording = Recording {
        before: Disk::default(),
        lines: hand.lines,
        bytes: hand.bytes,
    };
    assert!(recording.cuts().is_err());
}

/// Points are counted for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn recorded(root: &Path, work: impl FnOnce()) -> Recording {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, into) = (folder.path().join("log"), folder.path().join("into"));
    let plan = Plan {
        at: 0,
        action: Action::Record { into: into.clone() },
        log: Some(log.clone()),
        root: root.to_owned(),
    };
    faults::arm(plan).expect("the log can be written");
    work();
    faults::disarm();
    Recording::read(&log, &into).expect("the record is complete")
}

#[test]
fn the_last_disk_without_a_power_cut_is_the_real_one() {
    let _alone = alone();
    let root = tempfile::tempdir().expect("a folder");
    let at = |name: &str| root.path().join(name);
    disk::write(at("before"), "before").expect("a file");
    let recording = recorded(root.path(), || {
        create_dir_all(&at("a/b")).expect("folders");
        write_atomic(&at("a/one"), b"one").expect("a file");
        fs::link(&at("a/one"), &at("a/two")).expect("a link");
        write_atomic(&at("a/one"), b"another").expect("a file");
        let _ = fs::exchange(&at("a/two"), &at("before"));
        moult_durable::rename(&at("a/one"), &at("a/b/one")).expect("a rename");
        moult_durable::rename(&at("a/b"), &at("b")).expect("a rename");
        let file = fs::open_or_create(&at("b/one")).expect("a file");
        file.set_length(5).expect("a length");
        fs::set_mode(&at("b/one"), 0o700).expect("a mode");
        let _ = fs::make_folder(&at("b"));
        let _ = fs::remove_file(&at("nothing"));
        fs::remove_tree(&at("a")).expect("a removal");
        fs::bind(&at("b/socket")).expect("a socket");
    });
    let cuts = recording.cuts().expect("the record is complete");
    let end = cuts
        .iter()
        .rfind(|cut| cut.what == "all is kept")
        .expect("the end");
    let real = Disk::read(root.path()).expect("a disk");
    assert_eq!(shown(&end.disk), shown(&real));

    let copy = tempfile::tempdir().expect("a folder");
    real.write(&copy.path().join("copy")).expect("a copy");
    assert_eq!(Disk::read(&copy.path().join("copy")).expect("a disk"), real);
}

/// The names and bytes; modes depend on who runs this.
fn shown(disk: &Disk) -> Vec<(String, String)> {
    let entry = |entry: &Entry| match entry {
        Entry::File(_, bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        Entry::Folder(_) => "folder".to_owned(),
        Entry::Link(target) => target.clone(),
        Entry::Socket => "socket".to_owned(),
    };
    let entries = disk.entries.iter();
    entries.map(|(path, what)| (path.clone(), entry(what))).collect()
}

#[test]
fn no_power_cut_costs_a_record_more_than_its_last_value() {
    let _alone = alone();
    let root = tempfile::tempdir().expect("a folder");
    let record = TwoCopy::<u32>::new(root.path(), "state");
    record.store(&0).expect("a value");
    let recording = recorded(root.path(), || {
        for value in 1..=3 {
            record.store(&value).expect("a value");
        }
    });
    let mut values = BTreeSet::new();
    for cut in recording.cuts().expect("the record is complete") {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("disk");
        cut.disk.write(&place).expect("a disk");
        let found = TwoCopy::<u32>::new(&place, "state").load();
        let found = found.unwrap_or_else(|error| panic!("after {}, {}: {error}", cut.after, cut.what));
        // A store is 5 calls; when it has returned, its value lasts.
        let least = u32::try_from(cut.until / 5).expect("a small number");
        let value = found.expect("a value");
        let most = u32::try_from(cut.after / 5).expect("a small number") + 1;
        let when = format!("after {} to {}, {}", cut.after, cut.until, cut.what);
        assert!((least..=most).contains(&value), "{when}: {value}");
        values.insert(value);
    }
    assert_eq!(values, (0..=3).collect());
}
