//! Running the logic of one publisher: hands what comes to the instances, and what they say back.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};

use moult_sandbox::logic::wire::{Frame, FromChild, InstanceNumber, ToChild, read_frame, write_message};

use crate::ChildError;
use crate::code::Loaded;
use crate::confine::Connection;
use crate::engine::{self, Ticker};
use crate::guest::Told;
use crate::instance::{self, Birth};

/// More instances than this are not started: a board has fewer of one publisher.
const INSTANCES: usize = 64;

/// Runs until the application closes the connection.
pub fn run(connection: Connection, confined: Vec<String>) -> Result<(), ChildError> {
    let (mut from, mut to) = connection.split()?;
    let engine = engine::engine()?;
    let (ticker, loaded) = (Ticker::start(&engine)?, Loaded::new(&engine));
    let hello = FromChild::Hello {
        confined,
        engine: engine::name(&engine),
    };
    write_message(&mut to, &hello)?;
    let (out, said): (Sender<FromChild>, Receiver<FromChild>) = channel();
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || {
            for message in said {
                if write_message(&mut to, &message).is_err() {
                    break;
                }
            }
        })?;
    let mut instances: HashMap<InstanceNumber, Sender<Told>> = HashMap::new();
    while let Some(frame) = read_frame::<ToChild>(&mut from)? {
        let Frame::Message(message) = frame else {
            return Err(ChildError::Connection(std::io::ErrorKind::InvalidData.into()));
        };
        match message {
            ToChild::Start {
                instance,
                component,
                limits,
                settings,
                state,
                schema,
            } => {
                let Some(Frame::Raw(code)) = read_frame::<ToChild>(&mut from)? else {
                    return Err(ChildError::Connection(std::io::ErrorKind::InvalidData.into()));
                };
                let birth = Birth {
                    instance,
                    limits,
                    settings,
                    state,
                    schema,
                    component,
                    code,
                };
                if instances.len() < INSTANCES {
                    instances.insert(instance, instance::start(&loaded, &ticker, birth, out.clone())?);
                }
            }
            ToChild::Handle { instance, .. }
            | ToChild::Snapshot { instance, .. }
            | ToChild::Restore { instance, .. }
            | ToChild::Answer { instance, .. } => {
                // One that has ended has said so, or will.
                if let Some(tell) = instances.get(&instance) {
                    let _ = tell.send(Told(message));
                }
            }
            ToChild::Stop { instance } => {
                if let Some(tell) = instances.remove(&instance) {
                    let _ = tell.send(Told(message));
                }
            }
            ToChild::Compile => {}
        }
    }
    // Without their senders the instances end, and with the last of them the writer.
    drop((instances, out));
    let _ = writer.join();
    Ok(())
}
