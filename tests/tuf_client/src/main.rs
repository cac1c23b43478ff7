//! The trust client as the TUF conformance suite asks for it: the application's own client, store, floor and transport behind
//! the suite's command line.
//!
//! The suite looks at the files of the metadata folder and at what was downloaded; both are the client's own. What else the
//! client keeps (the floor) lies beside that folder. docs/conformance.md says how it is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use moult_trust::{Anchor, Client, Floor};
use moult_update::fetch::{Limits, Repository};

/// The trust client behind the command line of the TUF conformance suite
#[derive(Debug, Parser)]
struct Arguments {
    /// Where what is believed is kept
    #[arg(long, value_name = "FOLDER")]
    metadata_dir: PathBuf,
    /// Where the repository's metadata is
    #[arg(long, value_name = "URL")]
    metadata_url: Option<String>,
    /// What to download; may be given several times
    #[arg(long, value_name = "PATH")]
    target_name: Vec<String>,
    /// Where the repository's targets are
    #[arg(long, value_name = "URL")]
    target_base_url: Option<String>,
    /// Where downloads go
    #[arg(long, value_name = "FOLDER")]
    target_dir: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Begin with this root
    Init {
        /// The root
        root: PathBuf,
    },
    /// Bring what is believed up to date
    Refresh,
    /// Bring what is believed up to date, then download
    Download,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let places = Places::beside(&arguments.metadata_dir)?;
    if let Task::Init { root } = &arguments.task {
        fs::create_dir_all(&places.anchor)?;
        fs::copy(root, places.root()).with_context(|| root.display().to_string())?;
        fs::copy(root, arguments.metadata_dir.join("root.json"))?;
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut client = open(arguments, &places)?;
        client.refresh(Timestamp::now()).await?;
        if matches!(arguments.task, Task::Download) {
            let folder = arguments.target_dir.as_deref().context("no `--target-dir`")?;
            for name in &arguments.target_name {
                download(&mut client, name, folder).await?;
            }
        }
        Ok(())
    })
}

fn open(arguments: &Arguments, places: &Places) -> anyhow::Result<Client> {
    let metadata = arguments.metadata_url.as_deref().context("no `--metadata-url`")?;
    let address = metadata.trim_end_matches('/').strip_suffix("/metadata");
    let address = address.with_context(|| format!("{metadata} does not end with `metadata`"))?;
    if let Some(targets) = &arguments.target_base_url {
        let beside = format!("{address}/targets");
        anyhow::ensure!(
            targets.trim_end_matches('/') == beside,
            "{targets} is not {beside}"
        );
    }
    let anchor = Anchor {
        root: fs::read(places.root())?,
        floor: Floor::default(),
        minisign: String::new(),
    };
    let transport = Arc::new(Repository::new(address, Limits::default()));
    Ok(Client::open(&anchor, transport, &places.anchor)?)
}

async fn download(client: &mut Client, name: &str, folder: &Path) -> anyhow::Result<()> {
    let bytes = client.target(name, Timestamp::now()).await?;
    // Any target path is one file name: `a/b` is `a%2Fb`.
    let file = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
    let path = folder.join(file);
    if fs::read(&path).ok().as_deref() != Some(bytes.as_slice()) {
        moult_durable::write_atomic(&path, &bytes)?;
    }
    Ok(())
}

/// Where the client keeps what it has: its folder lies beside that of the suite, which is its folder for metadata.
struct Places {
    anchor: PathBuf,
}

impl Places {
    fn beside(metadata: &Path) -> anyhow::Result<Self> {
        let name = metadata.file_name().context("no name of a folder")?;
        let anchor = metadata.with_file_name(format!("{}-client", name.to_string_lossy()));
        fs::create_dir_all(&anchor)?;
        let link = anchor.join("metadata");
        if !link.exists() {
            link_folder(&fs::canonicalize(metadata)?, &link)?;
        }
        Ok(Self { anchor })
    }

    /// The root that it began with.
    fn root(&self) -> PathBuf {
        self.anchor.join("anchor.json")
    }
}

#[cfg(unix)]
fn link_folder(folder: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(folder, link)
}

#[cfg(windows)]
fn link_folder(folder: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(folder, link)
}

#[expect(clippy::print_stderr, reason = "why a command failed")]
fn say(text: &str) {
    eprintln!("{text}");
}
