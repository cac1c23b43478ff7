//! The publisher's static server as a process of its own, as `moult serve` starts it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;
use url::Url;

use crate::access::AccessLog;
use crate::processes::Guard;

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Serve {
    process: Guard,
    url: Url,
    access: AccessLog,
    command: Launch,
}

#[derive(Clone, Debug)]
struct Launch {
    moult: PathBuf,
    config: PathBuf,
}

#[derive(Deserialize)]
struct Listening {
    url: String,
}

impl Serve {
    /// Serves the repository of a configuration on a free port.
    pub fn start(moult: &Path, config: &Path, access_log: &Path) -> anyhow::Result<Self> {
        let command = Launch {
            moult: moult.to_owned(),
            config: config.to_owned(),
        };
        let (process, url) = command.start(0, access_log)?;
        Ok(Self {
            process,
            url,
            access: AccessLog::new(access_log),
            command,
        })
    }

    /// Where it is, ending in `/`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What it was asked for.
    pub fn access(&self) -> &AccessLog {
        &self.access
    }

    /// Ends the server: whoever asks now finds nobody.
    pub fn go_dark(&mut self) {
        self.process.kill();
    }

    /// Starts it again at the same address.
    pub fn come_back(&mut self) -> anyhow::Result<()> {
        let port = self.url.port().context("the server had no port")?;
        let (process, url) = self.command.start(port, self.access.path())?;
        anyhow::ensure!(
            url == self.url,
            "the server came back at {url} instead of {}",
            self.url
        );
        self.process = process;
        Ok(())
    }
}

impl Launch {
    fn start(&self, port: u16, access_log: &Path) -> anyhow::Result<(Guard, Url)> {
        let mut child = Command::new(&self.moult)
            .arg("--config")
            .arg(&self.config)
            .args(["--json", "serve", "--port", &port.to_string(), "--access-log"])
            .arg(access_log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} serve could not be started", self.moult.display()))?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let guard = Guard::new(child);
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("the server said nothing")?;
        let listening: Listening = serde_json::from_str(&line)
            .with_context(|| format!("the server said {line:?} instead of its address"))?;
        Ok((guard, listening.url.parse()?))
    }
}
