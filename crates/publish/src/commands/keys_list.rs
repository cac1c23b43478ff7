//! `moult keys list`: who signs for each role, where the keys are, and what expires when.

use std::fmt;

use jiff::Timestamp;
use moult_trust::sign::{KeyPlace, RoleState};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::KeysListArgs;
use crate::repository::Open;

#[derive(Serialize)]
struct Listed {
    now: Timestamp,
    roles: Vec<RoleState>,
    /// The roles that were left out: they have one key, and end together.
    shards: usize,
}

pub(super) fn run(context: &Context, args: &KeysListArgs) -> Result<(), PublishError> {
    let open = Open::existing(&context.workspace()?)?;
    let mut roles = open.editor.role_states();
    let mut shards = 0;
    if !args.all {
        // The one that ends first stands for all.
        roles.retain(|role| {
            let is_shard = role.expiry.role.starts_with("publishers-");
            shards += usize::from(is_shard);
            !is_shard || shards == 1
        });
        shards = shards.saturating_sub(1);
    }
    context.output.report(&Listed {
        now: context.now,
        roles,
        shards,
    })
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .roles
            .iter()
            .map(|role| role.expiry.role.len())
            .max()
            .unwrap_or_default();
        for role in &self.roles {
            let left = role.expiry.left(self.now).as_hours();
            let left = match left {
                ..0 => "has expired".to_owned(),
                0..48 => format!("{left} hours left"),
                _ => format!("{} days left", left / 24),
            };
            write!(
                f,
                "{:width$}  version {}, {left}",
                role.expiry.role, role.expiry.version
            )?;
            if self.now >= role.expiry.due {
                write!(f, ", to be renewed")?;
            }
            writeln!(f, "; {} of {} must sign", role.threshold, role.keys.len())?;
            for (id, place) in &role.keys {
                let id: String = id.chars().take(8).collect();
                writeln!(f, "{:width$}  {id}  {}", "", Place(place))?;
            }
        }
        if self.shards > 0 {
            writeln!(
                f,
                "\nand {} more that delegate to publishers with the same key: --all lists them",
                self.shards
            )?;
        }
        Ok(())
    }
}

/// Where a key is, for people.
pub(super) struct Place<'a>(pub(super) &'a KeyPlace);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            KeyPlace::Plain => f.write_str("here, not encrypted"),
            KeyPlace::Sealed => f.write_str("here, encrypted"),
            KeyPlace::Environment { name } => write!(f, "in the environment variable {name}"),
            KeyPlace::Command { command } => write!(f, "behind `{}`", command.join(" ")),
            KeyPlace::Elsewhere => f.write_str("not here"),
        }
    }
}
