//! Unix: Linux and macOS.

mod descriptors;
mod files;
mod instance;
mod process;
mod screen;
mod short_path;
mod signals;
mod signature;

pub(crate) use descriptors::{Channel, close_others_at_start, pair, take_inherited};
pub(crate) use files::{check_own_file, check_own_folder, make_executable, make_private, ownership};
pub(crate) use instance::{Listener, connect, listen};
pub(crate) use process::{Application, spawn};
pub(crate) use screen::screen;
pub(crate) use signals::on_stop;
pub(crate) use signature::check_signature;

/// There is no such box here: programs of the system show messages.
pub(crate) fn message_box(_title: &str, _text: &str) -> bool {
    false
}

/// Whether a system's error says that no further file may be open, of this process or of all.
pub(crate) fn is_out_of_files(code: i32) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|errno| errno.raw_os_error() == code)
}

/// Random bytes from the system.
pub(crate) fn random() -> Result<[u8; 16], crate::BootError> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map(|()| bytes)
        .map_err(|source| crate::BootError::Random { source })
}
