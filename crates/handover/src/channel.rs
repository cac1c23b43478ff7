//! One connection between the two: messages, and on Unix descriptors with them. Refuses to know what a
//! message is for.

#[cfg(unix)]
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::{self, Lines};
use crate::{HandOverError, socket};

/// What is read at once, in bytes.
const PIECE: usize = 64 * 1024;
/// How many descriptors that nobody asked for are kept. More are closed as they come.
#[cfg(unix)]
const DESCRIPTORS: usize = 4;

/// What one message came with.
#[cfg(unix)]
pub(crate) type Descriptor = std::os::fd::OwnedFd;

/// The sending end. Clones share it.
#[derive(Clone, Debug)]
pub struct Channel {
    stream: Arc<Stream>,
}

/// The receiving end.
#[derive(Debug)]
pub struct Incoming {
    stream: Arc<Stream>,
    lines: Lines,
    piece: Box<[u8]>,
    #[cfg(unix)]
    descriptors: VecDeque<Descriptor>,
}

/// What was received.
#[derive(Debug, PartialEq)]
pub enum Received<T> {
    /// A message.
    Message(T),
    /// A line that this version does not know. It is to be skipped.
    Unknown,
    /// The other side has gone, or hung up, in the middle of a message or not.
    End,
}

/// A message with a descriptor was not sent, or not whole.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct NotSent {
    pub(crate) error: HandOverError,
    /// Whether the descriptor is on its way all the same.
    pub(crate) began: bool,
}

impl Channel {
    /// Both ends of a connection. Sending fails after `limit`.
    pub(crate) fn over(stream: Stream, limit: Duration) -> Result<(Self, Incoming), HandOverError> {
        socket::limit_sending(&stream, limit).map_err(|source| HandOverError::Send { source })?;
        let stream = Arc::new(stream);
        let incoming = Incoming {
            stream: Arc::clone(&stream),
            lines: Lines::default(),
            piece: vec![0; PIECE].into_boxed_slice(),
            #[cfg(unix)]
            descriptors: VecDeque::new(),
        };
        Ok((Self { stream }, incoming))
    }

    /// Sends a message.
    pub fn send(&self, message: &impl Serialize) -> Result<(), HandOverError> {
        let line = wire::encode(message)?;
        system::send(&self.stream, &line).map_err(|source| HandOverError::Send { source })
    }

    /// Sends a message, and with its first byte a copy of a descriptor.
    #[cfg(unix)]
    pub(crate) fn send_with(
        &self,
        message: &impl Serialize,
        descriptor: std::os::fd::BorrowedFd<'_>,
    ) -> Result<(), NotSent> {
        let line = wire::encode(message).map_err(|error| NotSent { error, began: false })?;
        let fail = |began: bool| {
            move |source| NotSent {
                error: HandOverError::Send { source },
                began,
            }
        };
        let sent = system::send_with(&self.stream, &line, descriptor).map_err(fail(false))?;
        system::send(&self.stream, &line[sent..]).map_err(fail(true))
    }

    /// Ends the connection for both sides, also for a thread that receives on it just now.
    pub fn hang_up(&self) {
        system::hang_up(&self.stream);
    }
}

impl Incoming {
    /// Waits for the next message.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Received<T>, HandOverError> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(wire::decode(&line).map_or(Received::Unknown, Received::Message));
            }
            match self.fill() {
                Ok(0) => return Ok(Received::End),
                Ok(read) => self.lines.push(&self.piece[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The other side ended without having read everything.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Received::End),
                Err(source) => return Err(HandOverError::Receive { source }),
            }
        }
    }

    /// Lets waiting fail after `limit`; `None` waits for ever.
    pub(crate) fn limit(&self, limit: Option<Duration>) -> io::Result<()> {
        match self.stream.set_recv_timeout(limit) {
            Err(error) if cfg!(windows) && error.kind() == io::ErrorKind::Unsupported => Ok(()),
            result => result,
        }
    }

    /// The descriptor that came with, or before, the last message.
    #[cfg(unix)]
    pub(crate) fn descriptor(&mut self) -> Option<Descriptor> {
        self.descriptors.pop_front()
    }

    #[cfg(unix)]
    fn fill(&mut self) -> io::Result<usize> {
        let (read, descriptors) = system::receive(&self.stream, &mut self.piece)?;
        self.descriptors.extend(descriptors);
        self.descriptors.truncate(DESCRIPTORS);
        Ok(read)
    }

    #[cfg(not(unix))]
    fn fill(&mut self) -> io::Result<usize> {
        match io::Read::read(&mut &*self.stream, &mut self.piece) {
            // A pipe whose other end is closed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            result => result,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::io::{self, IoSlice, IoSliceMut};
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

    use interprocess::local_socket::Stream;
    use rustix::net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, Shutdown, recvmsg, sendmsg, shutdown,
    };

    /// Without a signal to the process when the other side has gone; where the system has no such flag
    /// the standard library has turned the signal off.
    #[cfg(not(target_vendor = "apple"))]
    const SEND: SendFlags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    const SEND: SendFlags = SendFlags::empty();

    fn descriptor(stream: &Stream) -> BorrowedFd<'_> {
        match stream {
            Stream::UdSocket(stream) => stream.inner().as_fd(),
        }
    }

    pub(super) fn send(stream: &Stream, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            match rustix::net::send(descriptor(stream), left, SEND) {
                Ok(sent) => left = &left[sent..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends the descriptor with the first byte, and says how many bytes were sent.
    pub(super) fn send_with(stream: &Stream, bytes: &[u8], sent: BorrowedFd<'_>) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let descriptors = [sent];
        loop {
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            match sendmsg(descriptor(stream), &[IoSlice::new(bytes)], &mut control, SEND) {
                Err(rustix::io::Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Reads what is there, with the descriptors that came with it.
    pub(super) fn receive(stream: &Stream, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(super::DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        #[cfg(not(target_vendor = "apple"))]
        let flags = RecvFlags::CMSG_CLOEXEC;
        #[cfg(target_vendor = "apple")]
        let flags = RecvFlags::empty();
        let read = recvmsg(
            descriptor(stream),
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            flags,
        )?
        .bytes;
        let mut received = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                received.extend(descriptors);
            }
        }
        #[cfg(target_vendor = "apple")]
        for descriptor in &received {
            rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?;
        }
        Ok((read, received))
    }

    pub(super) fn hang_up(stream: &Stream) {
        let _ = shutdown(descriptor(stream), Shutdown::Both);
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{self, Write as _};

    use interprocess::local_socket::Stream;

    pub(super) fn send(stream: &Stream, bytes: &[u8]) -> io::Result<()> {
        (&mut &*stream).write_all(bytes)
    }

    /// A pipe ends when both of its ends are dropped here; a thread that reads keeps it until then.
    pub(super) fn hang_up(_: &Stream) {}
}

#[cfg(all(test, unix))]
#[path = "channel_tests.rs"]
mod tests;
