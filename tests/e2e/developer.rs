//! A widget is shown while it is written: swapped at each save, told what is wrong over it, and gone with the tool.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;
use moult_model::developer::{DOOR, Door, PROTOCOL, ToApp, write};
use moult_tests::fixtures::Fixtures;
use moult_tests::processes::Guard;
use moult_tests::scene::{PATIENCE, Scene, Setting, play};
use moult_tests::stage::Part;
use moult_tests::steps::{self, NOTES};
use moult_tests::wait::{Look, until};
use serde_json::Value;

const TILE: Part<'static> = Part::Widget("developer-water");
const TROUBLE: &str = "[data-testid=trouble-developer-water]";
/// So many saves are timed.
const SAVES: usize = 20;

/// `moult widget dev`, and what it says.
struct Tool {
    _process: Guard,
    news: Receiver<Value>,
}

impl Tool {
    fn start(fixtures: &Fixtures, folder: &Path, data: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(fixtures.moult())
            .args(["--json", "widget", "dev"])
            .arg(folder)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let (tell, news) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else {
                    continue;
                };
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            _process: Guard::new(child),
            news,
        })
    }

    fn hear(&self, kind: &str) -> anyhow::Result<Value> {
        let news = self
            .news
            .recv_timeout(PATIENCE)
            .context("the tool says nothing")?;
        anyhow::ensure!(news["kind"] == kind, "{kind} was awaited: {news}");
        Ok(news)
    }
}

/// The template, with its tools from this workspace: what `npm install` would bring.
fn project(scene: &Scene) -> anyhow::Result<PathBuf> {
    let fixtures = scene.fixtures();
    let folder = scene.install().folder().join("water");
    let made = Command::new(fixtures.moult())
        .args(["widget", "new", "acme/water", "--folder"])
        .arg(&folder)
        .stdout(Stdio::null())
        .status()?;
    anyhow::ensure!(made.success(), "the template could not be laid out");
    let modules = folder.join("node_modules");
    std::fs::create_dir_all(modules.join("@moult"))?;
    let link = std::os::unix::fs::symlink::<PathBuf, PathBuf>;
    link(folder.join("vendor/moult-widget"), modules.join("@moult/widget"))?;
    link(
        fixtures.workspace().join("node_modules/esbuild"),
        modules.join("esbuild"),
    )?;
    Ok(folder)
}

/// Saves the words of the widget with another text for the goal.
fn save(folder: &Path, text: &str) -> anyhow::Result<()> {
    let path = folder.join("src/words.ts");
    let words = std::fs::read_to_string(&path)?;
    let begin = words.find("of: (goal: string) =>").context("the words")?;
    let end = begin + words[begin..].find('\n').context("a line")?;
    let changed = format!(
        "{}of: (goal: string) => {text},{}",
        &words[..begin],
        &words[end..]
    );
    // At once, as editors do.
    let fresh = path.with_file_name(".words.ts.new");
    std::fs::write(&fresh, changed)?;
    Ok(std::fs::rename(fresh, path)?)
}

async fn says(scene: &Scene, count: &str, goal: &str) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    let expected = format!("{count}{goal}");
    until(&format!("{expected:?} in the tile"), PATIENCE, async || {
        let found = stage.words(TILE, ".figure").await?.unwrap_or_default();
        Ok(Look::when(
            found.replace(['\n', ' '], "") == expected.replace(' ', ""),
            format!("{found:?}"),
        ))
    })
    .await
}

async fn trouble(scene: &Scene, text: Option<&str>) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    until(&format!("{text:?} over the tile"), PATIENCE, async || {
        let words = stage.words(Part::Shell, TROUBLE).await?;
        let right = match (text, &words) {
            (None, None) => true,
            (Some(text), Some(words)) => words.contains(text),
            _ => false,
        };
        Ok(Look::when(right, format!("{words:?}")))
    })
    .await
}

fn door(scene: &Scene) -> anyhow::Result<Door> {
    Ok(serde_json::from_slice(&std::fs::read(
        scene.install().data().join(DOOR),
    )?)?)
}

async fn turn_switch(scene: &Scene, on: bool) -> anyhow::Result<()> {
    let stage = scene.stage()?;
    stage.press(Part::Shell, "[data-testid=settings]").await?;
    stage
        .press(Part::Shell, "[data-testid=section-developer]")
        .await?;
    stage.press(Part::Shell, "[data-testid=developer]").await?;
    let path = scene.install().data().join(DOOR);
    until("the door", PATIENCE, async || {
        Ok(Look::when(path.exists() == on, path.exists()))
    })
    .await?;
    steps::show_board(scene).await
}

