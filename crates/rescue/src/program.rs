//! The program: what it is told, what it tells, its exit code. It refuses to know how anything is done.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for the terminal, and what it prints is what it is started for"
)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use moult_boot::layout::INSTALL_VARIABLE;
use moult_model::Digest;
use moult_trust::Anchor;

use crate::{Exit, RescueConfig, RescueError, Rescued, Screen, rescue};

/// What it was started for.
enum Wish {
    Rescue { failed: Vec<Digest> },
    InstallPackage { file: PathBuf, digest: Digest },
    SelfTest,
    Version,
}

/// Where it gets what it trusts from.
type Trust = dyn Fn() -> Result<Anchor, RescueError>;

/// Runs the program with the arguments and the environment of this process. `trust` says whom it believes.
pub fn run(trust: &Trust) -> ExitCode {
    let ended = match Wish::parse(std::env::args_os().skip(1)) {
        Ok(Wish::Rescue { failed }) => return bring_back(failed, trust),
        Ok(Wish::InstallPackage { file, digest }) => install_package(&file, digest, trust),
        Ok(Wish::SelfTest) => self_test(trust),
        Ok(Wish::Version) => {
            println!("moult-rescue {}", crate::version());
            Ok(())
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.causes());
            ExitCode::from(error.exit().code())
        }
    }
}

impl Wish {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, RescueError> {
        let usage = |what: &str| RescueError::Usage {
            what: format!(
                "{what}. Usage: moult-rescue [--failed DIGEST]... | install-package FILE DIGEST | --self-test | --version"
            ),
        };
        let digest = |text: Option<OsString>| {
            text.and_then(|text| text.to_str()?.parse::<Digest>().ok())
                .ok_or_else(|| usage("A digest of 64 hexadecimal digits is missing"))
        };
        let mut arguments = arguments;
        let mut failed = Vec::new();
        let wish = loop {
            let Some(argument) = arguments.next() else {
                return Ok(Self::Rescue { failed });
            };
            match argument.to_str() {
                Some("--failed") => failed.push(digest(arguments.next())?),
                Some("--self-test") => break Self::SelfTest,
                Some("--version") => break Self::Version,
                Some("install-package") => {
                    let file = arguments.next().ok_or_else(|| usage("A file is missing"))?;
                    break Self::InstallPackage {
                        file: file.into(),
                        digest: digest(arguments.next())?,
                    };
                }
                _ => return Err(usage("An argument is not known")),
            }
        };
        match arguments.next() {
            None => Ok(wish),
            Some(_) => Err(usage("There are too many arguments")),
        }
    }
}

/// The whole of a rescue. Whoever started it reads its exit code; the person reads the screen.
fn bring_back(failed: Vec<Digest>, trust: &Trust) -> ExitCode {
    let screen = Screen::open();
    match try_once(failed, trust, &screen) {
        Ok(rescued) => {
            let text = if rescued.on_trial {
                format!("Moult {} was brought back and is started next.", rescued.version)
            } else {
                format!("Moult {} is in order.", rescued.version)
            };
            screen.close(&text, false);
            ExitCode::from(Exit::Restored.code())
        }
        Err(error) => {
            // A launcher that started this tells the person itself.
            let by_hand = std::env::var_os(INSTALL_VARIABLE).is_none();
            screen.close(&error.statement().to_string(), by_hand);
            ExitCode::from(error.exit().code())
        }
    }
}

fn try_once(failed: Vec<Digest>, trust: &Trust, screen: &Screen) -> Result<Rescued, RescueError> {
    let place = |source| RescueError::Place { source };
    let program = std::env::current_exe()
        .and_then(std::fs::canonicalize)
        .map_err(place)?;
    let beside = program.parent().ok_or_else(|| RescueError::Missing {
        path: program.clone(),
    })?;
    let config = RescueConfig::new(
        |name| std::env::var_os(name),
        beside,
        trust()?,
        crate::repository(),
        crate::triple(),
    );
    let config = config.map_err(|source| RescueError::Store { source })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| RescueError::Network { source })?;
    let config = RescueConfig { failed, ..config };
    runtime.block_on(rescue(&config, Timestamp::now(), &|step| screen.tell(&step)))
}

/// Says that this program can run here and knows whom to trust: asked before it takes another's place.
fn self_test(trust: &Trust) -> Result<(), RescueError> {
    trust()?;
    println!(
        "{{\"program\":\"moult-rescue\",\"version\":\"{}\"}}",
        crate::version()
    );
    Ok(())
}

#[cfg(unix)]
fn install_package(file: &std::path::Path, digest: Digest, trust: &Trust) -> Result<(), RescueError> {
    let key = trust()?.minisign;
    let done = crate::package::install(file, digest, &key, &crate::package::System::real()?)?;
    println!("Version {} was installed.", done.version);
    Ok(())
}

#[cfg(not(unix))]
fn install_package(_: &std::path::Path, _: Digest, _: &Trust) -> Result<(), RescueError> {
    Err(RescueError::Usage {
        what: "packages are installed so on Linux alone; run the installer".to_owned(),
    })
}
