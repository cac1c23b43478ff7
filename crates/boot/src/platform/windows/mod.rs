//! Windows: pipes, job objects, access control lists.
//!
//! What the system can't be asked on another one is in `access`, `faults`, `names` and `session_words`: pure tables, which
//! the tests run on every system. The rest is thin. What was run where is in `docs/platforms.md`.

mod access;
mod faults;
mod names;
mod session_words;
mod within;

#[cfg(windows)]
mod channel;
#[cfg(windows)]
mod files;
#[cfg(windows)]
mod identity;
#[cfg(windows)]
mod instance;
#[cfg(windows)]
mod job;
#[cfg(windows)]
mod message;
#[cfg(windows)]
mod process;
#[cfg(windows)]
mod security;
#[cfg(windows)]
mod session;
#[cfg(windows)]
mod signals;

#[cfg(windows)]
pub(crate) use self::{
    channel::{Channel, close_others_at_start, pair, take_inherited},
    faults::is_out_of_files,
    files::{check_own_file, check_own_folder, make_executable, make_private, ownership},
    identity::{join_group, name_window},
    instance::{Listener, connect, listen},
    message::message_box,
    process::{Application, spawn},
    security::random,
    session::on_end_of_session,
    signals::on_stop,
};

/// Text as the system wants it: 16-bit units with a zero at the end.
#[cfg(windows)]
fn wide(text: impl AsRef<std::ffi::OsStr>) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt as _;
    text.as_ref().encode_wide().chain(Some(0)).collect()
}

/// What a call that tells by zero that it failed came to.
#[cfg(windows)]
fn checked(outcome: i32) -> std::io::Result<()> {
    if outcome == 0 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(())
    }
}
