//! One launcher per data folder: the first listens, a second tells it what to open and ends.
//!
//! A second launcher is answered only when the application has what it said. If the first is just about
//! to end it does not answer, and the second takes its place: no start is lost between the two.

use std::fmt;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use moult_durable::Lock;
use serde::{Deserialize, Serialize};

use crate::lines::{self, Line};
use crate::{BootError, platform};

/// What a second launcher says.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    arguments: Vec<String>,
}

/// What the first answers.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    opened: bool,
}

/// Something to open, which another launcher waits for. Dropped without an answer, it is that one's to open.
pub(crate) struct Opening {
    pub(crate) arguments: Vec<String>,
    answer: Box<dyn Write + Send>,
}

impl Opening {
    /// The application has it. The answer is on its way when this returns, so this process may end.
    pub(crate) fn done(mut self) {
        let _ = lines::write(&mut self.answer, &Reply { opened: true });
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

/// What this launcher is.
pub(crate) enum Claim {
    /// The first. It stays so as long as this is held.
    First(Instance),
    /// A second one; the first has its arguments.
    HandedOver,
}

/// The place of the only launcher of a data folder.
#[derive(Debug)]
pub(crate) struct Instance {
    // The socket goes before the lock does: fields are dropped in this order.
    listener: platform::Listener,
    _lock: Lock,
}

/// Becomes the first launcher of a data folder, or hands the arguments to the one that is.
pub(crate) fn claim(run: &Path, arguments: &[String], limit: Duration) -> Result<Claim, BootError> {
    let socket = run.join("launcher.sock");
    let until = Instant::now() + limit;
    loop {
        if let Some(lock) = Lock::try_acquire(&run.join("instance.lock"))? {
            return Ok(Claim::First(Instance {
                listener: platform::listen(&socket)?,
                _lock: lock,
            }));
        }
        if hand_over(&socket, arguments, limit) {
            return Ok(Claim::HandedOver);
        }
        if Instant::now() >= until {
            return Err(BootError::NoAnswer { path: socket });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Instance {
    /// Calls `tell` for each launcher that comes, on threads of its own, for as long as it returns true.
    pub(crate) fn listen(
        &self,
        limit: Duration,
        tell: impl Fn(Opening) -> bool + Clone + Send + 'static,
    ) -> Result<(), BootError> {
        let fail = |source| BootError::Socket {
            path: PathBuf::from("launcher.sock"),
            source,
        };
        let listener = self.listener.try_clone().map_err(fail)?;
        std::thread::spawn(move || {
            loop {
                match listener.accept(limit) {
                    Ok(stream) => {
                        let tell = tell.clone();
                        std::thread::spawn(move || serve(stream, tell));
                    }
                    // Too many open files, say. It passes, or the next launcher finds nobody and says so.
                    Err(_) => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        });
        Ok(())
    }
}

fn serve(stream: impl Read + Write + Send + 'static, tell: impl Fn(Opening) -> bool) {
    let mut stream = BufReader::new(stream);
    if let Ok(Line::Value(Request { arguments })) = lines::read(&mut stream) {
        tell(Opening {
            arguments,
            answer: Box::new(stream.into_inner()),
        });
    }
}

fn hand_over(socket: &Path, arguments: &[String], limit: Duration) -> bool {
    let Ok(mut stream) = platform::connect(socket, limit) else {
        return false;
    };
    if lines::write(
        &mut stream,
        &Request {
            arguments: arguments.to_vec(),
        },
    )
    .is_err()
    {
        return false;
    }
    matches!(
        lines::read(&mut BufReader::new(stream)),
        Ok(Line::Value(Reply { opened: true }))
    )
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn the_second_hands_over_and_an_unanswered_one_takes_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let words = |text: &str| vec![text.to_owned()];
        let Claim::First(first) = claim(folder.path(), &words("first"), LIMIT).unwrap() else {
            panic!("nobody else is there")
        };
        let (sender, openings) = channel();
        first
            .listen(LIMIT, move |opening| sender.send(opening).is_ok())
            .unwrap();
        let run = folder.path().to_owned();
        let second = |text: &'static str| {
            let run = run.clone();
            std::thread::spawn(move || claim(&run, &words(text), LIMIT).unwrap())
        };

        let answered = second("second");
        let opening = openings.recv().unwrap();
        assert_eq!(opening.arguments, ["second"]);
        opening.done();
        assert!(matches!(answered.join().unwrap(), Claim::HandedOver));

        let unanswered = second("third");
        let opening = openings.recv().unwrap();
        drop(first);
        drop(opening);
        assert!(matches!(unanswered.join().unwrap(), Claim::First(_)));
    }

    #[test]
    fn a_first_one_that_never_answers_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Lock::acquire(&folder.path().join("instance.lock")).unwrap();
        let claimed = claim(folder.path(), &[], Duration::from_millis(1));
        assert!(matches!(claimed, Err(BootError::NoAnswer { .. })));
    }
}
