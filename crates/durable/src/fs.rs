//! The one place that changes files. Each function is one system call, and each is a point at which a
//! test can stop the process or let the call fail ([`faults`](crate::faults)).
//!
//! Reading is not here: it changes nothing. This module refuses to know what is written, and does not
//! make anything last by itself: who needs that calls [`File::sync`] and [`sync_folder`], or uses
//! [`write_atomic`](crate::write_atomic), which does so in the right order.

use std::fs::{self, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::points::{self, Call, Point};

/// A file that is open for writing.
#[derive(Debug)]
pub struct File {
    inner: fs::File,
    path: PathBuf,
    opened_at: u64,
    at_end: bool,
}

/// Makes a file that must not be there, not even as a link.
pub fn create_new(path: &Path) -> io::Result<File> {
    open(
        Call::Create,
        path,
        OpenOptions::new().write(true).create_new(true),
    )
}

/// Makes a file that must not be there, with this mode from the start. Systems without modes ignore it.
pub fn create_new_with_mode(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    open_at(Point::new(Call::Create, path).mode(mode), path, &options)
}

/// Makes a file, or opens one and drops its bytes.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open(
        Call::Create,
        path,
        options.write(true).create(true).truncate(true),
    )
}

/// Opens a file for reading and writing with the bytes it has, or makes an empty one.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open(Call::OpenOrCreate, path, &options)
}

/// Opens a file whose writes all go to its end, or makes an empty one.
pub fn append(path: &Path) -> io::Result<File> {
    let mut file = open(Call::Append, path, OpenOptions::new().append(true).create(true))?;
    file.at_end = true;
    Ok(file)
}

fn open(call: Call, path: &Path, options: &OpenOptions) -> io::Result<File> {
    open_at(Point::new(call, path), path, options)
}

fn open_at(point: Point<'_>, path: &Path, options: &OpenOptions) -> io::Result<File> {
    let opened_at = point.pass()?;
    Ok(File {
        inner: options.open(path)?,
        path: path.to_owned(),
        opened_at,
        at_end: false,
    })
}

/// Renames a file or folder within one volume. A file of the new name is replaced; at no moment is there
/// none.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    Point::new(Call::Rename, from).to(to).pass()?;
    fs::rename(from, to)
}

/// Lets two names change places, in one step. Fails with `Unsupported` where the system knows no such
/// call, and with its own error where the file system does not.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Point::new(Call::Exchange, one).to(other).pass()?;
    exchange_names(one, other)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange_names(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange_names(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives the file `from` a second name, which must be free.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    Point::new(Call::Link, from).to(to).pass()?;
    fs::hard_link(from, to)
}

/// Removes a file, a link or a socket; of a link never what it leads to.
pub fn remove_file(path: &Path) -> io::Result<()> {
    Point::new(Call::RemoveFile, path).pass()?;
    fs::remove_file(path)
}

/// Removes a folder, which must be empty.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    Point::new(Call::RemoveFolder, path).pass()?;
    fs::remove_dir(path)
}

/// Removes a folder with all below it, or a file or link. Names go in their order, one call each, so
/// that a second call goes on where an interrupted one ended. Links are removed and never followed; but
/// nobody else may change the folder meanwhile.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return remove_file(path);
    }
    let mut entries = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable();
    entries.iter().try_for_each(|entry| remove_tree(entry))?;
    remove_folder(path)
}

/// Makes a folder, whose parent must be there.
pub fn make_folder(path: &Path) -> io::Result<()> {
    Point::new(Call::MakeFolder, path).pass()?;
    fs::create_dir(path)
}

/// Says who may read, write and run a file or folder, as Unix numbers it. Does nothing on systems
/// without modes.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    Point::new(Call::SetMode, path).mode(mode).pass()?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    Ok(())
}

/// Waits until a file's bytes are on the disk. Fails if there is none.
pub fn sync_file(path: &Path) -> io::Result<()> {
    // Windows flushes only what was opened for writing; Unix flushes also what may not be written.
    let file = OpenOptions::new().read(true).write(cfg!(windows)).open(path)?;
    Point::new(Call::Sync, path).pass()?;
    sync(&file)
}

