//! Giving up rights: what a process can still do when logic of a stranger runs in it.
//!
//! To be called once, before any thread exists: threads inherit what is in force when they begin.

#[cfg(target_os = "linux")]
mod linux;

use std::io;

use moult_sandbox::logic::effort::Task;

/// Rights could not be given up.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct ConfineError {
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ConfineError {
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nothing fails where nothing is tried")
    )]
    fn of(what: &'static str) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self { what, source }
    }
}

/// Gives up what the task does not need. Says what is in force.
pub fn confine(task: Task) -> Result<Vec<String>, ConfineError> {
    #[cfg(target_os = "linux")]
    return linux::confine(task);
    // Windows: the parent starts it in a job with a restricted token. macOS: the parent starts it under a profile.
    #[cfg(not(target_os = "linux"))]
    {
        let _ = task;
        Ok(vec!["by the process that started it".to_owned()])
    }
}

/// The one connection: standard input on Unix (a socket, both ways), standard input and output on Windows.
#[derive(Debug)]
pub struct Connection {
    #[cfg(unix)]
    socket: std::os::unix::net::UnixStream,
}

impl Connection {
    /// What this process was started with.
    pub fn inherited() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            let socket = io::stdin().as_fd().try_clone_to_owned()?;
            Ok(Self {
                socket: socket.into(),
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Its two ends.
    pub fn split(self) -> io::Result<(Box<dyn io::Read + Send>, Box<dyn io::Write + Send>)> {
        #[cfg(unix)]
        {
            let reader = io::BufReader::new(self.socket.try_clone()?);
            Ok((Box::new(reader), Box::new(io::BufWriter::new(self.socket))))
        }
        #[cfg(not(unix))]
        Ok((Box::new(io::stdin()), Box::new(io::stdout())))
    }
}
