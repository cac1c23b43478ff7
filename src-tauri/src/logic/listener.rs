//! What logic says by itself: calls, words to its page, lines, snapshots and failures. Called on threads of the pool,
//! none of which may wait.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Instant;

use moult_model::stage::{SavedState, StageEvent};
use moult_sandbox::call::REQUEST_BYTES;
use moult_sandbox::logic::Fault;
use moult_sandbox::logic::pool::{CallNumber, Key, Listener, LogicError};
use moult_sandbox::{Ear, Side};
use serde_json::{Value, json};

use super::{Logic, problems};
use crate::app::Context;
use crate::powers;

/// The application, as the pool sees it.
pub(super) struct Hearing(pub(super) Weak<Context>);

impl Listener for Hearing {
    fn call(&self, key: &Key, number: CallNumber, capability: &str, request: Value) {
        let Some(context) = self.0.upgrade() else { return };
        let (token, capability) = (key.instance.clone(), capability.to_owned());
        tauri::async_runtime::spawn(async move {
            let outcome = match context.loads.by_token(&token) {
                Some(load) => {
                    let shadows = context.logic.shadows();
                    if let Some(outcome) = shadows.answer(&load, &capability, &request) {
                        outcome
                    } else {
                        let asked = request.clone();
                        let call = powers::call(&context, &load, Side::Logic, &capability, request, None);
                        let outcome = call.await;
                        shadows.note(&load, &capability, asked, &outcome);
                        if shadows.is_beside(&load) {
                            // It hears what the live version hears, and nothing of its own.
                            context.powers.talk.close(&token);
                        }
                        outcome
                    }
                }
                None => Err(problems::gone()),
            };
            if let Some(pool) = context.logic.pool(&context) {
                pool.answer(number, outcome.map_err(|problem| json!(problem)));
            }
        });
    }

    fn said(&self, key: &Key, event: Value) {
        let Some(context) = self.0.upgrade() else { return };
        let page = Ear::new(&key.instance, Side::Page);
        if event.to_string().len() > REQUEST_BYTES || !context.powers.talk.admits(&page, Instant::now()) {
            return tracing::warn!(
                ?key,
                "a word of logic to its page is dropped: too large, or one too many"
            );
        }
        let load = context.loads.by_token(&page.load);
        let Some(instance) = load.and_then(|load| load.instance.clone()) else {
            return;
        };
        context.stage.send(&StageEvent::News {
            instance,
            token: page.load,
            news: json!({ "kind": "logic", "event": event }),
        });
    }

    fn logged(&self, key: &Key, line: &str) {
        let Some(context) = self.0.upgrade() else { return };
        if let Some(seat) = context.logic.seat(&key.instance).filter(|seat| seat.may_log()) {
            tracing::info!(subject = %seat.load.subject, line, "logic says");
        }
    }

    fn snapshot(&self, key: &Key, state: &SavedState) {
        let Some(context) = self.0.upgrade() else { return };
        if let Some(seat) = context.logic.seat(&key.instance)
            && Logic::is_confirmed(&context, &seat.load)
        {
            context.logic.keep(&seat.load, state);
        }
    }

    fn restarted(&self, key: &Key) {
        let Some(context) = self.0.upgrade() else { return };
        if let Some(seat) = context.logic.seat(&key.instance) {
            tracing::info!(subject = %seat.load.subject, "logic runs again, with what it had");
            context.logic.recovered(&seat.load);
        }
    }

    fn failed(&self, key: &Key, fault: &Fault, gave_up: bool) {
        let Some(context) = self.0.upgrade() else { return };
        let Some(seat) = context.logic.seat(&key.instance) else {
            return;
        };
        tracing::warn!(subject = %seat.load.subject, version = %seat.load.bundle.manifest().version, %fault, gave_up, "logic failed");
        if gave_up {
            seat.flags().is_off.store(true, Ordering::Release);
        }
        if Logic::is_confirmed(&context, &seat.load) {
            let problem = problems::failed(fault, gave_up);
            context.logic.notice(&seat.load, problem, gave_up);
        } else {
            let error = LogicError::Failed(fault.clone());
            seat.flags().blame(problems::failure(&error));
        }
    }
}
