//! The rescue's process. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    moult_rescue::program::run(&moult_rescue::anchor)
}