/// Waits until a folder's names are on the disk. Does nothing on Windows, and on file systems that know
/// no such request.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = fs::File::open(path)?;
    Point::new(Call::SyncFolder, path).pass()?;
    match sync(&folder) {
        Err(error) if is_not_offered(&error) => Ok(()),
        result => result,
    }
}

/// Makes a socket with this name in the file system, which must be free, and listens on it.
#[cfg(unix)]
pub fn bind(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    bind_by(path, path)
}

/// As [`bind`], by another way to the same place: a socket's address is short, and a path may not be.
#[cfg(unix)]
pub fn bind_by(path: &Path, way: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    Point::new(Call::Bind, path).pass()?;
    std::os::unix::net::UnixListener::bind(way)
}

impl File {
    /// A file that came from elsewhere, as from another process, with the name it is known by.
    pub fn adopt(file: fs::File, path: &Path) -> Self {
        Self {
            inner: file,
            path: path.to_owned(),
            opened_at: 0,
            at_end: false,
        }
    }

    /// The file of the standard library, to be handed on. What is written through it is not counted.
    pub fn into_std(self) -> fs::File {
        self.inner
    }

    /// The name that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the system knows of it.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.inner.metadata()
    }

    /// Cuts the file, or makes it longer by zeros.
    pub fn set_length(&self, length: u64) -> io::Result<()> {
        self.point(Call::SetLength).length(length).pass()?;
        self.inner.set_len(length)
    }

    /// Says who may read, write and run it: as with a file that is open. Does nothing on systems without
    /// modes.
    pub fn set_mode_of(&self, like: &fs::File) -> io::Result<()> {
        #[cfg(unix)]
        {
            let like = like.metadata()?.permissions();
            let mode = std::os::unix::fs::PermissionsExt::mode(&like) & 0o7777;
            self.point(Call::SetMode).mode(mode).pass()?;
            self.inner.set_permissions(like)?;
        }
        #[cfg(not(unix))]
        let _ = like;
        Ok(())
    }

    /// Waits until its bytes are on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.point(Call::Sync).pass()?;
        sync(&self.inner)
    }

    /// Waits for the lock on it, alone.
    pub fn lock(&self) -> io::Result<()> {
        self.inner.lock()
    }

    /// Waits for the lock on it, beside others that share it.
    pub fn lock_shared(&self) -> io::Result<()> {
        self.inner.lock_shared()
    }

    /// Takes the lock alone if it is free.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.inner.try_lock()
    }

    /// Takes the lock beside others that share it, if nobody has it alone.
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.inner.try_lock_shared()
    }

    /// Gives the lock back.
    pub fn unlock(&self) -> io::Result<()> {
        self.inner.unlock()
    }

    fn point(&self, call: Call) -> Point<'_> {
        Point::new(call, &self.path).opened_at(self.opened_at)
    }

    /// Where the next write begins. Asked for only while points are counted.
    fn position(&self) -> io::Result<u64> {
        if self.at_end {
            Ok(self.inner.metadata()?.len())
        } else {
            (&self.inner).stream_position()
        }
    }
}

impl Write for &File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if points::is_armed() {
            let offset = self.position()?;
            let point = self.point(Call::Write).bytes(offset, bytes);
            if let Err(error) = point.pass() {
                // What a disk that is full or broken does: some of it is there.
                let _ = (&self.inner).write(&bytes[..bytes.len() / 2]);
                return Err(error);
            }
        }
        (&self.inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.inner).flush()
    }
}

impl Read for &File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.inner).read(buffer)
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (&self.inner).seek(to)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (&*self).seek(to)
    }
}

/// The strongest flush there is: on macOS the standard library asks the drive itself, which network
/// and foreign file systems refuse; those get the plain request.
#[cfg(unix)]
fn sync(file: &fs::File) -> io::Result<()> {
    match file.sync_all() {
        // Only then: after a real error a second request would report that all is well.
        Err(error) if is_not_offered(&error) => Ok(rustix::fs::fsync(file)?),
        result => result,
    }
}

#[cfg(not(unix))]
fn sync(file: &fs::File) -> io::Result<()> {
    file.sync_all()
}

#[cfg(unix)]
fn is_not_offered(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errors = [
        Errno::INVAL,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
        Errno::NOTTY,
        Errno::NOSYS,
    ];
    errors
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_not_offered(_: &io::Error) -> bool {
    false
}
