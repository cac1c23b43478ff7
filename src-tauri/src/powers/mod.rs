//! What the host lends to bundles, carried out. Whether it may is decided before, by the broker.

mod network;
mod notes;
pub(crate) mod talk;
pub(crate) mod timers;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use moult_model::stage::CapabilityUse;
use moult_model::{ErrorCode, Problem, Subject, WidgetId};
use moult_sandbox::call::CallError;
use moult_sandbox::{
    Broker, Call, Caller, Capability, CapabilityError, Side, Storage, StorageError, Uses, Waiting,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::app::Context;
use crate::figures::Computer;
use crate::loads::LiveLoad;
use crate::logic;
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
    waiting: Waiting,
    uses: Mutex<Uses>,
    /// Changes with each decision of the user's: calls in flight look whether they are still allowed.
    decisions: watch::Sender<u64>,
    pub(crate) presses: Presses,
    pub(crate) talk: talk::Talk,
    pub(crate) timers: timers::Running,
}

impl Powers {
    pub(crate) fn new(places: &Places) -> Self {
        Self {
            broker: Broker::default(),
            computer: Computer::new(&places.data),
            storage: Storage::new(&places.data.join("storage")),
            network: network::Network::default(),
            waiting: Waiting::default(),
            uses: Mutex::default(),
            decisions: watch::Sender::new(0),
            presses: Presses::default(),
            talk: talk::Talk::default(),
            timers: timers::Running::default(),
        }
    }

    /// The user decided on something: what is not allowed any more ends, also where it is under way.
    pub(crate) fn decided(&self) {
        self.decisions.send_modify(|count| *count += 1);
    }

    /// What a widget used, the last first.
    pub(crate) fn uses(&self, widget: &WidgetId) -> Vec<CapabilityUse> {
        self.uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .of(widget)
    }

    /// Notes a use for its user to look at.
    fn note(&self, load: &LiveLoad, side: Side, call: &str, refused: Option<ErrorCode>) {
        let Subject::Widget(widget) = &load.subject else {
            return;
        };
        let used = CapabilityUse {
            instance: load.instance.clone().unwrap_or_default(),
            by_logic: side == Side::Logic,
            call: call.chars().take(64).collect(),
            refused,
            at: jiff::Timestamp::now().to_string(),
            count: 1,
        };
        let mut all = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        all.note(widget, used);
    }
}

/// Carries out a call of a widget's page or logic, on behalf of a load. `area` is where its frame lies, as the stage says.
pub(crate) async fn call(
    context: &Arc<Context>,
    load: &LiveLoad,
    side: Side,
    name: &str,
    request: Value,
    area: Option<Area>,
) -> Result<Value, Problem> {
    let instance = load.instance.as_deref().unwrap_or_default();
    let Some(_turn) = context.powers.waiting.begin(instance) else {
        return Err(too_many_wait(load, name));
    };
    if side == Side::Page && name == "logic" {
        let caller = caller(load, instance);
        let admitted = context
            .powers
            .broker
            .admit_logic(caller, &request, Instant::now());
        admitted.map_err(|error| refused(load, name, &error))?;
        return logic::call(context, load, request).await;
    }
    let outcome = granted(context, load, side, name, request, area).await;
    let refused = outcome.as_ref().err().map(|problem| problem.code);
    context.powers.note(load, side, name, refused);
    outcome
}

fn caller<'a>(load: &'a LiveLoad, instance: &'a str) -> Caller<'a> {
    Caller {
        subject: &load.subject,
        instance,
        declared: &load.bundle.manifest().permissions,
    }
}

async fn granted(
    context: &Arc<Context>,
    load: &LiveLoad,
    side: Side,
    name: &str,
    request: Value,
    area: Option<Area>,
) -> Result<Value, Problem> {
    let grants = context.records.grants();
    let instance = load.instance.as_deref().unwrap_or_default();
    let caller = caller(load, instance);
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
    let may_act = side == Side::Page || (context.live.is(load) && context.writing.holds_right());
    if call.acts() && !may_act {
        return Err(not_yet(load, name));
    }
    let capability = call.capability();
    let outcome = tokio::select! {
        biased;
        () = taken_back(context, widget, capability) => None,
        outcome = carry_out(context, widget, load, side, call, area) => Some(outcome),
    };
    match outcome {
        Some(outcome) if context.records.grants().allows(widget, capability.name()) => outcome,
        _ => {
            let widget = widget.clone();
            Err(refused(
                load,
                name,
                &CapabilityError::NotGranted { widget, capability },
            ))
        }
    }
}

/// Ends when the user takes a capability back.
async fn taken_back(context: &Context, widget: &WidgetId, capability: Capability) {
    let mut decisions = context.powers.decisions.subscribe();
    while context.records.grants().allows(widget, capability.name()) {
        if decisions.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

async fn carry_out(
    context: &Arc<Context>,
    widget: &WidgetId,
    load: &LiveLoad,
    side: Side,
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
        Call::SetTimer { name, after_ms } => timers::set(context, load, &name, after_ms),
        Call::ClearTimer(name) => timers::clear(context, load, &name),
        Call::Publish(topic, data) => {
            talk::publish(context, load, &topic, &data);
            Ok(Value::Null)
        }
        Call::Listen(topic) => talk::listen(context, load, side, &topic),
        Call::Answer(topic) => talk::answer(context, load, side, &topic),
        Call::Ask(topic, data) => talk::ask(context, load, &topic, data).await,
        Call::Share(name, value) => {
            talk::share(context, load, &name, value);
            Ok(Value::Null)
        }
        Call::Observe(name) => talk::observe(context, load, side, &name),
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
        CapabilityError::Call(CallError::TooLarge(_)) | CapabilityError::EventTooLarge { .. } => {
            (ErrorCode::TooLarge, "That is too much at once.")
        }
        CapabilityError::TooOften { .. } | CapabilityError::LogicTooOften { .. } => {
            (ErrorCode::RateLimited, "The widget asks too often.")
        }
        _ => (
            ErrorCode::InvalidRequest,
            "The widget asks for something that makes no sense.",
        ),
    };
    Problem::new(code, happened, error).kept("Nothing was done.")
}

/// While two versions stand only one acts.
fn not_yet(load: &LiveLoad, name: &str) -> Problem {
    tracing::info!(subject = %load.subject, version = %load.bundle.manifest().version, call = name, "not while its user has another version");
    Problem {
        code: ErrorCode::Cancelled,
        happened: "The widget is not shown yet.".to_owned(),
        kept: "Nothing was done.".to_owned(),
        advice: None,
        detail: format!("{name} of a version that its user does not have"),
    }
}

fn too_many_wait(load: &LiveLoad, name: &str) -> Problem {
    tracing::warn!(subject = %load.subject, call = name, "a call was refused: too many wait for their answers");
    Problem {
        code: ErrorCode::RateLimited,
        happened: "The widget asks too often.".to_owned(),
        kept: "Nothing was done.".to_owned(),
        advice: None,
        detail: format!("{name}: too many calls wait for their answers"),
    }
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
