//! Where a passphrase comes from: the environment, or whoever sits at the terminal. It is never an argument, which every
//! program on the computer could read.

use std::path::Path;

use console::Term;
use moult_trust::sign::Passphrase;

use crate::PublishError;

/// The environment variable with the passphrase of the keys.
pub const VARIABLE: &str = "MOULT_PASSPHRASE";

/// The passphrase that opens the keys of a folder, if somebody says it.
pub fn ask(folder: &Path) -> Option<Passphrase> {
    from_environment().or_else(|| from_terminal(&format!("passphrase of the keys in {}: ", folder.display())))
}

/// A passphrase for keys that had none: from the environment, or typed twice.
pub fn new(folder: &Path) -> Result<Passphrase, PublishError> {
    if let Some(passphrase) = from_environment() {
        return Ok(passphrase);
    }
    let first = from_terminal(&format!("new passphrase for the keys in {}: ", folder.display()));
    let again = first.as_ref().and_then(|_| from_terminal("the same again: "));
    match (first, again) {
        (Some(first), Some(again)) if first == again => Ok(first),
        (Some(_), Some(_)) => Err(PublishError::PassphrasesDiffer),
        _ => Err(PublishError::NoPassphrase),
    }
}

fn from_environment() -> Option<Passphrase> {
    let passphrase = Passphrase::new(std::env::var(VARIABLE).ok()?);
    (!passphrase.is_empty()).then_some(passphrase)
}

fn from_terminal(prompt: &str) -> Option<Passphrase> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return None;
    }
    terminal.write_str(prompt).ok()?;
    let passphrase = Passphrase::new(terminal.read_secure_line().ok()?);
    (!passphrase.is_empty()).then_some(passphrase)
}
