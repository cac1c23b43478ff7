//! The door: a listening socket on the loopback address, and a token that stands in a file for the user alone.
//!
//! Whoever does not say the token in the first message, within two seconds, is not answered further. Of what comes
//! before, nothing is kept that is longer than a message.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context as _;
use moult_durable::fs;
use moult_model::HOST_API;
use moult_model::developer::{self, HEADER_BYTES, PROTOCOL, ToApp, ToTool, fitting};

use super::{show, take_off, trouble};
use crate::app::Context;
use crate::loads::random_name;

/// How long the first message may take.
const HELLO: Duration = Duration::from_secs(2);
/// How long a message that has begun may take, and an answer.
const TRANSFER: Duration = Duration::from_secs(30);
/// The longest first message, in bytes.
const GREETING: usize = 512;
/// How many may be connected at once.
const MOST: usize = 4;

/// The door, while it is open. Those who are connected are cut off when this is dropped.
pub(super) struct Door {
    data: std::path::PathBuf,
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    inside: Inside,
}

/// Who is connected, each with a number.
type Inside = Arc<Mutex<Vec<(u64, TcpStream)>>>;

impl Door {
    /// Listens, and writes where.
    pub(super) fn open(context: &Arc<Context>) -> anyhow::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let token = random_name()? + &random_name()?;
        let data = context.places.data.clone();
        write(
            &data,
            &developer::Door {
                port: address.port(),
                token: token.clone(),
            },
        )?;
        let door = Self {
            data,
            address,
            stop: Arc::default(),
            inside: Arc::default(),
        };
        let (stop, inside) = (Arc::clone(&door.stop), Arc::clone(&door.inside));
        let context = Arc::downgrade(context);
        std::thread::Builder::new()
            .name("developer".to_owned())
            .spawn(move || listen(&socket, &token, &context, &stop, &inside))?;
        Ok(door)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        remove(&self.data);
        for (_, stream) in self.inside.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // The thread waits for a connection: it gets one.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
    }
}

/// Removes the file that says where the door is.
pub(super) fn remove(data: &Path) {
    let path = data.join(developer::DOOR);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "can't be removed");
        }
        _ => {}
    }
}

/// Writes the file anew, at no moment for others than its user.
fn write(data: &Path, door: &developer::Door) -> anyhow::Result<()> {
    let path = data.join(developer::DOOR);
    if let Some(folder) = path.parent() {
        moult_durable::create_dir_all(folder)?;
    }
    let new = path.with_extension("json.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context(new.display().to_string());
        }
        _ => {}
    }
    let mut file = fs::create_new_with_mode(&new, 0o600)?;
    file.write_all(&serde_json::to_vec(door)?)?;
    fs::rename(&new, &path).with_context(|| path.display().to_string())
}

fn listen(socket: &TcpListener, token: &str, context: &Weak<Context>, stop: &AtomicBool, inside: &Inside) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let Ok((stream, _)) = socket.accept() else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let Ok(kept) = stream.try_clone() else { continue };
        {
            let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
            if stop.load(Ordering::SeqCst) || inside.len() >= MOST {
                continue;
            }
            number += 1;
            inside.push((number, kept));
        }
        let (token, context, inside) = (token.to_owned(), context.clone(), Arc::clone(inside));
        let begun = std::thread::Builder::new()
            .name("developer-widget".to_owned())
            .spawn(move || {
                if let Err(error) = converse(stream, &token, &context) {
                    tracing::info!(error = format!("{error:#}"), "a developer's connection ended");
                }
                let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
                inside.retain(|(of, _)| *of != number);
            });
        if let Err(error) = begun {
            tracing::warn!(%error, "a developer can't be served");
        }
    }
}

/// One connection, from its token to its end. What it showed goes with it.
fn converse(mut stream: TcpStream, token: &str, context: &Weak<Context>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(TRANSFER))?;
    stream.set_read_timeout(Some(HELLO))?;
    let (hello, raw) = header(&mut stream)?;
    anyhow::ensure!(raw == 0 && hello <= GREETING, "the first message is too long");
    let ToApp::Hello {
        protocol,
        token: given,
    } = message(&mut stream, hello)?
    else {
        anyhow::bail!("the first message is no greeting");
    };
    anyhow::ensure!(same(&given, token), "the token is another one");
    let here = context.upgrade().context("the application is ending")?;
    if protocol != PROTOCOL {
        let text =
            format!("this Moult speaks version {PROTOCOL} with developers, and `moult` version {protocol}");
        return say(&mut stream, &ToTool::Failed { text });
    }
    say(
        &mut stream,
        &ToTool::Welcome {
            app: here.build.version.clone(),
            host_api: HOST_API,
        },
    )?;
    drop(here);
    let mut shown = None;
    let ended = serve(&mut stream, context, &mut shown);
    if let Some((context, instance)) = context.upgrade().zip(shown) {
        take_off(&context, &instance);
    }
    ended
}

fn serve(stream: &mut TcpStream, context: &Weak<Context>, shown: &mut Option<String>) -> anyhow::Result<()> {
    loop {
        // Between two saves hours may pass.
        stream.set_read_timeout(None)?;
        let (length, raw) = match header(stream) {
            Err(error) if is_end(&error) => return Ok(()),
            other => other?,
        };
        stream.set_read_timeout(Some(TRANSFER))?;
        let said = message(stream, length)?;
        let mut bytes = vec![0; raw];
        stream.read_exact(&mut bytes)?;
        let context = context.upgrade().context("the application is ending")?;
        match said {
            ToApp::Hello { .. } => anyhow::bail!("a second greeting"),
            ToApp::Trouble { text } => {
                if let Some(instance) = shown {
                    trouble(&context, instance, &fitting(&text));
                }
            }
            ToApp::Run => {
                let answer = match tauri::async_runtime::block_on(show(&context, bytes)) {
                    Ok(now) => {
                        *shown = Some(now.instance.clone());
                        ToTool::Live {
                            instance: now.instance,
                            swap: now.swap,
                        }
                    }
                    Err(error) => ToTool::Failed {
                        text: fitting(&format!("{error:#}")),
                    },
                };
                say(stream, &answer)?;
            }
        }
    }
}

fn header(stream: &mut TcpStream) -> anyhow::Result<(usize, usize)> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header)?;
    Ok(developer::lengths(header)?)
}

fn message(stream: &mut TcpStream, length: usize) -> anyhow::Result<ToApp> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(developer::read(&bytes)?)
}

fn say(stream: &mut TcpStream, message: &ToTool) -> anyhow::Result<()> {
    Ok(stream.write_all(&developer::write(message, 0)?)?)
}

fn is_end(error: &anyhow::Error) -> bool {
    let source = error.downcast_ref::<io::Error>();
    source.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
        )
    })
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b))
            == 0
}
