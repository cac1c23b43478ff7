//! Events, requests and values between widgets, carried out: what is handed to which page or logic. Who may is decided by the
//! broker, for who speaks; and here by the grants, for who hears.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use moult_model::stage::StageEvent;
use moult_model::{ErrorCode, Problem, Subject};
use moult_sandbox::bus::{ANSWER, RequestNumber};
use moult_sandbox::ears::Kind;
use moult_sandbox::{Bus, Capability, Ear, Ears, Shared, Side};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::app::Context;
use crate::loads::LiveLoad;

/// What is said between widgets.
#[derive(Default)]
pub(crate) struct Talk {
    ears: Mutex<Ears>,
    bus: Mutex<Bus>,
    shared: Mutex<Shared>,
    asked: Mutex<HashMap<RequestNumber, oneshot::Sender<Result<Value, String>>>>,
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A topic or name of one's own, whole.
fn whole(load: &LiveLoad, part: &str) -> String {
    format!("{}:{part}", load.subject)
}

impl Talk {
    /// Whether one more piece of news may be handed to an ear.
    pub(crate) fn admits(&self, ear: &Ear, now: Instant) -> bool {
        locked(&self.bus).admits(ear, now)
    }

    /// A load is gone: it hears nothing, and who asked it is told.
    pub(crate) fn close(&self, token: &str) {
        locked(&self.ears).close(token);
        let over = locked(&self.bus).close(token);
        let mut asked = locked(&self.asked);
        for number in over {
            asked.remove(&number);
        }
    }

    /// The page that held all frames is new.
    pub(crate) fn close_all(&self) {
        locked(&self.ears).clear();
        locked(&self.asked).clear();
    }

    /// What who was asked says. Only the first word in time counts.
    pub(crate) fn answered(&self, number: RequestNumber, by: &Ear, outcome: Result<Value, String>) {
        if locked(&self.bus).answer(number, by, Instant::now())
            && let Some(asked) = locked(&self.asked).remove(&number)
        {
            let _ = asked.send(outcome);
        }
    }

    /// What a page says that was asked. The version that was asked and the one that has its place now are the same to who asks.
    pub(crate) fn page_answered(
        &self,
        context: &Context,
        token: &str,
        number: RequestNumber,
        outcome: Result<Value, String>,
    ) {
        let place = |token: &str| {
            context
                .loads
                .by_token(token)
                .and_then(|load| load.instance.clone())
        };
        let asked = locked(&self.bus).asked(number).cloned();
        let Some(asked) = asked.filter(|asked| asked.side == Side::Page) else {
            return;
        };
        let answers = place(token);
        if answers.is_some() && answers == place(&asked.load) {
            self.answered(number, &asked, outcome);
        }
    }

