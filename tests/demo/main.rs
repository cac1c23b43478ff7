//! The demonstration: publishes, installs, runs and updates Moult before the eyes of whoever watches, and
//! checks each claim it makes. Ends with 0 only if every claim held.

mod checks;
mod play;
mod report;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use moult_tests::display::Display;
use moult_tests::fixtures::Fixtures;
use moult_tests::publisher::Publisher;
use moult_tests::scene::{Scene, Setting};

use play::Play;
use screen::Screen;

/// Updates Moult by deltas while it runs, and checks what it claims.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leave the application and the server running at the end, until Enter is pressed
    #[arg(long)]
    keep: bool,
    /// Where pictures and the report go
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    out: PathBuf,
    /// Draw on a display of its own even if there is one to watch
    #[arg(long)]
    hidden: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(&arguments, &screen)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen.line(&format!("The demonstration stopped: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays it. `false` means that it came to its end and a claim did not hold.
async fn run(arguments: &Arguments, screen: &Screen) -> anyhow::Result<bool> {
    let fixtures = {
        let step = screen.step("Builds: application, launcher, command line, shell, widgets");
        let fixtures = Fixtures::ensure(&mut |what| step.now(what))?;
        step.done("");
        fixtures
    };
    let display = match Display::given() {
        Some(display) if !arguments.hidden => display,
        _ => Display::own()?,
    };
    screen.line(&format!(
        "Display {}, pictures and report in {}",
        display.name(),
        arguments.out.display()
    ));
    let shots = arguments.out.join("shots");
    if shots.is_dir() {
        std::fs::remove_dir_all(&shots).with_context(|| shots.display().to_string())?;
    }
    let mut scene = Scene::set(&fixtures, display, Publisher::open, Setting::default(), &shots)?;
    let mut play = Play::new(screen);
    if let Err(error) = play.all(&mut scene).await {
        return Err(scene.explain(error));
    }
    let report = play.into_report();
    report.write(&arguments.out.join("report.json"))?;
    report.print(screen);
    if arguments.keep {
        let url = scene.serve().url().clone();
        screen.line(&format!(
            "Moult runs on display {}; its repository is at {url}",
            scene.display().name()
        ));
        screen.line("Press Enter, or Ctrl-C, to end both.");
        std::io::stdin()
            .read_line(&mut String::new())
            .context("nothing can be read from the terminal")?;
    }
    scene.end();
    Ok(report.holds())
}
