//! `moult explain`: why an installation has the versions it has, from what its engine noted.

use std::fmt;
use std::path::Path;

use moult_durable::TwoCopy;
use moult_model::{Explanation, Subject};
use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::PublishError;
use crate::cli::ExplainArgs;
use crate::widget::dev::usual_data;

/// All that was asked for.
#[derive(Debug, Serialize)]
struct Explained {
    explanations: Vec<Explanation>,
}

pub(super) fn run(context: &Context, args: &ExplainArgs) -> Result<(), PublishError> {
    let data = match &args.data {
        Some(data) => data.clone(),
        None => usual_data(|name| std::env::var_os(name))?,
    };
    let mut explanations = noted(&data)?;
    let known: Vec<Subject> = explanations.iter().map(|found| found.subject.clone()).collect();
    if let Some(unknown) = args.subjects.iter().find(|subject| !known.contains(subject)) {
        let subject = unknown.clone();
        return Err(PublishError::NotExplained { subject, known });
    }
    explanations.retain(|found| args.subjects.is_empty() || args.subjects.contains(&found.subject));
    context.output.report(&Explained { explanations })
}

/// The record `update/explained` of a data folder (docs/rollout.md). A line that only another version understands is left out.
fn noted(data: &Path) -> Result<Vec<Explanation>, PublishError> {
    let folder = data.join("update");
    let noted = TwoCopy::<Vec<Value>>::new(&folder, "explained").load();
    let lines = noted.map_err(|source| PublishError::ExplainRead {
        path: folder.clone(),
        source: Box::new(source),
    })?;
    let lines = lines.ok_or_else(|| PublishError::NothingExplained {
        path: data.to_owned(),
    })?;
    Ok(lines
        .into_iter()
        .filter_map(|line| serde_json::from_value(line).ok())
        .collect())
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, explanation) in self.explanations.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{explanation}")?;
        }
        Ok(())
    }
}