    fn hear(&self, kind: Kind, topic: &str, load: &LiveLoad, side: Side) -> Result<Value, Problem> {
        let opened = locked(&self.ears).open(kind, topic, Ear::new(&load.token, side));
        opened.map(|()| Value::Null).map_err(|error| {
            Problem::new(
                ErrorCode::TooMany,
                "The widget listens to as much as it may.",
                &error,
            )
            .kept("What it listens to already goes on.")
        })
    }
}

pub(super) fn listen(context: &Context, load: &LiveLoad, side: Side, topic: &str) -> Result<Value, Problem> {
    context.powers.talk.hear(Kind::Event, topic, load, side)
}

pub(super) fn answer(context: &Context, load: &LiveLoad, side: Side, topic: &str) -> Result<Value, Problem> {
    let topic = whole(load, topic);
    context.powers.talk.hear(Kind::Request, &topic, load, side)
}

pub(super) fn observe(context: &Context, load: &LiveLoad, side: Side, name: &str) -> Result<Value, Problem> {
    let _order = context.logic.in_order();
    context.powers.talk.hear(Kind::Value, name, load, side)?;
    Ok(locked(&context.powers.talk.shared).get(name))
}

pub(super) fn publish(context: &Arc<Context>, load: &LiveLoad, topic: &str, data: &Value) {
    let topic = whole(load, topic);
    let news = json!({ "kind": "event", "topic": topic, "data": data });
    tell_all(context, Kind::Event, &topic, Capability::Bus, &news);
}

pub(super) fn share(context: &Arc<Context>, load: &LiveLoad, name: &str, value: Value) {
    let name = whole(load, name);
    let news = json!({ "kind": "shared", "name": name, "value": value });
    // Set and told under one lock: all hear two changes in the order in which they were made.
    let _order = context.logic.in_order();
    if locked(&context.powers.talk.shared).set(&name, value) {
        tell_ears(context, Kind::Value, &name, Capability::Shared, &news);
    }
}

fn tell_all(context: &Arc<Context>, kind: Kind, topic: &str, needs: Capability, news: &Value) {
    let _order = context.logic.in_order();
    tell_ears(context, kind, topic, needs, news);
}

fn tell_ears(context: &Arc<Context>, kind: Kind, topic: &str, needs: Capability, news: &Value) {
    let ears = locked(&context.powers.talk.ears).on(kind, topic).to_vec();
    // Two versions may have a place: an event is the place's, and told it once.
    let mut places = HashSet::new();
    for ear in ears {
        if !may_hear(context, &ear, needs) {
            continue;
        }
        if kind == Kind::Event && ear.side == Side::Page {
            let load = context.loads.by_token(&ear.load);
            if !places.insert(load.and_then(|load| load.instance.clone())) {
                continue;
            }
        }
        if !context.powers.talk.admits(&ear, Instant::now()) {
            tracing::warn!(topic, ?ear, "it does not keep up; an event is not handed to it");
            continue;
        }
        drop(hand(context, &ear, news.clone()));
    }
}

/// Whether the user still lets who listens.
fn may_hear(context: &Context, ear: &Ear, needs: Capability) -> bool {
    let load = context.loads.by_token(&ear.load);
    load.is_some_and(|load| match &load.subject {
        Subject::Widget(widget) => context.records.grants().allows(widget, needs.name()),
        Subject::Shell | Subject::Executable => false,
    })
}

/// Hands news to an ear. The answer of logic comes; a page answers by a message of its own.
fn hand(context: &Arc<Context>, ear: &Ear, news: Value) -> Option<oneshot::Receiver<Result<Value, Problem>>> {
    if ear.side == Side::Page {
        let load = context.loads.by_token(&ear.load)?;
        context.stage.send(&StageEvent::News {
            instance: load.instance.clone()?,
            token: ear.load.clone(),
            news,
        });
        return None;
    }
    let answer = context.logic.ask(&ear.load, news)?;
    let (tell, told) = oneshot::channel();
    let (context, token) = (Arc::clone(context), ear.load.clone());
    tauri::async_runtime::spawn(async move {
        let outcome = answer.await;
        locked(&context.powers.talk.bus).handled(&token);
        if let Ok(outcome) = outcome {
            let _ = tell.send(outcome);
        }
    });
    Some(told)
}

/// Asks who answers on a topic, and waits for the answer.
pub(super) async fn ask(
    context: &Arc<Context>,
    load: &LiveLoad,
    topic: &str,
    data: Value,
) -> Result<Value, Problem> {
    let talk = &context.powers.talk;
    let ears = locked(&talk.ears).on(Kind::Request, topic).to_vec();
    // The one that said so last, of those that their user has before them.
    let answers = ears.into_iter().rev().find(|ear| {
        let is_live = context
            .loads
            .by_token(&ear.load)
            .is_some_and(|load| context.live.is(&load));
        is_live && may_hear(context, ear, Capability::Bus)
    });
    let Some(asked) = answers else {
        return Err(unanswered(ErrorCode::TimedOut, topic, "nobody answers there"));
    };
    let number = locked(&talk.bus)
        .ask(asked.clone(), Instant::now())
        .map_err(|error| {
            Problem::new(ErrorCode::RateLimited, "The other widget is busy.", &error)
                .kept("Nothing was asked.")
        })?;
    let (tell, told) = oneshot::channel();
    locked(&talk.asked).insert(number, tell);
    let news = json!({
        "kind": "request", "id": number, "topic": topic, "from": load.subject.to_string(), "data": data,
    });
    if let Some(answer) = hand(context, &asked, news) {
        let context = Arc::clone(context);
        tauri::async_runtime::spawn(async move {
            if let Ok(outcome) = answer.await {
                let outcome = outcome.map_err(|problem| problem.happened);
                context.powers.talk.answered(number, &asked, outcome);
            }
        });
    }
    let outcome = tokio::time::timeout(ANSWER, told).await;
    locked(&talk.bus).give_up(number);
    locked(&talk.asked).remove(&number);
    match outcome {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(reason))) => Err(unanswered(ErrorCode::InvalidRequest, topic, &reason)),
        Ok(Err(_)) => Err(unanswered(ErrorCode::Cancelled, topic, "who was asked is gone")),
        Err(_) => Err(unanswered(ErrorCode::TimedOut, topic, "no answer came in time")),
    }
}

fn unanswered(code: ErrorCode, topic: &str, why: &str) -> Problem {
    Problem {
        code,
        happened: "The other widget gave no answer.".to_owned(),
        kept: "Nothing was changed here.".to_owned(),
        advice: None,
        detail: format!("{topic}: {why}"),
    }
}
