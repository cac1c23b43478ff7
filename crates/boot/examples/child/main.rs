//! An application for the launcher's tests. It does what the script at the end of its own file says.

#[cfg(unix)]
mod script;

#[cfg(unix)]
fn main() -> script::Outcome<()> {
    script::run()
}

/// The launcher starts nothing here yet.
#[cfg(not(unix))]
fn main() {}
