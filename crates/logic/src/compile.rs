//! Compiling one component: in a process of its own, so that a component that is a bomb spares all others.

use moult_sandbox::logic::wire::{
    COMPONENT_BYTES, Frame, FromChild, ToChild, read_frame, write_message, write_raw,
};
use moult_sandbox::logic::{Fault, FaultKind};

use crate::confine::Connection;
use crate::{ChildError, engine};

/// Compiles what it is told to, which has so many bytes, and ends.
pub fn run(connection: Connection, confined: Vec<String>, bytes: usize) -> Result<(), ChildError> {
    let (mut from, mut to) = connection.split()?;
    let engine = engine::engine()?;
    let hello = FromChild::Hello {
        confined,
        engine: engine::name(&engine),
    };
    write_message(&mut to, &hello)?;
    let Some(Frame::Message(ToChild::Compile)) = read_frame::<ToChild>(&mut from)? else {
        return Ok(());
    };
    let Some(Frame::Raw(component)) = read_frame::<ToChild>(&mut from)? else {
        return Ok(());
    };
    // What this process may take was set by the size that was announced.
    let most = bytes.min(COMPONENT_BYTES);
    if component.len() > most {
        let fault = unfit(&format!("{} bytes are more than {most}", component.len()));
        return Ok(write_message(&mut to, &FromChild::NotCompiled { fault })?);
    }
    match engine.precompile_component(&component) {
        Ok(code) => {
            write_message(&mut to, &FromChild::Compiled)?;
            write_raw(&mut to, &code)?;
        }
        Err(error) => {
            let fault = unfit(&format!("{error:#}"));
            write_message(&mut to, &FromChild::NotCompiled { fault })?;
        }
    }
    Ok(())
}

fn unfit(detail: &str) -> Fault {
    Fault {
        kind: FaultKind::Unfit,
        detail: detail.chars().take(2_000).collect(),
    }
}
