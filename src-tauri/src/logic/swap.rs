//! One version of logic takes over from another, together with its frame.
//!
//! ```text
//! prepare (beside the old one, with its state) -> hand_over (as the frame freezes) -> commit | roll_back
//! ```
//! It refuses to know when a frame switches: the stage says so.

use std::sync::Arc;

use moult_model::stage::{SavedState, SwapCause, SwapFailure};
use tokio::sync::oneshot;

use super::problems;
use super::seat::{Order, Seat};
use crate::app::Context;
use crate::stage::withdrawn;

/// Starts the logic of a new version beside the old one's, with the state that this has now. A version without logic is
/// ready at once.
pub(crate) async fn prepare(context: &Arc<Context>, token: &str) -> Result<(), SwapFailure> {
    let Some(seat) = context.logic.seat(token) else {
        return Ok(());
    };
    let state = match old_of(context, &seat) {
        // One that is left because it failed hands nothing on: what was saved before it counts.
        Some(old) if old.flags().fault().is_none() => snapshot(&old).await,
        _ => None,
    };
    let (done, begun) = oneshot::channel();
    seat.tell(Order::Begin { state, done });
    match begun.await {
        Ok(outcome) => outcome.map_err(|error| problems::failure(&error)),
        Err(_) => Err(withdrawn("there is no program for widget logic")),
    }
}

/// The frame of a new version is about to be the user's: so is its logic, with the last state of the old one.
pub(crate) fn hand_over(context: &Arc<Context>, token: &str) {
    let Some(load) = context.loads.by_token(token) else {
        return;
    };
    let Some(instance) = load.instance.clone() else {
        return;
    };
    let restored = {
        let _order = context.logic.in_order();
        let old = context
            .live
            .set(&instance, token)
            .and_then(|old| context.logic.seat(&old));
        let new = context.logic.seat(token);
        let sound = old.filter(|old| old.flags().fault().is_none());
        sound.zip(new).map(|(old, new)| (pass_on(&old, &new), new))
    };
    let Some((restored, new)) = restored else { return };
    tauri::async_runtime::spawn(async move {
        if let Ok(Err(error)) = restored.await {
            tracing::warn!(%error, subject = %new.load.subject, "the new logic did not take the old one's last state");
            new.flags().blame(problems::failure(&error));
        }
    });
}

/// The frame of a new version is confirmed. Its logic is too, unless something went wrong with it meanwhile: then both
/// go back. Its state is to be kept with [`confirmed`] once the old version is gone.
pub(crate) async fn commit(context: &Arc<Context>, token: &str) -> Result<Option<SavedState>, SwapFailure> {
    let Some(seat) = context.logic.seat(token) else {
        return Ok(None);
    };
    // Whatever was asked of it before is answered by then.
    let state = snapshot(&seat).await;
    if let Some(fault) = context.logic.fault(token) {
        return Err(fault);
    }
    let Some(state) = state else {
        return Err(SwapFailure {
            cause: SwapCause::NotReady,
            detail: "the new logic says no state, or more than can be kept".to_owned(),
        });
    };
    Ok(Some(state))
}

/// The old version is gone: from here on the new one's state is what comes back after a restart.
pub(crate) fn confirmed(context: &Context, token: &str, state: Option<SavedState>) {
    if let (Some(seat), Some(state)) = (context.logic.seat(token), state) {
        context.logic.keep(&seat.load, &state);
    }
}

/// The old frame is back, and its logic with it. What the new one knew last goes along if the old one can read it.
pub(crate) async fn roll_back(context: &Arc<Context>, token: &str, old: Option<&str>) {
    let (Some(new), Some(old)) = (
        context.loads.by_token(token),
        old.and_then(|old| context.loads.by_token(old)),
    ) else {
        return;
    };
    let Some(instance) = old.instance.as_deref() else {
        return;
    };
    let was_live = context.live.is(&new);
    let restored = {
        let _order = context.logic.in_order();
        context.live.set(instance, &old.token);
        let schema = |load: &crate::loads::LiveLoad| load.bundle.manifest().state.map(|state| state.schema);
        let sound = context.logic.fault(token).is_none();
        let seats = context.logic.seat(token).zip(context.logic.seat(&old.token));
        match seats {
            Some((new_seat, old_seat)) if was_live && sound && schema(&new) == schema(&old) => {
                Some(pass_on(&new_seat, &old_seat))
            }
            _ => None,
        }
    };
    if let Some(restored) = restored
        && let Ok(Err(error)) = restored.await
    {
        tracing::warn!(%error, "the old logic goes on with its own state");
    }
}

fn old_of(context: &Context, seat: &Seat) -> Option<Arc<Seat>> {
    let instance = seat.load.instance.as_deref()?;
    let old = context.live.token(instance)?;
    (old != seat.load.token)
        .then(|| context.logic.seat(&old))
        .flatten()
}

/// The state of a seat after all that it was told so far.
async fn snapshot(seat: &Seat) -> Option<SavedState> {
    let (done, state) = std::sync::mpsc::channel();
    seat.tell(Order::Snapshot { done });
    tauri::async_runtime::spawn_blocking(move || state.recv().ok().flatten())
        .await
        .ok()
        .flatten()
}

/// Has one seat take over what another has: both as of now, whatever they are told afterwards.
fn pass_on(from: &Seat, to: &Seat) -> oneshot::Receiver<Result<(), moult_sandbox::logic::pool::LogicError>> {
    let (give, state) = std::sync::mpsc::channel();
    let (done, restored) = oneshot::channel();
    to.tell(Order::Restore { state, done });
    from.tell(Order::Snapshot { done: give });
    restored
}
