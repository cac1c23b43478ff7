//! The local interface as this process serves it. What it says of itself; the rest is in `moult-handover`.

use std::sync::{Arc, Mutex, PoisonError};

use moult_handover::{Endpoint, LocalApi};
use serde_json::json;

use crate::app::Context;
use crate::build::TRIPLE;

/// The interface, while this process serves it.
#[derive(Default)]
pub(crate) struct Present(Mutex<Option<LocalApi>>);

/// Opens the interface and serves it. Without it everything else goes on.
pub(crate) fn open(context: &Arc<Context>) {
    match Endpoint::open(&context.places.data) {
        Ok(endpoint) => serve(context, endpoint),
        Err(error) => tracing::warn!(%error, "there is no local interface"),
    }
}

/// Serves an interface that is open.
pub(crate) fn serve(context: &Arc<Context>, endpoint: Endpoint) {
    let weak = Arc::downgrade(context);
    let served = LocalApi::serve(endpoint, move || match weak.upgrade() {
        Some(context) => status(&context),
        None => json!({}),
    });
    match served {
        Ok(api) => *context.local_api.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(api),
        Err(error) => tracing::warn!(%error, "there is no local interface"),
    }
}

/// Stops serving, for another process to go on.
pub(crate) fn stop(context: &Context) -> Option<Endpoint> {
    let api = context
        .local_api
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    api.and_then(LocalApi::into_endpoint)
}

fn status(context: &Context) -> serde_json::Value {
    let picture = context
        .writing
        .engine()
        .map(|engine| engine.picture())
        .unwrap_or_default();
    json!({
        "version": context.build.version,
        "triple": TRIPLE,
        "slot": context.places.slot,
        "pid": std::process::id(),
        "writes": context.writing.holds_right(),
        "checked_at": picture.checked_at.map(|at| at.to_string()),
        "activities": picture.activities.len(),
        "explanations": picture.explanations.into_values().collect::<Vec<_>>(),
    })
}
