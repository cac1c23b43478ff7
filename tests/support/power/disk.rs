//! A folder with all below it, as a value. Refuses to know how it came about.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What has a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A folder, with its mode.
    Folder(u32),
    /// A file, with its mode and its bytes.
    File(u32, Arc<Vec<u8>>),
    /// A link, with what it leads to.
    Link(String),
    /// A socket's name.
    Socket,
}

/// A folder with all below it, by their paths relative to it, with `/` between names. The folder itself
/// has the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disk {
    /// What is there.
    pub entries: BTreeMap<String, Entry>,
}

impl Disk {
    /// Reads a folder.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut disk = Self::default();
        disk.add(folder, "")?;
        Ok(disk)
    }

    fn add(&mut self, path: &Path, name: &str) -> io::Result<()> {
        let data = fs::symlink_metadata(path)?;
        let entry = if data.is_dir() {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let below = entry.file_name().to_string_lossy().into_owned();
                self.add(&entry.path(), &joined(name, &below))?;
            }
            Entry::Folder(mode_of(&data))
        } else if data.is_file() {
            Entry::File(mode_of(&data), Arc::new(fs::read(path)?))
        } else if data.is_symlink() {
            Entry::Link(fs::read_link(path)?.to_string_lossy().into_owned())
        } else {
            Entry::Socket
        };
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Writes it as a folder that is not there yet. Its parent is made.
    pub fn write(&self, to: &Path) -> io::Result<()> {
        let mut modes = Vec::new();
        // A folder's path comes before those of what is in it.
        for (name, entry) in &self.entries {
            let path = if name.is_empty() {
                to.to_owned()
            } else {
                to.join(name)
            };
            match entry {
                Entry::Folder(mode) => {
                    fs::create_dir_all(&path)?;
                    modes.push((path, *mode));
                }
                Entry::File(mode, bytes) => {
                    fs::write(&path, bytes.as_slice())?;
                    modes.push((path, *mode));
                }
                Entry::Link(target) => link(target, &path)?,
                Entry::Socket => socket(&path)?,
            }
        }
        // From within to without: a folder may not be writable by its mode.
        modes
            .iter()
            .rev()
            .try_for_each(|(path, mode)| set_mode(path, *mode))
    }

    /// The bytes of a file; `None` if there is none.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        match self.entries.get(path) {
            Some(Entry::File(_, bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// All bytes that files were seen to have, with a number for each.
#[derive(Debug, Default)]
pub(super) struct Contents {
    by_bytes: HashMap<Arc<Vec<u8>>, usize>,
    /// The same by where they are, which spares looking at them again. They stay there.
    by_place: HashMap<usize, (usize, Arc<Vec<u8>>)>,
}

impl Contents {
    /// The number of these bytes: equal bytes have one.
    pub(super) fn number(&mut self, bytes: &Arc<Vec<u8>>) -> usize {
        let place = Arc::as_ptr(bytes) as usize;
        if let Some((number, _)) = self.by_place.get(&place) {
            return *number;
        }
        let next = self.by_bytes.len();
        let number = *self.by_bytes.entry(bytes.clone()).or_insert(next);
        self.by_place.insert(place, (number, bytes.clone()));
        number
    }
}

pub(super) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(unix)]
fn mode_of(data: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    data.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A socket's name with nobody behind it, as a process that has gone leaves it.
#[cfg(unix)]
fn socket(path: &Path) -> io::Result<()> {
    std::os::unix::net::UnixListener::bind(path).map(drop)
}

#[cfg(not(unix))]
fn socket(_: &Path) -> io::Result<()> {
    Ok(())
}
