//! Those who call on the old one: accepted, asked for the offer's token, and listened to. Refuses to know
//! which of them is the successor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use interprocess::local_socket::Stream;

use crate::channel::{Channel, Received};
use crate::giver::Event;
use crate::offer::{Offer, same};
use crate::wire::ToOld;
use crate::{HandOverError, socket};

/// How long a caller may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);
/// How many callers are heard at the same time. There should be one.
const CALLERS: usize = 8;

/// What reaches the old one's side.
#[derive(Debug)]
pub(crate) enum Heard {
    /// From the application or the launcher.
    Outside(Event),
    /// Somebody called who knows the token.
    Called {
        call: Call,
        start: String,
        protocol: u32,
    },
    /// Such a caller said something.
    Said { id: u64, message: ToOld },
    /// Such a caller has gone.
    Cut { id: u64 },
}

/// A caller who knows the token.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) channel: Channel,
}

/// Accepts callers until it is stopped.
#[derive(Debug)]
pub(crate) struct Calls {
    stop: Arc<AtomicBool>,
    listener: Arc<socket::Listener>,
    offer: Offer,
    data: PathBuf,
}

impl Calls {
    /// Listens at the offer's address.
    pub(crate) fn listen(
        offer: &Offer,
        data: &Path,
        send: Duration,
        tell: Sender<Heard>,
    ) -> Result<Self, HandOverError> {
        let listener = Arc::new(socket::listen(offer, data)?);
        let accepting = Arc::clone(&listener);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let token = offer.token.clone();
        let callers = Arc::new(AtomicUsize::new(0));
        std::thread::Builder::new()
            .name("hand-over-calls".to_owned())
            .spawn(move || {
                let mut id = 0;
                while !stopping.load(Ordering::SeqCst) {
                    let Ok(stream) = accepting.accept() else {
                        std::thread::sleep(Duration::from_millis(100));
                        continue;
                    };
                    id += 1;
                    let guard = Guard::one_more(&callers);
                    if callers.load(Ordering::SeqCst) > CALLERS || stopping.load(Ordering::SeqCst) {
                        continue;
                    }
                    let (tell, token) = (tell.clone(), token.clone());
                    let hear = move || {
                        let _guard = guard;
                        hear(stream, id, send, &token, &tell);
                    };
                    let _ = std::thread::Builder::new()
                        .name("hand-over-caller".to_owned())
                        .spawn(hear);
                }
            })
            .map_err(|source| HandOverError::Thread { source })?;
        Ok(Self {
            stop,
            listener,
            offer: offer.clone(),
            data: data.to_owned(),
        })
    }

    /// Stops. The accepting thread waits for a connection: it gets one. The name goes at once, since the
    /// process may be about to end.
    pub(crate) fn stop(&self) {
        if !self.stop.swap(true, Ordering::SeqCst) {
            let _ = socket::connect(&self.offer, &self.data, HELLO);
            self.listener.remove_name();
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Counts the callers that are heard.
struct Guard(Arc<AtomicUsize>);

impl Guard {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Listens to one caller until it has gone. Without the token, or too late with it, it is not heard at all.
fn hear(stream: Stream, id: u64, send: Duration, token: &str, tell: &Sender<Heard>) {
    let Ok((channel, mut incoming)) = Channel::over(stream, send) else {
        return;
    };
    if incoming.limit(Some(HELLO)).is_err() {
        return;
    }
    let Ok(Received::Message(ToOld::Hello {
        protocol,
        token: said,
        start,
        ..
    })) = incoming.receive()
    else {
        channel.hang_up();
        return;
    };
    if !same(&said, token) || incoming.limit(None).is_err() {
        channel.hang_up();
        return;
    }
    let call = Call { id, channel };
    if tell
        .send(Heard::Called {
            call,
            start,
            protocol,
        })
        .is_err()
    {
        return;
    }
    loop {
        let heard = match incoming.receive() {
            Ok(Received::Message(message)) => Heard::Said { id, message },
            Ok(Received::Unknown) => continue,
            Ok(Received::End) | Err(_) => break,
        };
        if tell.send(heard).is_err() {
            return;
        }
    }
    let _ = tell.send(Heard::Cut { id });
}
