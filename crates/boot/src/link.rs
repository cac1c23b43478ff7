//! The connection between the launcher and the application, and what is said on it.
//!
//! One JSON line per message. A line that one side does not know is skipped, since the other may be
//! newer. This module refuses to know what the launcher makes of what it hears.

use std::io::BufReader;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moult_model::NotTried;
use serde::{Deserialize, Serialize};

use crate::layout::LAUNCHER_FD_VARIABLE;
use crate::lines::{self, Line};
use crate::platform::{self, Channel};
use crate::{BootError, StartToken};

/// What the application tells the launcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToLauncher {
    /// It does something that takes long, and is alive.
    Progress {
        /// What it does, for the log.
        what: String,
    },
    /// Its first window shows something. From now on it sends heartbeats.
    Painted,
    /// It is alive. To be sent once a second.
    Heartbeat,
    /// It has confirmed its slot in the store.
    Confirmed,
    /// It is about to end, in good order.
    Quitting {
        /// Why.
        why: Quit,
    },
    /// It works, but not as it must: a part of it that brings updates is broken. On a trial that is a
    /// failure, and it ends soon.
    Unfit {
        /// Which part, for the log.
        what: String,
    },
    /// It wants the version that is due to be started beside it, and hands its window over to that one.
    HandOver {
        /// Where it waits for the other.
        address: String,
        /// What the other has to show.
        token: String,
    },
    /// It has taken over from the one that was there before: its window is the one that shows.
    TookOver,
    /// It wants the one that was started beside it to be ended: it was not ready in time.
    Recall,
}

/// Why the application ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quit {
    /// The user wants it.
    User,
    /// The session ends.
    Session,
    /// Another version is to be started in its place.
    Update,
}

/// What the launcher tells the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToApp {
    /// The user started Moult once more, perhaps with something to open.
    Open {
        /// The arguments. What is not Unicode in them is replaced.
        arguments: Vec<String>,
    },
    /// The other version was started beside this one. Said once more for each further try: what the one
    /// before it did is void.
    HandOverBegun {
        /// The name of its start.
        start: StartToken,
    },
    /// The hand-over is over: this one stays, or the other one has its place.
    HandOverEnded {
        /// Which of the two.
        outcome: HandOverOutcome,
    },
    /// What it asked for is not done.
    Refused {
        /// Why, for the log.
        why: String,
    },
    /// A newer version is due and was not started: its start could not be counted. The person is to know.
    NotTried(NotTried),
}

/// How a hand-over ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOverOutcome {
    /// The other version failed too often and was given up; the boot state says how.
    GivenUp,
    /// The other one was recalled, or ended without a known failure. It may be tried again.
    NotReady,
    /// The other one has taken over: this one is to end.
    TookOver,
    /// Something that a later launcher knows.
    #[serde(other)]
    Unknown,
}

/// The application's end of the connection. Clones share it.
#[derive(Clone, Debug)]
pub struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    writer: Mutex<Channel>,
    inbox: Mutex<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    receivers: Vec<Sender<ToApp>>,
    /// What came before anybody asked.
    early: Vec<ToApp>,
    ended: bool,
}

/// How many messages wait for the first receiver; more are dropped.
const EARLY_MESSAGES: usize = 64;

impl Link {
    /// Takes the connection that the launcher left open. `None` if no launcher started this process.
    ///
    /// A second call in a process is refused with [`BootError::NotALink`]: there is one connection.
    pub fn from_environment() -> Option<Result<Self, BootError>> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let value = std::env::var(LAUNCHER_FD_VARIABLE).ok()?;
        if TAKEN.swap(true, Ordering::SeqCst) {
            return Some(Err(BootError::NotALink { value }));
        }
        Some(platform::take_inherited(&value).and_then(Self::over))
    }

    /// Sends a message. An error means that the launcher has gone.
    pub fn send(&self, message: &ToLauncher) -> Result<(), BootError> {
        lines::write(&mut *lock(&self.shared.writer), message).map_err(|source| BootError::Link { source })
    }

    /// What the launcher says from now on; the first receiver also gets what was said before.
    ///
    /// The receiver is disconnected when the launcher has gone, however it ended: the application
    /// should then save and end, since nobody would restart it or end it with its children.
    pub fn receiver(&self) -> Receiver<ToApp> {
        let (sender, receiver) = channel();
        let mut inbox = lock(&self.shared.inbox);
        for message in std::mem::take(&mut inbox.early) {
            let _ = sender.send(message);
        }
        if !inbox.ended {
            inbox.receivers.push(sender);
        }
        receiver
    }

    fn over(channel: Channel) -> Result<Self, BootError> {
        let reader = channel.try_clone().map_err(|source| BootError::Link { source })?;
        let shared = Arc::new(Shared {
            writer: Mutex::new(channel),
            inbox: Mutex::default(),
        });
        let of_reader = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            loop {
                match lines::read(&mut reader) {
                    Ok(Line::Value(message)) => lock(&of_reader.inbox).deliver(message),
                    Ok(Line::Unknown) => {}
                    Ok(Line::End) | Err(_) => break,
                }
            }
            let mut inbox = lock(&of_reader.inbox);
            inbox.ended = true;
            inbox.receivers.clear();
        });
        Ok(Self { shared })
    }
}

