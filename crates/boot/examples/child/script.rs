//! What the test application does: the script at the end of its own file.
//!
//! The script is what follows the last `MOULT-CHILD:` in the file. `|` separates the starts of this file
//! (the last part is for all further ones), `,` the steps of one start. Each start and each thing heard
//! is a JSON line in `journal` in the data folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use moult_boot::{Base, BootError, Link, Quit, StartToken, Store, ToApp, ToLauncher};
use serde_json::{Value, json};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const LONG: Duration = Duration::from_hours(1);

struct Child {
    link: Link,
    heard: Receiver<ToApp>,
    data: PathBuf,
    slot: String,
}

/// Set for a process that only stays: the child of one that ignores the wish to end.
#[cfg(windows)]
const STAY: &str = "MOULT_TEST_STAY";

pub(crate) fn run() -> Outcome<()> {
    #[cfg(windows)]
    stay_if_asked()?;
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let link = Link::from_environment().ok_or("no launcher")??;
    let child = Child {
        heard: link.receiver(),
        link,
        data: variable("MOULT_DATA")?.into(),
        slot: variable("MOULT_SLOT")?,
    };
    let bytes = std::fs::read(std::env::current_exe()?)?;
    let script = String::from_utf8_lossy(&bytes)
        .rsplit_once("MOULT-CHILD:")
        .ok_or("no script")?
        .1
        .to_owned();
    let starts: Vec<&str> = script.split('|').collect();
    let earlier = child.earlier_starts();
    child.note(json!({
        "started": script,
        "name": std::env::args().next(),
        "arguments": std::env::args().skip(1).collect::<Vec<_>>(),
        "token": variable("MOULT_START_TOKEN")?,
        "install": variable("MOULT_INSTALL")?,
        "inspector": variable("WEBKIT_INSPECTOR_SERVER").ok(),
        "automation": variable("TAURI_WEBVIEW_AUTOMATION").ok(),
        "passed_on": variable("MOULT_TEST_VARIABLE").ok(),
        "protocol": variable("MOULT_LAUNCHER_PROTOCOL").ok(),
        "hand_over": variable("MOULT_HAND_OVER").ok(),
        "pid": std::process::id(),
        "group": group(),
        "sockets": open_sockets(),
    }))?;
    for step in starts[earlier.min(starts.len() - 1)]
        .split(',')
        .filter(|step| !step.is_empty())
    {
        child.step(step)?;
    }
    Ok(())
}

