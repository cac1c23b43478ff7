//! The report that the user can save: versions, history and settings, free of secrets.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app::Context;
use crate::{overview, prompt};

/// Lets the user choose a folder and writes the report there. Answers with the file's path, or null if none was chosen.
pub(crate) async fn save(context: &Arc<Context>) -> anyhow::Result<Value> {
    let handle = context.handle.get().context("there is no window yet")?;
    let Some(folder) = prompt::choose_folder(handle, "Save the report in").await else {
        return Ok(Value::Null);
    };
    let overview = overview::draw(context);
    let boot = context.store.state()?;
    let report = json!({
        "at": jiff::Timestamp::now(),
        "app": overview.app_version,
        "triple": overview.triple,
        "slot": context.places.slot,
        "boot": boot,
        "installed": overview.installed,
        "history": overview.history,
        "settings": overview.settings,
        "check_problem": overview.check_problem,
        "not_tried": overview.not_tried,
        "beliefs": overview.beliefs,
        "explanations": overview.explanations,
    });
    let path = folder.join("moult-report.json");
    moult_durable::write_atomic(&path, &serde_json::to_vec_pretty(&report)?)?;
    Ok(json!(path))
}
