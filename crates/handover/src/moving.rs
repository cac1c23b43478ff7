//! Moves the right to write, and the listening socket, from one process to the other. Refuses to know
//! what is written and what is served.
//!
//! On Unix the right is an open file with a lock on it, and a copy of its descriptor is sent: at each
//! moment somebody has it, the socket's queue included, and when all copies are closed the system frees
//! the lock. On Windows it is freed and taken anew; nobody else asks for it, since the successor alone
//! knows that it is free.

use std::path::Path;

use moult_boot::WriteRight;

use crate::HandOverError;
#[cfg(unix)]
use crate::channel::NotSent;
use crate::channel::{Channel, Incoming};
use crate::local_api::Endpoint;
use crate::wire::ToNew;

/// The right was not given.
#[derive(Debug)]
pub struct NotGiven {
    /// Why.
    pub error: Box<HandOverError>,
    /// The right, still with this process. `None`: it may be on its way, or is free.
    pub right: Option<WriteRight>,
}

impl NotGiven {
    fn new(error: impl Into<HandOverError>, right: Option<WriteRight>) -> Self {
        Self {
            error: Box::new(error.into()),
            right,
        }
    }
}

/// Gives the right away. This process' copy is closed when this returns.
#[cfg(unix)]
pub fn give(right: WriteRight, data: &Path, to: &Channel) -> Result<(), NotGiven> {
    use std::os::fd::AsFd as _;
    let descriptor = right
        .into_descriptor()
        .map_err(|error| NotGiven::new(error, None))?;
    match to.send_with(&ToNew::Right, descriptor.as_fd()) {
        Ok(()) => Ok(()),
        Err(NotSent { error, began: true }) => Err(NotGiven::new(error, None)),
        Err(NotSent { error, began: false }) => Err(NotGiven::new(
            error,
            WriteRight::from_descriptor(descriptor, data).ok(),
        )),
    }
}

/// Gives the right away. This process' copy is closed when this returns.
#[cfg(not(unix))]
pub fn give(right: WriteRight, data: &Path, to: &Channel) -> Result<(), NotGiven> {
    let _ = data;
    drop(right);
    to.send(&ToNew::Right).map_err(|error| NotGiven::new(error, None))
}

/// Takes the right that came with the message [`ToNew::Right`].
#[cfg(unix)]
pub fn receive(from: &mut Incoming, data: &Path) -> Result<WriteRight, HandOverError> {
    let descriptor = from.descriptor().ok_or(HandOverError::NoRight {
        found: "a message without a descriptor",
    })?;
    Ok(WriteRight::from_descriptor(descriptor, data)?)
}

/// Takes the right that is free since the message [`ToNew::Right`].
#[cfg(not(unix))]
pub fn receive(_: &mut Incoming, data: &Path) -> Result<WriteRight, HandOverError> {
    let within = std::time::Duration::from_secs(2);
    WriteRight::take(data, within)?.ok_or(HandOverError::NoRight {
        found: "somebody else has it",
    })
}

/// What is left of the listening socket after it was given.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Open, but unheard: connections wait in it for the successor.
    #[cfg(unix)]
    endpoint: Endpoint,
    /// Where it was.
    #[cfg(not(unix))]
    place: Option<(u16, String)>,
}

/// Sends a copy of the listening socket. A failure is not told: the connection's end says it, or the
/// successor does without.
#[cfg(unix)]
pub(crate) fn give_endpoint(endpoint: Endpoint, to: &Channel) -> Kept {
    use std::os::fd::AsFd as _;
    if let Ok(message) = announcement(&endpoint) {
        let _ = to.send_with(&message, endpoint.socket.as_fd());
    }
    Kept { endpoint }
}

/// Leaves the port, and says which it was. A failure is not told: the connection's end says it, or the
/// successor does without.
#[cfg(not(unix))]
pub(crate) fn give_endpoint(endpoint: Endpoint, to: &Channel) -> Kept {
    let place = endpoint.port().ok().map(|port| (port, endpoint.token.clone()));
    let message = announcement(&endpoint);
    drop(endpoint);
    if let Ok(message) = message {
        let _ = to.send(&message);
    }
    Kept { place }
}

impl Kept {
    /// Listens again, if the hand-over failed.
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere the port may be taken")]
    pub(crate) fn again(self) -> Option<Endpoint> {
        Some(self.endpoint)
    }

    /// Listens again, if the hand-over failed.
    #[cfg(not(unix))]
    pub(crate) fn again(self) -> Option<Endpoint> {
        let (port, token) = self.place?;
        Endpoint::at(port, token).ok()
    }
}

fn announcement(endpoint: &Endpoint) -> Result<ToNew, HandOverError> {
    Ok(ToNew::Listener {
        port: endpoint.port()?,
        token: endpoint.token.clone(),
    })
}

/// Takes the socket that came with [`ToNew::Listener`].
#[cfg(unix)]
pub(crate) fn receive_endpoint(
    from: &mut Incoming,
    _port: u16,
    token: String,
) -> Result<Endpoint, HandOverError> {
    let descriptor = from.descriptor().ok_or(HandOverError::NoRight {
        found: "a listening socket without a descriptor",
    })?;
    Endpoint::from_descriptor(descriptor, token)
}

/// Listens at the port that came with [`ToNew::Listener`]; the old one has left it, or is about to.
#[cfg(not(unix))]
pub(crate) fn receive_endpoint(
    _: &mut Incoming,
    port: u16,
    token: String,
) -> Result<Endpoint, HandOverError> {
    Endpoint::at(port, token)
}
