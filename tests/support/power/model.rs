//! The disk while it is changed: what lasts for sure, and what is still on its way. Refuses to choose what
//! becomes of the latter.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use moult_durable::faults::{Call, Line};

use super::Fate;
use super::disk::{Disk, Entry};
use super::view::View;

/// The number of a file or folder, however many names it has.
pub(super) type Node = usize;
/// The root's number.
pub(super) const ROOT: Node = 0;
/// The modes that new files and folders get.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

/// A name in a folder, by its number.
pub(super) type Name = (Node, usize);

/// A change that may be lost when the power goes.
#[derive(Debug)]
pub(super) struct Pending {
    /// No other change ever has it.
    number: u64,
    pub(super) shown: String,
    change: Change,
}

#[derive(Debug)]
enum Change {
    /// Names that come to mean something else, or nothing. They change together, but each lasts when its
    /// own folder is synced.
    Names(Vec<(Name, Option<Node>)>),
    Write(Node, u64, Arc<Vec<u8>>),
    Length(Node, u64),
    Mode(Node, u32),
}

impl Pending {
    pub(super) fn is_write(&self) -> bool {
        matches!(self.change, Change::Write(..))
    }

    /// Whether both change what one and the same name means.
    pub(super) fn shares_a_name_with(&self, other: &Self) -> bool {
        match (&self.change, &other.change) {
            (Change::Names(one), Change::Names(other)) => one
                .iter()
                .any(|(name, _)| other.iter().any(|(known, _)| known == name)),
            _ => false,
        }
    }
}

/// The disk.
#[derive(Debug)]
pub(super) struct Model {
    /// What lasts of each file and folder.
    nodes: Vec<Entry>,
    /// The names that last, and those that are seen now.
    lasting: BTreeMap<Name, Node>,
    seen: BTreeMap<Name, Node>,
    /// The files by the number of the call that opened them.
    opened: HashMap<u64, Node>,
    pending: Vec<Pending>,
    /// The texts of names, and their numbers.
    texts: Vec<String>,
    numbers: HashMap<String, usize>,
    /// How many changes there were.
    changes: u64,
    /// What files became by the changes of these numbers.
    known: RefCell<HashMap<Vec<(u64, Fate)>, Entry>>,
}

impl Model {
    pub(super) fn new(before: &Disk) -> Self {
        let mut model = Self {
            nodes: vec![Entry::Folder(FOLDER_MODE)],
            lasting: BTreeMap::new(),
            seen: BTreeMap::new(),
            opened: HashMap::new(),
            pending: Vec::new(),
            texts: Vec::new(),
            numbers: HashMap::new(),
            changes: 0,
            known: RefCell::default(),
        };
        for (path, entry) in &before.entries {
            if path.is_empty() {
                model.nodes[ROOT] = entry.clone();
            } else if let Some(name) = model.name(path) {
                let node = model.add(entry.clone());
                model.lasting.insert(name, node);
                model.seen.insert(name, node);
            }
        }
        model
    }

