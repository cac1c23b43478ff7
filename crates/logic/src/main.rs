//! `moult-sandbox`: started by Moult, and by nobody else.

use std::process::ExitCode;

use moult_logic::{ChildError, compile, confine, run};
use moult_sandbox::logic::effort::Task;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["run"] => begin(Task::Run, run::run),
        ["compile", bytes] => match bytes.parse() {
            Ok(bytes) => begin(Task::Compile { bytes }, |connection, confined| {
                compile::run(connection, confined, bytes)
            }),
            Err(_) => return ExitCode::from(2),
        },
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
