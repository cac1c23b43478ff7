//! The running application, over the loopback address.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use moult_model::developer::{self, HEADER_BYTES, PROTOCOL, ToApp, ToTool};

use super::DevError;

/// How long the application may take to answer: a swap has up to five seconds to get ready, and a computer is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that the application has welcomed.
#[derive(Debug)]
pub(super) struct Door {
    stream: TcpStream,
    port: u16,
}

impl Door {
    /// Knocks at the door that the application wrote into its data folder.
    pub(super) fn open(data: &Path) -> Result<Self, DevError> {
        let path = data.join(developer::DOOR);
        let found = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<developer::Door>(&bytes).ok());
        let Some(found) = found else {
            return Err(DevError::NoDoor { path });
        };
        let port = found.port;
        let talk = |source| DevError::Talk { port, source };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).map_err(talk)?;
        stream.set_nodelay(true).map_err(talk)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(talk)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(talk)?;
        let mut door = Self { stream, port };
        door.say(
            &ToApp::Hello {
                protocol: PROTOCOL,
                token: found.token,
            },
            &[],
        )?;
        match door.hear()? {
            ToTool::Welcome { .. } => Ok(door),
            ToTool::Failed { text } => Err(talk(io::Error::other(text))),
            ToTool::Live { .. } => Err(talk(io::ErrorKind::InvalidData.into())),
        }
    }

    /// Says something.
    pub(super) fn say(&mut self, message: &ToApp, raw: &[u8]) -> Result<(), DevError> {
        let port = self.port;
        let mut bytes = developer::write(message, raw.len())?;
        bytes.extend_from_slice(raw);
        self.stream
            .write_all(&bytes)
            .map_err(|source| DevError::Talk { port, source })
    }

    /// Waits for an answer.
    pub(super) fn hear(&mut self) -> Result<ToTool, DevError> {
        let port = self.port;
        let talk = |source| DevError::Talk { port, source };
        let mut header = [0; HEADER_BYTES];
        self.stream.read_exact(&mut header).map_err(talk)?;
        let (length, raw) = developer::lengths(header)?;
        let mut message = vec![0; length + raw];
        self.stream.read_exact(&mut message).map_err(talk)?;
        Ok(developer::read(&message[..length])?)
    }

    /// Fails if the application is gone.
    pub(super) fn check(&self) -> Result<(), DevError> {
        let port = self.port;
        let talk = |source| DevError::Talk { port, source };
        self.stream.set_nonblocking(true).map_err(talk)?;
        let found = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).map_err(talk)?;
        match found {
            Ok(0) => Err(talk(io::ErrorKind::UnexpectedEof.into())),
            // Nothing was asked. What comes all the same would be taken for the answer to the next question.
            Ok(_) => Err(DevError::Answer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(talk(error)),
        }
    }
}

/// The usual data folder: `MOULT_DATA`, else where the system keeps the data of programs.
pub fn usual_data(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<PathBuf, DevError> {
    let set = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let found = set("MOULT_DATA").or_else(|| {
        if cfg!(windows) {
            set("LOCALAPPDATA").map(|folder| folder.join("Moult"))
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Application Support/Moult"))
        } else {
            set("XDG_DATA_HOME")
                .or_else(|| set("HOME").map(|home| home.join(".local/share")))
                .map(|folder| folder.join("moult"))
        }
    });
    found.ok_or(DevError::NoData)
}
