//! Receiving signals. Refuses to know what they lead to.

use std::io::Read as _;
use std::os::unix::net::UnixStream;

use super::super::Stop;
use crate::BootError;

/// Calls `tell` on a thread of its own whenever this process is asked to end, for as long as it returns true.
pub(crate) fn on_stop(mut tell: impl FnMut(Stop) -> bool + Send + 'static) -> Result<(), BootError> {
    let fail = |source| BootError::Signals { source };
    let (mut received, sender) = UnixStream::pair().map_err(fail)?;
    // A full buffer holds enough wishes to end already.
    sender.set_nonblocking(true).map_err(fail)?;
    for stop in [Stop::Interrupt, Stop::HangUp, Stop::Terminate] {
        register(stop, sender.try_clone().map_err(fail)?).map_err(fail)?;
    }
    std::thread::spawn(move || {
        let mut byte = [0];
        while received.read_exact(&mut byte).is_ok() {
            let stop = match byte[0] {
                1 => Stop::HangUp,
                2 => Stop::Interrupt,
                _ => Stop::Terminate,
            };
            if !tell(stop) {
                return;
            }
        }
    });
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "a signal's action must be safe to run at any moment, which the compiler can't check"
)]
fn register(stop: Stop, sender: UnixStream) -> std::io::Result<()> {
    let bytes = [stop.number() as u8];
    let action = move || {
        let _ = rustix::io::write(&sender, &bytes);
    };
    // SAFETY: the action does one `write` to a descriptor that it owns and that does not block. It
    // takes no lock, allocates nothing and can't panic.
    unsafe { signal_hook_registry::register(stop.number(), action) }.map(drop)
}
