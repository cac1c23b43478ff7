//! The web view's inspector: a port of its own for each start, and a file that tells it. Only under
//! automation. Refuses to know who connects.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde::Serialize;

use crate::{BootError, SlotName};

/// What `run/inspector.json` holds.
#[derive(Debug, Serialize)]
pub(crate) struct Inspector<'a> {
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    /// The application's process; `null` until it is started.
    pub(crate) pid: Option<u32>,
    /// The slot.
    pub(crate) slot: &'a SlotName,
    /// Which start of this launcher it is, from 1.
    pub(crate) start: u64,
}

impl Inspector<'_> {
    pub(crate) fn write(&self, run: &Path) -> Result<(), BootError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Ok(moult_durable::write_atomic(&run.join("inspector.json"), &text)?)
    }
}

/// Ports that are free now and were not given before: the old process can still be on its own.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    given: Vec<u16>,
}

impl Ports {
    pub(crate) fn next(&mut self) -> Result<u16, BootError> {
        let fail = |source| BootError::Port { source };
        // What was given before is held meanwhile, so that the system has to name another.
        let mut held = Vec::new();
        loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(fail)?;
            let port = listener.local_addr().map_err(fail)?.port();
            if self.given.contains(&port) {
                held.push(listener);
            } else {
                self.given.push(port);
                return Ok(port);
            }
        }
    }
}