    pub(super) fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Plays a call. One that would fail changes nothing.
    pub(super) fn apply(&mut self, line: &Line, bytes: Option<&[u8]>) -> io::Result<()> {
        let incomplete = |what: &str| io::Error::other(format!("call {}: {what}: {line:?}", line.n));
        let shown = format!("{:?} of {}", line.call, line.path);
        let to = || line.raw_to.as_deref().ok_or_else(|| incomplete("no second name"));
        let found = self.find(&line.raw);
        let opened = line
            .opened_at
            .and_then(|number| self.opened.get(&number).copied());
        match line.call {
            Call::Create | Call::OpenOrCreate | Call::Append => {
                let Some(name) = self.name(&line.raw) else {
                    return Ok(());
                };
                let node = if let Some(node) = found {
                    if line.call == Call::Create {
                        self.push(shown, Change::Length(node, 0));
                    }
                    node
                } else {
                    let mode = line.mode.unwrap_or(FILE_MODE);
                    let node = self.add(Entry::File(mode, Arc::default()));
                    self.rename(shown, vec![(name, Some(node))]);
                    node
                };
                self.opened.insert(line.n, node);
            }
            Call::Write => {
                let node = opened.or(found).ok_or_else(|| incomplete("no such file"))?;
                let bytes = bytes.ok_or_else(|| incomplete("no bytes"))?.to_vec();
                let offset = line.offset.ok_or_else(|| incomplete("no offset"))?;
                self.push(shown, Change::Write(node, offset, Arc::new(bytes)));
            }
            Call::SetLength => {
                let node = opened.or(found).ok_or_else(|| incomplete("no such file"))?;
                let length = line.length.ok_or_else(|| incomplete("no length"))?;
                self.push(shown, Change::Length(node, length));
            }
            Call::SetMode => {
                let mode = line.mode.ok_or_else(|| incomplete("no mode"))?;
                if let Some(node) = opened.or(found) {
                    self.push(shown, Change::Mode(node, mode & 0o7777));
                }
            }
            Call::Sync => {
                let node = opened.or(found).ok_or_else(|| incomplete("no such file"))?;
                self.sync(node);
            }
            Call::SyncFolder => {
                let node = found.ok_or_else(|| incomplete("no such folder"))?;
                self.sync(node);
            }
            Call::Rename | Call::Exchange | Call::Link => {
                let (from, to) = (self.name(&line.raw), self.name(to()?));
                let (Some(from), Some(to)) = (from, to) else {
                    return Err(incomplete("over the edge of what was recorded"));
                };
                let (Some(node), other) = (found, self.seen.get(&to).copied()) else {
                    return Ok(());
                };
                let names = match (line.call, other) {
                    (Call::Rename, Some(other)) if other == node => return Ok(()),
                    (Call::Rename, _) => vec![(to, Some(node)), (from, None)],
                    (Call::Exchange, Some(other)) => vec![(from, Some(other)), (to, Some(node))],
                    (Call::Link, None) => vec![(to, Some(node))],
                    _ => return Ok(()),
                };
                self.rename(shown, names);
            }
            Call::RemoveFile | Call::RemoveFolder => {
                let name = self.name(&line.raw);
                let empty = found.is_some_and(|node| !self.seen.keys().any(|(folder, _)| *folder == node));
                if let Some(name) = name.filter(|_| empty) {
                    self.rename(shown, vec![(name, None)]);
                }
            }
            Call::MakeFolder | Call::Bind => {
                if let (None, Some(name)) = (found, self.name(&line.raw)) {
                    let node = self.add(match line.call {
                        Call::Bind => Entry::Socket,
                        _ => Entry::Folder(FOLDER_MODE),
                    });
                    self.rename(shown, vec![(name, Some(node))]);
                }
            }
        }
        self.prune();
        Ok(())
    }

    fn add(&mut self, entry: Entry) -> Node {
        self.nodes.push(entry);
        self.nodes.len() - 1
    }

    fn push(&mut self, shown: String, change: Change) {
        self.changes += 1;
        self.pending.push(Pending {
            number: self.changes,
            shown,
            change,
        });
    }

    fn rename(&mut self, shown: String, names: Vec<(Name, Option<Node>)>) {
        for (name, node) in &names {
            set(&mut self.seen, *name, *node);
        }
        self.push(shown, Change::Names(names));
    }

