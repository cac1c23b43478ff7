//! `moult keys add-publisher` and `revoke-publisher`: who may publish widgets under which name.

use std::fmt;

use moult_trust::sign::{Editor, SignError};
use serde::Serialize;

use super::Context;
use crate::PublishError;
use crate::cli::PublisherArgs;
use crate::repository::{Open, sign_error};
use crate::staging::{self, Outcome};

#[derive(Serialize)]
struct Changed {
    publisher: String,
    done: &'static str,
    /// All that may publish now.
    publishers: Vec<String>,
    outcome: Outcome,
}

pub(super) fn add(context: &Context, args: &PublisherArgs) -> Result<(), PublishError> {
    change(context, args, "added", Editor::add_publisher)
}

pub(super) fn revoke(context: &Context, args: &PublisherArgs) -> Result<(), PublishError> {
    change(context, args, "revoked", Editor::revoke_publisher)
}

fn change(
    context: &Context,
    args: &PublisherArgs,
    done: &'static str,
    edit: fn(&mut Editor, &str) -> Result<(), SignError>,
) -> Result<(), PublishError> {
    let workspace = context.workspace()?;
    let mut open = Open::existing(&workspace)?;
    let before = open.editor.publishers().len();
    edit(&mut open.editor, &args.name).map_err(sign_error("the publisher can't be changed"))?;
    let mut publishers = open.editor.publishers();
    publishers.sort();
    let outcome = staging::commit_or_stage(&workspace, &mut open.editor, context.now)?;
    context.output.report(&Changed {
        publisher: args.name.clone(),
        done: if publishers.len() == before {
            "was there"
        } else {
            done
        },
        publishers,
        outcome,
    })
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "publisher  {} {}", self.publisher, self.done)?;
        writeln!(f, "now        {}", self.publishers.join(", "))?;
        write!(f, "{}", self.outcome)
    }
}