/// What the door answers to a first message: how many bytes before it closes.
fn knock(port: u16, bytes: &[u8]) -> anyhow::Result<usize> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => Ok(answer.len()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(answer.len()),
        Err(error) => Err(error).context("the door stays open"),
    }
}

#[tokio::test]
async fn a_widget_that_is_written_is_swapped_at_each_save_and_gone_with_the_tool() -> anyhow::Result<()> {
    play("developer", Setting::default(), async |scene| {
        steps::open(scene).await?;
        let data = scene.install().data();
        assert!(!data.join(DOOR).exists(), "it is off until the user turns it on");
        turn_switch(scene, true).await?;
        let mode = std::fs::metadata(data.join(DOOR))?.permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);

        let folder = project(scene)?;
        let tool = Tool::start(scene.fixtures(), &folder, &data)?;
        tool.hear("live")?;
        says(scene, "0", "of 8").await?;
        let marked = scene
            .stage()?
            .words(Part::Shell, "[data-testid=developer-developer-water]")
            .await?;
        assert_eq!(marked.as_deref(), Some("Developer"));
        for _ in 0..3 {
            scene.stage()?.click(TILE, "#more").await?;
        }
        says(scene, "3", "of 8").await?;

        let mut times = Vec::new();
        for number in 0..SAVES {
            save(&folder, &format!("`of (${{goal}}) {number}`"))?;
            let news = tool.hear("live")?;
            times.push(news["whole_ms"].as_f64().context("a time")?);
            says(scene, "3", &format!("of (8) {number}")).await?;
        }
        times.sort_by(f64::total_cmp);
        #[expect(clippy::print_stderr, reason = "the figure is for who runs the story")]
        {
            eprintln!(
                "from the save to the first frame of the new version, in ms: median {:.0}, worst {:.0}, of {SAVES}",
                f64::midpoint(times[SAVES / 2 - 1], times[SAVES / 2]),
                times[SAVES - 1]
            );
        }

        // A build that fails, a version that throws, and the way out of both.
        save(&folder, "`of ${goal")?;
        tool.hear("trouble")?;
        trouble(scene, Some("words.ts")).await?;
        says(scene, "3", &format!("of (8) {}", SAVES - 1)).await?;
        scene.picture("developer-trouble")?;
        save(&folder, "(() => { throw new Error(\"high tide\"); })()")?;
        tool.hear("trouble")?;
        trouble(scene, Some("high tide")).await?;
        says(scene, "3", &format!("of (8) {}", SAVES - 1)).await?;
        save(&folder, "`of ${goal}`")?;
        tool.hear("live")?;
        trouble(scene, None).await?;
        says(scene, "3", "of 8").await?;

        // Who has not the token gets no answer, nor does a page.
        let Door { port, token } = door(scene)?;
        let hello = |token: &str| {
            let token = token.to_owned();
            write(
                &ToApp::Hello {
                    protocol: PROTOCOL,
                    token,
                },
                0,
            )
        };
        assert_eq!(knock(port, &hello(&"0".repeat(token.len()))?)?, 0);
        assert_eq!(knock(port, &write(&ToApp::Run, 0)?)?, 0);
        assert_eq!(knock(port, b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?, 0);

        // The tool ends, and nothing of the widget is left.
        drop(tool);
        until("the tile to be gone", PATIENCE, async || {
            let frames = scene.stage()?.frames().await?;
            let left = frames
                .iter()
                .filter(|frame| frame.instance.as_deref() == Some("developer-water"));
            Ok(Look::when(left.count() == 0, "it stands"))
        })
        .await?;
        for entry in walk(&data)? {
            let text = std::fs::read(&entry)?;
            let written = text
                .windows(b"developer-water".len())
                .any(|window| window == b"developer-water");
            let is_log = entry.components().any(|part| part.as_os_str() == "log");
            let is_web = entry.components().any(|part| part.as_os_str() == "web");
            assert!(!written || is_log || is_web, "{} keeps it", entry.display());
        }
        steps::write_note(scene, "still here").await?;
        scene.stage()?.live(NOTES).await?;

        turn_switch(scene, false).await?;
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the door is shut");
        Ok(())
    })
    .await
}

fn walk(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(walk(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}
