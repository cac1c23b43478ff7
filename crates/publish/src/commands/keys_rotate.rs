//! `moult keys rotate`: gives a role new keys. Clients follow by themselves, however far they are behind.

use std::fmt;

use moult_trust::sign::{Editor, HeldKey, KeyChange, KeyPlace};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::KeysRotateArgs;
use crate::repository::{Open, sign_error};
use crate::staging::{self, Outcome};

#[derive(Serialize)]
struct Rotated {
    role: String,
    /// The ids of the new keys.
    new: Vec<String>,
    /// The ids of those that count no more.
    dropped: Vec<String>,
    threshold: usize,
    outcome: Outcome,
}

pub(super) fn run(context: &Context, args: &KeysRotateArgs) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let mut open = Open::existing(&workspace)?;
    let before = ids(&open.editor, &args.role);
    let change = change(args, &before)?;
    let new = open
        .editor
        .change_keys(&args.role, &change)
        .map_err(sign_error("the keys can't be replaced"))?;
    let outcome = staging::commit_or_stage(&workspace, &mut open.editor, context.now)?;
    let dropped = before
        .into_iter()
        .filter(|id| !change.keep.contains(id) && !new.contains(id));
    context.output.report(&Rotated {
        role: args.role.clone(),
        dropped: dropped.collect(),
        new,
        threshold: change.threshold,
        outcome,
    })
}

fn ids(editor: &Editor, role: &str) -> Vec<String> {
    let states = editor.role_states();
    let state = states.into_iter().find(|state| state.expiry.role == role);
    state.map_or_else(Vec::new, |state| state.keys.into_keys().collect())
}

fn change(args: &KeysRotateArgs, known: &[String]) -> Result<KeyChange, PublishError> {
    let mut keep = Vec::new();
    for start in &args.keep {
        let mut fitting = known.iter().filter(|id| id.starts_with(start.as_str()));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) => keep.push(id.clone()),
            _ => {
                return Err(PublishError::KeyUnknown {
                    role: args.role.clone(),
                    start: start.clone(),
                    known: known.to_vec(),
                });
            }
        }
    }
    let place = match (&args.command, &args.environment) {
        (Some(command), _) => KeyPlace::Command {
            command: shell(command),
        },
        (None, Some(name)) => KeyPlace::Environment { name: name.clone() },
        (None, None) => KeyPlace::Elsewhere,
    };
    if place != KeyPlace::Elsewhere && args.public.len() != 1 {
        return Err(PublishError::OnePublicKey);
    }
    let held = args.public.iter().map(|text| {
        Ok(HeldKey {
            public: public(text)?,
            place: place.clone(),
        })
    });
    Ok(KeyChange {
        keep,
        make: args
            .make
            .unwrap_or(usize::from(args.public.is_empty() && args.keep.is_empty())),
        held: held.collect::<Result<_, PublishError>>()?,
        threshold: args.threshold,
    })
}

/// A command line as the system's shell reads it.
fn shell(command: &str) -> Vec<String> {
    let (program, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    [program, option, command].map(str::to_owned).to_vec()
}

fn public(text: &str) -> Result<String, PublishError> {
    match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|source| PublishError::PublicKeyRead {
            path: path.into(),
            source,
        }),
        None => Ok(text.to_owned()),
    }
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |id: &String| id.chars().take(8).collect::<String>();
        writeln!(f, "role       {}", self.role)?;
        for id in &self.new {
            writeln!(f, "new key    {}", short(id))?;
        }
        for id in &self.dropped {
            writeln!(f, "dropped    {}", short(id))?;
        }
        writeln!(f, "must sign  {}", self.threshold)?;
        write!(f, "{}", self.outcome)
    }
}
