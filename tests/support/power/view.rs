//! What is there after a power cut, while it is not known yet whether anybody wants it. Refuses to know why
//! it is so.

use std::collections::BTreeMap;

use super::disk::{Contents, Disk, Entry, joined};
use super::model::{Name, Node, ROOT};

/// A disk by the numbers of its files and names: quick to make and to compare.
#[derive(Debug)]
pub(super) struct View<'a> {
    texts: &'a [String],
    names: BTreeMap<Name, Node>,
    nodes: Vec<Entry>,
}

/// What makes a disk differ from others of the same model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Vec<(Name, Node, u32, Option<usize>)>);

impl<'a> View<'a> {
    pub(super) fn new(texts: &'a [String], names: BTreeMap<Name, Node>, nodes: Vec<Entry>) -> Self {
        Self { texts, names, nodes }
    }

    /// Hands out each name that leads from the root to something, folders before what is in them: the
    /// folder's place in this order, the name, and what it names.
    fn walk(&self, mut visit: impl FnMut(usize, Name, Node)) {
        // A folder that was moved may be seen twice, and even within itself: there this ends.
        const DEEPEST: usize = 64;
        let mut folders = vec![(ROOT, 0, 0)];
        let mut place = 0;
        while let Some((folder, of, depth)) = folders.pop() {
            for (name, node) in self.names.range((folder, 0)..(folder + 1, 0)) {
                visit(of, *name, *node);
                place += 1;
                if matches!(self.nodes[*node], Entry::Folder(_)) && depth < DEEPEST {
                    folders.push((*node, place, depth + 1));
                }
            }
        }
    }

    pub(super) fn key(&self, contents: &mut Contents) -> Key {
        let marks = self.nodes.iter().map(|entry| match entry {
            Entry::Folder(mode) => (*mode, None),
            Entry::File(mode, bytes) => (*mode, Some(contents.number(bytes))),
            Entry::Link(_) | Entry::Socket => (0, None),
        });
        let marks: Vec<_> = marks.collect();
        let mut key = vec![((ROOT, 0), ROOT, marks[ROOT].0, None)];
        self.walk(|_, name, node| key.push((name, node, marks[node].0, marks[node].1)));
        Key(key)
    }

    pub(super) fn disk(&self) -> Disk {
        let mut paths = vec![String::new()];
        let mut disk = Disk::default();
        disk.entries.insert(String::new(), self.nodes[ROOT].clone());
        self.walk(|folder, (_, name), node| {
            let path = joined(&paths[folder], &self.texts[name]);
            disk.entries.insert(path.clone(), self.nodes[node].clone());
            paths.push(path);
        });
        disk
    }
}
