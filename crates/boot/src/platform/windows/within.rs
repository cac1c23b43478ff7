//! A limit for a call that knows none: pipes read and write until they can.

use std::io;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Does `work` on a thread of its own and waits for it no longer than `limit`. Work that takes longer
/// goes on by itself: what it waits for ends when the other side closes its end, or with this process.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().spawn(move || {
        let _ = sender.send(work());
    })?;
    receiver
        .recv_timeout(limit)
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_is_given_up_and_what_ends_is_returned() {
        let (_held, never) = channel::<()>();
        let given_up = within(Duration::from_millis(1), move || {
            never.recv().map_err(io::Error::other)
        });
        assert_eq!(
            given_up.map_err(|error| error.kind()),
            Err(io::ErrorKind::TimedOut)
        );
        let done = within(Duration::from_mins(1), || Ok(7));
        assert_eq!(done.map_err(|error| error.kind()), Ok(7));
        let failed: io::Result<()> = within(Duration::from_mins(1), || Err(io::ErrorKind::BrokenPipe.into()));
        assert_eq!(
            failed.map_err(|error| error.kind()),
            Err(io::ErrorKind::BrokenPipe)
        );
    }
}
