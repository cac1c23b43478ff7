//! The swap of a bundle: its trial in the store around what the host shows. It refuses to know frames and
//! windows.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use moult_boot::Why;
use moult_model::stage::{SwapCause, SwapFailure, SwapReason};
use moult_model::{Digest, ErrorCode, Subject};

use super::{Tell, Tools};
use crate::error::chain;
use crate::fetch::blocking;
use crate::host::{StagedBundle, SwapRefusal};
use crate::job::Brought;
use crate::machine::{Event, Withdrawal};

impl Tools {
    /// Puts a bundle on trial, lets the host show it, and confirms it. What is refused is still on trial.
    pub(crate) async fn switch_bundle(
        self,
        bundle: StagedBundle,
        limit: Option<Duration>,
        tell: Tell,
    ) -> Brought {
        let (subject, digest, reason) = (bundle.subject.clone(), bundle.digest, bundle.reason);
        let version = bundle.version.clone();
        if reason == SwapReason::Update {
            let (store, subject) = (self.bundles.clone(), subject.clone());
            if let Err(error) = blocking(move || Ok(store.begin_trial(&subject, &digest)?)).await {
                return Brought::failed(self.fault(&error, 0));
            }
        }
        let shown = AssertUnwindSafe(self.host.activate_bundle(bundle)).catch_unwind();
        // The host has its own limits. This one sees to it that a host without them blocks nobody for ever.
        let shown = tokio::time::timeout(limit.unwrap_or(Duration::MAX), shown)
            .await
            .unwrap_or_else(|_| {
                let detail = "the host did not say how the swap ended".to_owned();
                Ok(Err(SwapRefusal {
                    failure: SwapFailure {
                        cause: SwapCause::Hung,
                        detail,
                    },
                    ban: false,
                }))
            });
        let store = self.bundles.clone();
        match shown {
            Ok(Ok(figures)) => {
                tracing::info!(
                    ready_ms = figures.ready_ms,
                    switch_ms = figures.switch_ms,
                    state_bytes = figures.state_bytes,
                    replayed_keys = figures.replayed_keys,
                    "switched"
                );
                tell(Event::Switched);
                let kept = blocking(move || {
                    match reason {
                        SwapReason::Update | SwapReason::Developer => store.confirm(&subject, &digest)?,
                        SwapReason::GoBack => store.go_back(&subject, &version).map(drop)?,
                    }
                    Ok(())
                });
                match kept.await {
                    Ok(()) => Brought::Event(Event::Confirmed),
                    Err(error) => Brought::failed(self.fault(&error, 0)),
                }
            }
            Ok(Err(refusal)) => Brought::Event(Event::Refused(Withdrawal {
                code: code_of(&refusal),
                detail: refusal.failure.detail,
                ban: refusal.ban,
            })),
            Err(_) => Brought::Event(Event::Refused(Withdrawal {
                code: ErrorCode::Internal,
                detail: "the host panicked during the swap".to_owned(),
                ban: false,
            })),
        }
    }

    /// Ends the trial of a bundle. After a kill in the middle of it this is done once more: a trial that the
    /// store has dropped meanwhile begins again for as long as it takes to ban it.
    pub(crate) async fn take_back(
        self,
        subject: Subject,
        digest: Digest,
        reason: SwapReason,
        withdrawal: Withdrawal,
    ) -> Brought {
        let (store, why, ban) = (self.bundles.clone(), why(withdrawal.code), withdrawal.ban);
        let outcome = blocking(move || {
            let slots = store.subject(&subject)?;
            let is_current = slots
                .current
                .as_ref()
                .is_some_and(|current| current.digest == digest);
            let is_dropped = slots.trial.is_none() && slots.installed(&digest).is_some() && !is_current;
            if reason == SwapReason::Update && ban && is_dropped && !slots.is_banned(&digest) {
                store.begin_trial(&subject, &digest)?;
            }
            // Without a trial there is nothing to take back: rolling back would hit what is current.
            let on_trial = store
                .subject(&subject)?
                .trial
                .is_some_and(|trial| trial.digest == digest);
            if reason == SwapReason::Update && on_trial {
                store.roll_back(&subject, why, ban)?;
            }
            Ok(())
        });
        if let Err(error) = outcome.await {
            // The store drops the trial when it is opened again.
            tracing::error!(error = chain(&error), "a trial could not be ended");
        }
        Brought::Event(Event::Reverted(withdrawal.fault()))
    }
}

fn code_of(refusal: &SwapRefusal) -> ErrorCode {
    match refusal.failure.cause {
        SwapCause::NotReady => ErrorCode::SwitchFailed,
        SwapCause::StateRefused => ErrorCode::StateRefused,
        SwapCause::Exception => ErrorCode::Crashed,
        SwapCause::Errors => ErrorCode::TooManyErrors,
        SwapCause::Hung => ErrorCode::Hung,
        SwapCause::Withdrawn => ErrorCode::Cancelled,
    }
}

fn why(code: ErrorCode) -> Why {
    match code {
        ErrorCode::SwitchFailed | ErrorCode::Hung => Why::Hung,
        ErrorCode::Crashed => Why::Crashed { code: 1 },
        ErrorCode::StateRefused => Why::ExitedEarly,
        _ => Why::Unfinished,
    }
}
