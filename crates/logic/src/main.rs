//! `moult-sandbox`: started by Moult, and by nobody else.

use std::process::ExitCode;

use moult_logic::confine::Task;
use moult_logic::{ChildError, compile, confine, run};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let outcome = match argument.as_deref() {
        Some("run") => begin(Task::Run, run::run),
        Some("compile") => begin(Task::Compile, compile::run),
        _ => return ExitCode::from(2),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // What went wrong is the application's to say: it sees how this process ended.
        Err(_) => ExitCode::from(3),
    }
}

/// Gives up all rights, then does its one thing.
fn begin(
    task: Task,
    act: impl FnOnce(confine::Connection, Vec<String>) -> Result<(), ChildError>,
) -> Result<(), ChildError> {
    let connection = confine::Connection::inherited()?;
    let confined = confine::confine(task)?;
    act(connection, confined)
}