impl Child {
    fn step(&self, step: &str) -> Outcome<()> {
        let (name, detail) = step.split_once(':').unwrap_or((step, ""));
        match name {
            "paint" => {
                self.link.send(&ToLauncher::Painted)?;
                let link = self.link.clone();
                std::thread::spawn(move || {
                    while link.send(&ToLauncher::Heartbeat).is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                });
            }
            "paint-and-stall" => self.link.send(&ToLauncher::Painted)?,
            "progress" => self.link.send(&ToLauncher::Progress { what: detail.into() })?,
            "confirm" => {
                self.store()?
                    .confirm(&self.slot.parse()?, StartToken::from_environment().as_ref())?;
                self.link.send(&ToLauncher::Confirmed)?;
            }
            // As a process of another start would: the detail is how many starts before this one.
            "confirm-as-earlier" => {
                let earlier = self.token_of_earlier_start(detail.parse()?)?;
                let outcome = match self.store()?.confirm(&self.slot.parse()?, Some(&earlier)) {
                    Ok(()) => "confirmed",
                    Err(BootError::StaleStart { .. }) => "stale",
                    Err(_) => "refused",
                };
                self.note(json!({ "note": outcome }))?;
            }
            "claim-confirmed" => self.link.send(&ToLauncher::Confirmed)?,
            "try" => {
                let store = self.store()?;
                let slots = store.state()?.slots;
                let slot = slots.into_iter().find(|slot| slot.version.to_string() == detail);
                store.begin_trial(&slot.ok_or("no such version")?.name)?;
            }
            "quit" => {
                let why = match detail {
                    "user" => Quit::User,
                    "session" => Quit::Session,
                    _ => Quit::Update,
                };
                self.link.send(&ToLauncher::Quitting { why })?;
            }
            "unfit" => self.link.send(&ToLauncher::Unfit { what: detail.into() })?,
            "hand-over" => self.link.send(&ToLauncher::HandOver {
                address: "/here".into(),
                token: "secret".into(),
            })?,
            "took-over" => self.link.send(&ToLauncher::TookOver)?,
            "recall" => self.link.send(&ToLauncher::Recall)?,
            // Until the launcher says something of this kind; what it says is noted.
            "hear" => loop {
                let message = json!(self.heard.recv()?);
                self.note(json!({ "heard": message }))?;
                if message["kind"] == detail {
                    break;
                }
            },
            // Until somebody notes this.
            "await" => {
                while !self.journal().iter().any(|line| line["note"] == detail) {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            "crash" => std::process::abort(),
            "exit" => std::process::exit(detail.parse()?),
            "hang" => std::thread::sleep(LONG),
            "hang-hard" => self.ignore_the_wish_to_end()?,
            "spoil" => {
                // Damages the file that runs, as a bad disk would: beside it, and put in its place.
                let path = std::env::current_exe()?;
                let spoilt = path.with_extension("spoilt");
                std::fs::write(&spoilt, "#!")?;
                // What runs can't be replaced on Windows, but renamed.
                #[cfg(windows)]
                std::fs::rename(&path, path.with_extension("ran"))?;
                std::fs::rename(spoilt, path)?;
            }
            "note" => self.note(json!({ "note": detail }))?,
            "open" => {
                if let ToApp::Open { arguments } = self.heard.recv()? {
                    self.note(json!({ "opened": arguments }))?;
                }
            }
            // Until the launcher has gone.
            "outlive" => {
                while self.heard.recv().is_ok() {}
                self.note(json!({ "note": "the launcher has gone" }))?;
            }
            other => return Err(format!("unknown step {other}").into()),
        }
        Ok(())
    }

    /// A shell that ignores it, and a child of its own.
    #[cfg(unix)]
    fn ignore_the_wish_to_end(&self) -> Outcome<()> {
        use std::os::unix::process::CommandExt as _;
        let script =
            "trap '' TERM INT HUP; sleep 3600 & echo $! > \"$MOULT_DATA/grandchild\"; wait; sleep 3600";
        Err(std::process::Command::new("/bin/sh")
            .args(["-c", script])
            .env("MOULT_DATA", &self.data)
            .exec()
            .into())
    }

    /// Nobody listens here, and a child does not either.
    #[cfg(windows)]
    fn ignore_the_wish_to_end(&self) -> Outcome<()> {
        let child = std::process::Command::new(std::env::current_exe()?)
            .env(STAY, "1")
            .spawn()?;
        std::fs::write(self.data.join("grandchild"), child.id().to_string())?;
        std::thread::sleep(LONG);
        Ok(())
    }

    fn store(&self) -> Outcome<Store> {
        let install = PathBuf::from(std::env::var("MOULT_INSTALL")?);
        Ok(Store::open(&self.data, Base::from_install(&install)?)?)
    }

    fn note(&self, mut line: Value) -> Outcome<()> {
        line["slot"] = self.slot.clone().into();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.data.join("journal"))?;
        Ok(file.write_all(format!("{line}\n").as_bytes())?)
    }

    fn journal(&self) -> Vec<Value> {
        let journal = std::fs::read_to_string(self.data.join("journal")).unwrap_or_default();
        journal
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    fn starts(&self) -> Vec<Value> {
        let is_own = |line: &Value| line["slot"] == *self.slot && line.get("started").is_some();
        self.journal().into_iter().filter(is_own).collect()
    }

    fn earlier_starts(&self) -> usize {
        self.starts().len()
    }

    fn token_of_earlier_start(&self, back: usize) -> Outcome<StartToken> {
        let starts = self.starts();
        let start = starts.iter().rev().nth(back).ok_or("no such start")?;
        let token = start["token"].as_str().and_then(StartToken::named);
        Ok(token.ok_or("no token")?)
    }
}

/// Says by a lock that this process lives, since nothing else tells it here; and stays, if it is asked to.
#[cfg(windows)]
fn stay_if_asked() -> Outcome<()> {
    let data = PathBuf::from(std::env::var("MOULT_DATA")?);
    let lock = moult_durable::Lock::acquire(&data.join(format!("alive-{}", std::process::id())))?;
    // Held as long as the process is there.
    std::mem::forget(lock);
    if std::env::var_os(STAY).is_some() {
        std::thread::sleep(LONG);
    }
    Ok(())
}

/// The process group. Windows has none.
#[cfg(unix)]
fn group() -> Value {
    json!(rustix::process::getpgrp().as_raw_pid())
}

#[cfg(windows)]
fn group() -> Value {
    Value::Null
}

/// How many sockets this process has open: the launcher's connection (twice: it is read on its own), if
/// nothing else was left open.
fn open_sockets() -> usize {
    let entries = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}