impl Inbox {
    fn deliver(&mut self, message: ToApp) {
        self.receivers
            .retain(|receiver| receiver.send(message.clone()).is_ok());
        if self.receivers.is_empty() && self.early.len() < EARLY_MESSAGES {
            self.early.push(message);
        }
    }
}

/// What is behind these locks is whole at every moment, also after a panic of who held one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_shape_that_older_launchers_know() {
        let table = [
            (ToLauncher::Painted, r#"{"kind":"painted"}"#),
            (
                ToLauncher::Progress { what: "x".into() },
                r#"{"kind":"progress","what":"x"}"#,
            ),
            (ToLauncher::Heartbeat, r#"{"kind":"heartbeat"}"#),
            (ToLauncher::Confirmed, r#"{"kind":"confirmed"}"#),
            (
                ToLauncher::Quitting { why: Quit::Update },
                r#"{"kind":"quitting","why":"update"}"#,
            ),
            (
                ToLauncher::Unfit { what: "x".into() },
                r#"{"kind":"unfit","what":"x"}"#,
            ),
            (
                ToLauncher::HandOver {
                    address: "a".into(),
                    token: "t".into(),
                },
                r#"{"kind":"hand_over","address":"a","token":"t"}"#,
            ),
            (ToLauncher::TookOver, r#"{"kind":"took_over"}"#),
            (ToLauncher::Recall, r#"{"kind":"recall"}"#),
        ];
        for (message, line) in table {
            assert_eq!(serde_json::to_string(&message).unwrap(), line);
        }
    }

    #[test]
    fn a_version_that_was_not_tried_is_told_in_one_line() {
        let line = r#"{"kind":"not_tried","version":"1.1.0","because":"disk_full","detail":"x","at":7}"#;
        let message: ToApp = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&message).unwrap(), line);
        let later = line.replace("disk_full", "out of a later release");
        assert!(matches!(
            serde_json::from_str(&later).unwrap(),
            ToApp::NotTried(NotTried {
                because: moult_model::Obstacle::Other,
                ..
            })
        ));
    }

    #[test]
    fn says_what_it_hears_to_each_receiver_and_ends_with_the_launcher() {
        let (mut launcher, inherited) = platform::pair().unwrap();
        let link = Link::over(platform::take_inherited(&inherited.name()).unwrap()).unwrap();
        // The descriptor belongs to the link now.
        std::mem::forget(inherited);
        let open = |text: &str| ToApp::Open {
            arguments: vec![text.into()],
        };
        lines::write(&mut launcher, &open("early")).unwrap();
        let first = link.receiver();
        assert_eq!(first.recv().unwrap(), open("early"));
        let second = link.receiver();
        lines::write(&mut launcher, &open("later")).unwrap();
        assert_eq!(
            (first.recv().unwrap(), second.recv().unwrap()),
            (open("later"), open("later"))
        );

        link.send(&ToLauncher::Painted).unwrap();
        let mut heard = BufReader::new(launcher);
        assert_eq!(lines::read(&mut heard).unwrap(), Line::Value(ToLauncher::Painted));
        drop(heard);
        assert!(first.recv().is_err() && second.recv().is_err());
        assert!(
            link.receiver().recv().is_err(),
            "one that asks later learns it too"
        );
    }
}
