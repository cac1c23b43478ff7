//! What the test application does: the script at the end of its own file.
//!
//! The script is what follows the last `MOULT-CHILD:` in the file. `|` separates the starts of this file
//! (the last part is for all further ones), `,` the steps of one start. Each start and each thing heard
//! is a JSON line in `journal` in the data folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use moult_boot::{Base, Link, Quit, Store, ToApp, ToLauncher};
use serde_json::{Value, json};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const LONG: Duration = Duration::from_hours(1);

struct Child {
    link: Link,
    data: PathBuf,
    slot: String,
}

pub(crate) fn run() -> Outcome<()> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let link = Link::from_environment().ok_or("no launcher")??;
    let child = Child {
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
        "pid": std::process::id(),
        "group": rustix::process::getpgrp().as_raw_pid(),
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
                self.store()?.confirm(&self.slot.parse()?)?;
                self.link.send(&ToLauncher::Confirmed)?;
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
            "crash" => std::process::abort(),
            "exit" => std::process::exit(detail.parse()?),
            "hang" => std::thread::sleep(LONG),
            // A shell that ignores the wish to end, and a child of its own.
            "hang-hard" => {
                let script = "trap '' TERM INT HUP; sleep 3600 & echo $! > \"$MOULT_DATA/grandchild\"; wait; sleep 3600";
                return Err(Command::new("/bin/sh").args(["-c", script]).exec().into());
            }
            "spoil" => {
                // Damages the file that runs, as a bad disk would: beside it, and put in its place.
                let path = std::env::current_exe()?;
                let spoilt = path.with_extension("spoilt");
                std::fs::write(&spoilt, "#!")?;
                std::fs::rename(spoilt, path)?;
            }
            "note" => self.note(json!({ "note": detail }))?,
            "open" => {
                let ToApp::Open { arguments } = self.link.receiver().recv()?;
                self.note(json!({ "opened": arguments }))?;
            }
            // Until the launcher has gone.
            "outlive" => {
                while self.link.receiver().recv().is_ok() {}
                self.note(json!({ "note": "the launcher has gone" }))?;
            }
            other => return Err(format!("unknown step {other}").into()),
        }
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

    fn earlier_starts(&self) -> usize {
        let journal = std::fs::read_to_string(self.data.join("journal")).unwrap_or_default();
        let lines = journal
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["slot"] == *self.slot && line.get("started").is_some())
            .count()
    }
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
