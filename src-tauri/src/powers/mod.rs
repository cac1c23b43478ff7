//! What the host lends to bundles, carried out. Whether it may is decided before, by the broker.

mod network;
mod notes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use moult_model::{ErrorCode, Problem, Subject, WidgetId};
use moult_sandbox::{Broker, Call, Caller, CapabilityError, Storage, StorageError};
use serde_json::{Value, json};

use crate::app::Context;
use crate::figures::Computer;
use crate::loads::LiveLoad;
use crate::places::Places;
use crate::presses::{Area, Presses};

/// The user pressed in the widget's tile no longer ago than this, where a press is needed.
const PRESS: Duration = Duration::from_secs(1);

/// What calls are checked by and carried out with.
pub(crate) struct Powers {
    broker: Broker,
    computer: Computer,
    storage: Storage,
    network: network::Network,
    pub(crate) presses: Presses,
}

impl Powers {
    pub(crate) fn new(places: &Places) -> Self {
        Self {
            broker: Broker::default(),
            computer: Computer::new(&places.data),
            storage: Storage::new(&places.data.join("storage")),
            network: network::Network::default(),
            presses: Presses::default(),
        }
    }
}

/// Carries out a call of a widget, on behalf of a load. `area` is where its frame lies, as the stage says.
pub(crate) async fn call(
    context: &Arc<Context>,
    load: &LiveLoad,
    name: &str,
    request: Value,
    area: Option<Area>,
) -> Result<Value, Problem> {
    let grants = context.records.grants();
    let instance = load.instance.as_deref().unwrap_or_default();
    let caller = Caller {
        subject: &load.subject,
        instance,
        declared: &load.bundle.manifest().permissions,
    };
    let admitted = context
        .powers
        .broker
        .admit(caller, &grants, name, request, Instant::now());
    let call = admitted.map_err(|error| refused(load, name, &error))?;
    let Subject::Widget(widget) = &load.subject else {
        return Err(refused(
            load,
            name,
            &CapabilityError::NotAWidget(load.subject.clone()),
        ));
    };
    carry_out(context, widget, load, call, area).await
}

async fn carry_out(
    context: &Arc<Context>,
    widget: &WidgetId,
    load: &LiveLoad,
    call: Call,
    area: Option<Area>,
) -> Result<Value, Problem> {
    let powers = &context.powers;
    let kept = |outcome: Result<Value, StorageError>| outcome.map_err(|error| not_kept(&error));
    match call {
        Call::SystemFigures => Ok(json!(powers.computer.figures())),
        Call::Fetch(fetch) => {
            let allowed = load
                .bundle
                .manifest()
                .permissions
                .iter()
                .find(|one| one.capability == "network");
            powers.network.fetch(allowed, fetch).await
        }
        Call::Get(key) => kept(powers.storage.get(widget, &key).map(Option::unwrap_or_default)),
        Call::Keys => kept(powers.storage.keys(widget).map(|keys| json!(keys))),
        Call::Set(key, value) => kept(powers.storage.set(widget, &key, value).map(|()| Value::Null)),
        Call::Delete(key) => kept(powers.storage.delete(widget, &key).map(|()| Value::Null)),
        Call::Notify { title, body } => {
            let from = load.bundle.manifest().name.clone();
            done(
                notes::show(context, &from, &title, &body),
                "The notification could not be shown.",
            )
        }
        Call::Copy(text) => {
            press(context, load, area)?;
            done(
                notes::copy(context, text),
                "Nothing could be put on the clipboard.",
            )
        }
        Call::Open(url) => {
            press(context, load, area)?;
            tracing::info!(%widget, %url, "an address is opened");
            done(
                open::that_detached(url.as_str()).context("no browser"),
                "The address could not be opened.",
            )
        }
        other => {
            let error = anyhow::anyhow!("this host does not carry out {other:?} yet");
            Err(Problem::new(
                ErrorCode::InvalidRequest,
                "This version of Moult can't do that.",
                error.as_ref(),
            )
            .kept("Nothing was changed."))
        }
    }
}

/// Whether the user has just pressed in the tile: what leaves the application needs that.
fn press(context: &Context, load: &LiveLoad, area: Option<Area>) -> Result<(), Problem> {
    if area.is_some_and(|area| context.powers.presses.was_in(area, PRESS, Instant::now())) {
        return Ok(());
    }
    tracing::warn!(subject = %load.subject, "what needs a press was asked for without one");
    let error = anyhow::anyhow!("nobody pressed in the tile within {} s", PRESS.as_secs());
    Err(Problem::new(
        ErrorCode::ConsentNeeded,
        "That needs a press in the widget.",
        error.as_ref(),
    )
    .kept("Nothing was done."))
}

fn done(outcome: anyhow::Result<()>, happened: &str) -> Result<Value, Problem> {
    outcome.map(|()| Value::Null).map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), happened);
        Problem::new(ErrorCode::Internal, happened, error.as_ref()).kept("Nothing was changed.")
    })
}

/// Each attempt at what is not allowed is named in the log.
fn refused(load: &LiveLoad, name: &str, error: &CapabilityError) -> Problem {
    tracing::warn!(subject = %load.subject, version = %load.bundle.manifest().version, call = name, %error, "a call was refused");
    let (code, happened) = match error {
        CapabilityError::NotGranted { .. } => (ErrorCode::ConsentNeeded, "That is not allowed yet."),
        CapabilityError::NotDeclared { .. }
        | CapabilityError::OutOfBounds { .. }
        | CapabilityError::NotAWidget(_) => (
            ErrorCode::NotDeclared,
            "The widget does not declare that it needs this.",
        ),
        CapabilityError::TooOften { .. } => (ErrorCode::RateLimited, "The widget asks too often."),
        _ => (
            ErrorCode::InvalidRequest,
            "The widget asks for something that makes no sense.",
        ),
    };
    Problem::new(code, happened, error).kept("Nothing was done.")
}

fn not_kept(error: &StorageError) -> Problem {
    tracing::warn!(%error, "a widget's storage");
    let (code, happened) = match error {
        StorageError::Quota { .. } => (ErrorCode::QuotaExceeded, "The widget keeps as much as it may."),
        _ => (
            ErrorCode::DiskFailed,
            "What the widget keeps could not be read or written.",
        ),
    };
    Problem::new(code, happened, error).kept("What it kept before is unchanged.")
}
