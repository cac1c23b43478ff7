//! Why everything has the version it has, as it was noted last: for whoever asks while no application runs.

use std::path::Path;

use moult_durable::{DurableError, TwoCopy};
use moult_model::Explanation;
use serde_json::Value;

use super::understood;

/// The explanations that the engine noted last in a data folder: the executable first, then the shell and the widgets. Empty if
/// it never checked. They are at most an hour older than the last check that changed nothing.
///
/// Nothing is changed by reading, and the application may run meanwhile.
pub fn explained(data: &Path) -> Result<Vec<Explanation>, DurableError> {
    let noted = TwoCopy::<Value>::new(data.join("update"), "explained").load()?;
    let lines = understood::<Explanation>(noted.as_ref());
    Ok(lines
        .into_iter()
        .filter_map(|line| serde_json::from_value(line).ok())
        .collect())
}