    /// The folder and name of a path, if the folder is seen.
    fn name(&mut self, path: &str) -> Option<Name> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.find(folder).filter(|_| !name.is_empty())?;
        let next = self.texts.len();
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.texts.push(name.to_owned());
        }
        Some((folder, number))
    }

    /// What is seen at a path.
    fn find(&self, path: &str) -> Option<Node> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(ROOT, |folder, name| {
            let number = *self.numbers.get(name)?;
            self.seen.get(&(folder, number)).copied()
        })
    }

    /// Makes what is pending of a file or folder last.
    fn sync(&mut self, synced: Node) {
        self.pending.retain_mut(|pending| match &mut pending.change {
            Change::Names(names) => {
                names.retain(|(name, node)| {
                    let is_here = name.0 == synced;
                    if is_here {
                        set(&mut self.lasting, *name, *node);
                    }
                    !is_here
                });
                !names.is_empty()
            }
            Change::Write(node, ..) | Change::Length(node, _) | Change::Mode(node, _) => {
                let is_here = *node == synced;
                if is_here {
                    apply_to(&mut self.nodes[synced], &pending.change, Fate::Kept);
                }
                !is_here
            }
        });
    }

    /// Forgets what is on its way to files that have lost all their names.
    fn prune(&mut self) {
        let mut named: BTreeSet<Node> = self.lasting.values().chain(self.seen.values()).copied().collect();
        named.insert(ROOT);
        for pending in &self.pending {
            if let Change::Names(names) = &pending.change {
                named.extend(names.iter().filter_map(|(_, node)| *node));
            }
        }
        self.pending.retain(|pending| match &pending.change {
            Change::Names(_) => true,
            Change::Write(node, ..) | Change::Length(node, _) | Change::Mode(node, _) => named.contains(node),
        });
    }

    /// What is there if each pending change meets its fate, and they happen in this order.
    pub(super) fn view(&self, fates: &[Fate], order: &[usize]) -> View<'_> {
        let mut names = self.lasting.clone();
        let mut changed: BTreeMap<Node, Vec<(usize, Fate)>> = BTreeMap::new();
        for &at in order.iter().filter(|at| fates[**at] != Fate::Dropped) {
            match &self.pending[at].change {
                Change::Names(new) => new.iter().for_each(|(name, node)| set(&mut names, *name, *node)),
                Change::Write(node, ..) | Change::Length(node, _) | Change::Mode(node, _) => {
                    changed.entry(*node).or_default().push((at, fates[at]));
                }
            }
        }
        let mut nodes = self.nodes.clone();
        for (node, changes) in changed {
            nodes[node] = self.changed(node, &changes);
        }
        View::new(&self.texts, names, nodes)
    }

    /// A file or folder after these changes. Large files are changed alike again and again, so what came
    /// out is kept; a change has one number for ever, and what lasts has none of the later ones in it.
    fn changed(&self, node: Node, changes: &[(usize, Fate)]) -> Entry {
        let known = changes.iter().map(|(at, fate)| (self.pending[*at].number, *fate));
        let known: Vec<_> = known.collect();
        if let Some(entry) = self.known.borrow().get(&known) {
            return entry.clone();
        }
        let mut entry = self.nodes[node].clone();
        for (at, fate) in changes {
            apply_to(&mut entry, &self.pending[*at].change, *fate);
        }
        self.known.borrow_mut().insert(known, entry.clone());
        entry
    }
}

fn set(names: &mut BTreeMap<Name, Node>, name: Name, node: Option<Node>) {
    match node {
        Some(node) => names.insert(name, node),
        None => names.remove(&name),
    };
}

/// Changes the bytes or the mode of a file or folder.
fn apply_to(entry: &mut Entry, change: &Change, fate: Fate) {
    match (entry, change) {
        (Entry::File(mode, _) | Entry::Folder(mode), Change::Mode(_, new)) => *mode = *new,
        (Entry::File(_, bytes), Change::Length(_, length)) => {
            Arc::make_mut(bytes).resize(*length as usize, 0);
        }
        (Entry::File(_, bytes), Change::Write(_, offset, new)) => {
            let bytes = Arc::make_mut(bytes);
            let half = new.len() / 2;
            let start = *offset as usize;
            let end = start + if fate == Fate::Torn { half } else { new.len() };
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            let written = if fate == Fate::Kept { new.len() } else { half };
            bytes[start..start + written].copy_from_slice(&new[..written]);
            bytes[start + written..end].fill(0);
        }
        _ => {}
    }
}
