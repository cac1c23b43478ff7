//! One child process and the connection to it. It starts, writes, reads and kills; what is said it passes on.

use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::effort::{Effort, Task};
use super::wire::{COMPONENT_BYTES, Frame, FromChild, ToChild, read_frame, write_message, write_raw};
use super::{Fault, FaultKind};

/// A child that has not said hello after this long is none.
const HELLO: Duration = Duration::from_secs(10);

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program could not be started.
    #[error("`{path}` could not be started")]
    Start {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The child can't be written to: it ended, or is about to.
    #[error("the process for widget logic does not listen any more")]
    Write(#[source] io::Error),
}

/// What the child said, or how it ended.
#[derive(Debug)]
pub enum Heard {
    /// A message, with the raw frame that belongs to it.
    Said(FromChild, Option<Vec<u8>>),
    /// Nothing more comes.
    Ended,
}

type Write = Box<dyn io::Write + Send>;

/// A child process. It is killed when this is dropped.
pub struct Child {
    process: Arc<Mutex<std::process::Child>>,
    to: Mutex<Write>,
    id: u32,
}

impl Child {
    /// Starts the program for a task, with nothing of this process's environment. What it says is heard on a thread of its
    /// own.
    pub fn start(
        program: &Path,
        task: Task,
        hear: impl FnMut(Heard) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        let start = |source| ProcessError::Start {
            path: program.to_owned(),
            source,
        };
        let mut command = Command::new(program);
        match task {
            Task::Run => command.arg("run"),
            Task::Compile { bytes } => command.arg("compile").arg(bytes.to_string()),
        };
        command
            .env_clear()
            .current_dir(if cfg!(windows) { "C:\\" } else { "/" })
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let (process, from, to) = connect(&mut command).map_err(start)?;
        let id = process.id();
        let process = Arc::new(Mutex::new(process));
        let ended = Arc::clone(&process);
        std::thread::Builder::new()
            .name(format!("logic {id}"))
            .spawn(move || listen(from, &ended, hear))
            .map_err(start)?;
        Ok(Self {
            process,
            to: Mutex::new(to),
            id,
        })
    }

    /// Says something, perhaps with raw bytes behind it.
    pub fn say(&self, message: &ToChild, raw: Option<&[u8]>) -> Result<(), ProcessError> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        write_message(&mut *to, message)
            .and_then(|()| raw.map_or(Ok(()), |raw| write_raw(&mut *to, raw)))
            .map_err(ProcessError::Write)
    }

    /// Ends it at once. That it ended is heard as always.
    pub fn kill(&self) {
        // One that has ended already can't be killed, which is as well.
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The memory that it alone accounts for, in bytes; none where the system does not tell.
    pub fn memory(&self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.id)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Child {}", self.id)
    }
}

type Read = Box<dyn io::Read + Send>;

/// On Unix one socket, which the child has as its standard input and nothing else has.
#[cfg(unix)]
fn connect(command: &mut Command) -> io::Result<(std::process::Child, Read, Write)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (ours, theirs) = UnixStream::pair()?;
    let process = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    // The command keeps the child's end until it is given another.
    command.stdin(Stdio::null());
    let from = BufReader::new(ours.try_clone()?);
    Ok((process, Box::new(from), Box::new(BufWriter::new(ours))))
}

#[cfg(not(unix))]
fn connect(command: &mut Command) -> io::Result<(std::process::Child, Read, Write)> {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let ends = process.stdout.take().zip(process.stdin.take());
    let (from, to) = ends.ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((
        process,
        Box::new(BufReader::new(from)),
        Box::new(BufWriter::new(to)),
    ))
}

fn listen(mut from: Read, process: &Mutex<std::process::Child>, mut hear: impl FnMut(Heard)) {
    while let Ok(Some(Frame::Message(message))) = read_frame::<FromChild>(&mut from) {
        let raw = match &message {
            FromChild::Compiled => match read_frame::<FromChild>(&mut from) {
                Ok(Some(Frame::Raw(raw))) => Some(raw),
                _ => break,
            },
            _ => None,
        };
        hear(Heard::Said(message, raw));
    }
    // The connection is over or makes no sense; without it the process is of no use.
    let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = process.kill();
    let _: io::Result<ExitStatus> = process.wait();
    drop(process);
    hear(Heard::Ended);
}

/// Compiled code, and the engine that it is for.
#[derive(Debug)]
pub struct Compiled {
    /// The code.
    pub code: Vec<u8>,
    /// The engine's name.
    pub engine: String,
}

/// Compiles a component in a process of its own, which ends with it.
pub fn compile(program: &Path, component: &[u8]) -> Result<Result<Compiled, Fault>, ProcessError> {
    if component.len() > COMPONENT_BYTES {
        let detail = format!("{} bytes are more than {COMPONENT_BYTES}", component.len());
        return Ok(Err(Fault {
            kind: FaultKind::Unfit,
            detail,
        }));
    }
    let (child, heard) = ask(program, component.len())?;
    // A bomb may end the process while it is still being written to: how it ended says more than that.
    let _ = child.say(&ToChild::Compile, Some(component));
    let mut engine = String::new();
    let limit = Effort::of(component.len()).wall();
    let end = Instant::now() + limit;
    let bomb = |detail: &str| {
        Ok(Err(Fault {
            kind: FaultKind::CompileBomb,
            detail: detail.to_owned(),
        }))
    };
    loop {
        match heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Heard::Said(FromChild::Hello { engine: name, .. }, _)) => engine = name,
            Ok(Heard::Said(FromChild::Compiled, Some(code))) => return Ok(Ok(Compiled { code, engine })),
            Ok(Heard::Said(FromChild::NotCompiled { fault }, _)) => return Ok(Err(fault)),
            Ok(Heard::Said(..)) => {}
            Ok(Heard::Ended) | Err(RecvTimeoutError::Disconnected) => {
                return bomb("the process that compiled it came to its limits and ended");
            }
            Err(RecvTimeoutError::Timeout) => {
                return bomb(&format!("it took more than {} seconds", limit.as_secs()));
            }
        }
    }
}

/// The name of the program's engine, and what it does to take rights away from itself.
pub fn introduce(program: &Path) -> Result<Option<(String, Vec<String>)>, ProcessError> {
    let (_child, heard) = ask(program, 0)?;
    Ok(match heard.recv_timeout(HELLO) {
        Ok(Heard::Said(FromChild::Hello { engine, confined }, _)) => Some((engine, confined)),
        _ => None,
    })
}

fn ask(program: &Path, bytes: usize) -> Result<(Child, Receiver<Heard>), ProcessError> {
    let (tell, heard) = channel();
    let child = Child::start(program, Task::Compile { bytes }, move |what| {
        let _ = tell.send(what);
    })?;
    Ok((child, heard))
}
