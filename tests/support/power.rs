//! What a power cut can leave on a disk, from the record of the calls that changed it.
//!
//! The disk of the model promises little: the bytes and the mode of a file last when the file was synced,
//! a name lasts when its folder was synced, and of all else each may last or not. So it is harsher than
//! file systems with a journal. It refuses to know what the files mean: whether a disk is a good one is
//! for others to say.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use moult_durable::faults::{Call, Line};

use disk::Contents;
pub use disk::{Disk, Entry};
use model::Model;
use view::View;

#[path = "power/disk.rs"]
mod disk;
#[path = "power/model.rs"]
mod model;
#[path = "power/view.rs"]
mod view;

/// A disk as it was, and all that was then done to it.
#[derive(Debug)]
pub struct Recording {
    /// The disk before the first call.
    pub before: Disk,
    /// The calls, in their order.
    pub lines: Vec<Line>,
    /// The bytes of each write, by the number of its call.
    pub bytes: HashMap<u64, Vec<u8>>,
}

/// A disk that a power cut can leave.
#[derive(Debug)]
pub struct Cut {
    /// The power went after the call of this number, and before the next. 0: before the first. Where a
    /// disk can be left at several moments this is the earliest.
    pub after: u64,
    /// The latest of them.
    pub until: u64,
    /// What became of that which was not synced.
    pub what: String,
    /// What the next start finds.
    pub disk: Disk,
}

/// What becomes of a change that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fate {
    Kept,
    Dropped,
    /// The first half of the bytes is there; the file ends there if it was the end.
    Torn,
    /// The first half of the bytes is there, zeros in place of the others.
    Zeroed,
}

impl Recording {
    /// Reads what was recorded by `Action::Record { into }` with a log.
    pub fn read(log: &Path, into: &Path) -> io::Result<Self> {
        let mut recording = Self {
            before: Disk::read(&into.join("tree"))?,
            lines: Vec::new(),
            bytes: HashMap::new(),
        };
        for text in fs::read_to_string(log)?.lines() {
            let line: Line = serde_json::from_str(text)?;
            if line.call == Call::Write {
                let bytes = fs::read(into.join(line.n.to_string()))?;
                recording.bytes.insert(line.n, bytes);
            }
            recording.lines.push(line);
        }
        Ok(recording)
    }

    /// All disks that a power cut can leave after each of the calls, no two alike: everything that was not
    /// synced is kept; is dropped; each change alone is dropped, and alone is kept; each write is torn; and
    /// each two changes of the same name happen in the other order.
    ///
    /// Fails if the record is not complete, or if something was moved over the edge of the recorded folder.
    pub fn cuts(&self) -> io::Result<Vec<Cut>> {
        let mut model = Model::new(&self.before);
        let (mut seen, mut contents) = (HashMap::new(), Contents::default());
        let mut cuts: Vec<Cut> = Vec::new();
        let mut after = 0;
        let mut lines = self.lines.iter();
        loop {
            for (what, view) in views(&model) {
                let place = *seen.entry(view.key(&mut contents)).or_insert(cuts.len());
                match cuts.get_mut(place) {
                    Some(known) => known.until = after,
                    None => cuts.push(Cut {
                        after,
                        until: after,
                        what: what(),
                        disk: view.disk(),
                    }),
                }
            }
            let Some(line) = lines.next() else {
                return Ok(cuts);
            };
            let bytes = self.bytes.get(&line.n).map(Vec::as_slice);
            model.apply(line, bytes)?;
            after = line.n;
        }
    }
}

/// What the power can leave now, some of it alike, each with its words for it.
fn views(model: &Model) -> Vec<(impl Fn() -> String, View<'_>)> {
    let pending = model.pending();
    let count = pending.len();
    let view = |most: Fate, but: Option<(usize, Fate)>, swapped: Option<(usize, usize)>| {
        let mut fates = vec![most; count];
        let mut order: Vec<usize> = (0..count).collect();
        if let Some((at, fate)) = but {
            fates[at] = fate;
        }
        if let Some((one, other)) = swapped {
            order.swap(one, other);
        }
        model.view(&fates, &order)
    };
    let mut found = Vec::new();
    let mut add = |how: &'static str, change: Option<(usize, Fate)>, most: Fate, swapped| {
        let shown = change.map_or("", |(at, _)| pending[at].shown.as_str());
        found.push((move || format!("{how}{shown}"), view(most, change, swapped)));
    };
    add("all is kept", None, Fate::Kept, None);
    add("nothing unsynced is kept", None, Fate::Dropped, None);
    for (at, change) in pending.iter().enumerate() {
        add("all is kept but ", Some((at, Fate::Dropped)), Fate::Kept, None);
        add(
            "nothing unsynced is kept but ",
            Some((at, Fate::Kept)),
            Fate::Dropped,
            None,
        );
        if change.is_write() {
            add(
                "all is kept, cut short is ",
                Some((at, Fate::Torn)),
                Fate::Kept,
                None,
            );
            add(
                "all is kept, half zeros is ",
                Some((at, Fate::Zeroed)),
                Fate::Kept,
                None,
            );
        }
        for (later, other) in pending.iter().enumerate().skip(at + 1) {
            // In which order different names change makes no difference.
            if change.shares_a_name_with(other) {
                let swapped = Some((at, later));
                add(
                    "all is kept, too late is ",
                    Some((at, Fate::Kept)),
                    Fate::Kept,
                    swapped,
                );
            }
        }
    }
    found
}
