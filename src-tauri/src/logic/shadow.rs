//! Shadow runs: a new version's logic beside the live one's, with the same state and the same events, until its answers have
//! been equal often and long enough, or one differs.
//!
//! What counts and what is compared is `moult_sandbox::logic::shadow`'s; this feeds it, and keeps its progress on the disk. What
//! the new version asks for is answered as the live one was answered; what nobody was answered yet it may only read.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moult_durable::TwoCopy;
use moult_model::bundle::ShadowRun;
use moult_model::stage::{SavedState, ShadowStanding};
use moult_model::{ErrorCode, Problem, Subject, Version};
use moult_sandbox::logic::shadow::{Difference, Progress, Standing};
use moult_update::StagedBundle;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use super::seat::{Order, Seat};
use crate::app::Context;
use crate::loads::LiveLoad;
use crate::{host, overview, swaps};

/// How often it is looked whether the time is over.
const LOOK: Duration = Duration::from_mins(1);
/// Answers of the live version that are remembered for the one beside it, in each place.
const REMEMBERED: usize = 64;

/// One version on its way to be compared, in all places that show its widget.
pub(crate) struct Run {
    rule: ShadowRun,
    progress: Mutex<Progress>,
    changed: Notify,
    is_over: AtomicBool,
}

impl Run {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares what both said to one event. One that fails says something else.
    pub(super) fn compare(&self, event: &Value, live: &Value, shadow: Result<Value, Problem>) {
        let mut progress = self.progress();
        match shadow {
            // Its process ended, which says nothing of it.
            Err(problem) if problem.code == ErrorCode::Cancelled => return,
            Ok(shadow) => progress.compare(&self.rule.compare, event, live, &shadow),
            Err(problem) => {
                let text = |value: &Value| value.to_string().chars().take(400).collect();
                progress.difference.get_or_insert(Difference {
                    event: text(event),
                    live: text(live),
                    shadow: format!("nothing: {}", problem.detail),
                });
            }
        }
        drop(progress);
        self.changed.notify_one();
    }
}

/// What the live version's seat has of a run: whom it hands its events to.
pub(crate) struct Mirror {
    to: Arc<Seat>,
    run: Arc<Run>,
    state: Mutex<Option<Sender<Option<SavedState>>>>,
}

impl Mirror {
    /// The live version's state as of now: from here on both handle the same.
    pub(super) fn begin(&self, state: Option<SavedState>) {
        let give = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(give) = give {
            let _ = give.send(state);
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.run.is_over.load(Ordering::Acquire)
    }

    /// The live version handled an event, and said this.
    pub(super) fn tell(&self, event: &Value, live: &Value) {
        self.to.tell(Order::Compare {
            event: event.clone(),
            live: live.clone(),
            run: Arc::clone(&self.run),
        });
    }
}

type Call = (String, Value);
type Remembered = VecDeque<(Call, Result<Value, Problem>)>;

/// What the live versions were answered, in the places where another one runs beside.
#[derive(Default)]
pub(crate) struct Shadows {
    /// For each place: the load beside, and the answers that it did not have yet.
    places: Mutex<HashMap<String, (String, Remembered)>>,
    /// What runs, and how far it is.
    runs: Mutex<Vec<(Subject, Version, Arc<Run>)>>,
}

impl Shadows {
    fn places(&self) -> MutexGuard<'_, HashMap<String, (String, Remembered)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self) -> MutexGuard<'_, Vec<(Subject, Version, Arc<Run>)>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the versions are that run beside the live ones.
    pub(crate) fn standings(&self) -> Vec<ShadowStanding> {
        let standing = |(subject, version, run): &(Subject, Version, Arc<Run>)| {
            let standing = run.progress().standing(&run.rule, now());
            let (answers, seconds) = match standing {
                Standing::Running { answers, seconds } => (answers, seconds),
                Standing::Passed | Standing::Refused(_) => return None,
            };
            Some(ShadowStanding {
                subject: subject.clone(),
                version: version.clone(),
                answers,
                seconds,
            })
        };
        self.runs().iter().filter_map(standing).collect()
    }

    /// The live version was answered.
    pub(super) fn note(
        &self,
        load: &LiveLoad,
        capability: &str,
        request: Value,
        outcome: &Result<Value, Problem>,
    ) {
        let Some(instance) = &load.instance else { return };
        if let Some((beside, answers)) = self.places().get_mut(instance)
            && *beside != load.token
        {
            answers.push_back(((capability.to_owned(), request), outcome.clone()));
            while answers.len() > REMEMBERED {
                answers.pop_front();
            }
        }
    }

    /// Whether a load runs beside the live one.
    pub(super) fn is_beside(&self, load: &LiveLoad) -> bool {
        let places = self.places();
        let here = load.instance.as_deref().and_then(|instance| places.get(instance));
        here.is_some_and(|(beside, _)| *beside == load.token)
    }

    /// The answer that the live version had to the same call, if this is the one beside it.
    pub(super) fn answer(
        &self,
        load: &LiveLoad,
        capability: &str,
        request: &Value,
    ) -> Option<Result<Value, Problem>> {
        let mut places = self.places();
        let (beside, answers) = places.get_mut(load.instance.as_deref()?)?;
        if *beside != load.token {
            return None;
        }
        let same = |((name, asked), _): &(Call, _)| name == capability && asked == request;
        let at = answers.iter().position(same)?;
        answers.remove(at).map(|(_, outcome)| outcome)
    }
}

/// A load of a run: in which place, beside which live load, and its own token.
struct Pair {
    instance: String,
    live: String,
    token: String,
}

/// The loads of a run. They are closed when it ends, however it does.
struct Beside {
    context: Arc<Context>,
    run: Arc<Run>,
    pairs: Vec<Pair>,
}

impl Beside {
    fn close(&self, pair: &Pair) {
        self.context.logic.shadows.places().remove(&pair.instance);
        host::close(&self.context, &pair.token);
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.run.is_over.store(true, Ordering::Release);
        let mut runs = self.context.logic.shadows.runs();
        runs.retain(|(_, _, run)| !Arc::ptr_eq(run, &self.run));
        drop(runs);
        for pair in &self.pairs {
            self.close(pair);
        }
        overview::announce(&self.context);
    }
}

/// Runs a version's logic beside the live one's until it may take over. `Err` is the difference, in words.
pub(crate) async fn rehearse(context: &Arc<Context>, staged: &StagedBundle) -> Result<(), String> {
    let Ok(bundle) = host::read(&staged.path) else {
        // The swap says what is wrong with it.
        return Ok(());
    };
    let Some(rule) = bundle.manifest().shadow.clone() else {
        return Ok(());
    };
    let folder = context.places.data.join("logic").join("shadow");
    let record: TwoCopy<Progress> = TwoCopy::new(&folder, &staged.digest.to_string()[..16]);
    let progress = record
        .load()
        .ok()
        .flatten()
        .unwrap_or_else(|| Progress::begin(now()));
    let run = Arc::new(Run {
        rule,
        progress: Mutex::new(progress),
        changed: Notify::new(),
        is_over: AtomicBool::new(false),
    });
    let mut beside = Beside {
        context: Arc::clone(context),
        run: Arc::clone(&run),
        pairs: Vec::new(),
    };
    let entry = (staged.subject.clone(), staged.version.clone(), Arc::clone(&run));
    context.logic.shadows.runs().push(entry);
    begin_where_missing(context, staged, &bundle, &mut beside);
    tracing::info!(subject = %staged.subject, version = %staged.version, standing = ?run.progress().standing(&run.rule, now()), "runs in the shadow of the live version");
    let mut kept = None;
    loop {
        begin_where_missing(context, staged, &bundle, &mut beside);
        let progress = run.progress().clone();
        let standing = progress.standing(&run.rule, now());
        if kept.as_ref() != Some(&progress) {
            let saved = moult_durable::create_dir_all(&folder).and_then(|()| record.store(&progress));
            if let Err(error) = saved {
                tracing::warn!(%error, "the progress of a shadow run is not kept");
            }
            kept = Some(progress);
        }
        // Also without an answer: the time that is left is less by then.
        overview::announce(context);
        match standing {
            Standing::Passed => return Ok(()),
            Standing::Refused(Difference { event, live, shadow }) => {
                return Err(format!(
                    "To {event} the version that runs answered {live}, and {} answered {shadow}",
                    staged.version
                ));
            }
            // Where it is not on the board nothing can be compared, and nothing be lost.
            Standing::Running { .. } if swaps::places(context, &staged.subject).is_empty() => return Ok(()),
            Standing::Running { seconds, .. } => {
                let wait = LOOK.min(Duration::from_secs(seconds.max(1)));
                let _ = tokio::time::timeout(wait, run.changed.notified()).await;
            }
        }
    }
}

/// Lets the version run beside each live one that it does not run beside yet.
fn begin_where_missing(
    context: &Arc<Context>,
    staged: &StagedBundle,
    bundle: &Arc<moult_model::Bundle>,
    beside: &mut Beside,
) {
    for instance in swaps::places(context, &staged.subject).into_iter().flatten() {
        let live = context
            .live
            .token(&instance)
            .and_then(|token| context.logic.seat(&token));
        let Some(live) = live else { continue };
        if let Some(at) = beside.pairs.iter().position(|pair| pair.instance == instance) {
            if beside.pairs[at].live == live.load.token {
                continue;
            }
            // The page was loaded anew: the one that it ran beside is gone.
            let gone = beside.pairs.swap_remove(at);
            beside.close(&gone);
        }
        let Ok(load) = host::prepare(context, Some(instance.clone()), bundle) else {
            continue;
        };
        let Some(shadow) = context.logic.seat(&load.token) else {
            host::close(context, &load.token);
            continue;
        };
        context
            .logic
            .shadows
            .places()
            .insert(instance.clone(), (load.token.clone(), VecDeque::new()));
        beside.pairs.push(Pair {
            instance,
            live: live.load.token.clone(),
            token: load.token,
        });
        let (give, state) = std::sync::mpsc::channel();
        let (done, _) = oneshot::channel();
        shadow.tell(Order::Restore { state, done });
        live.tell(Order::Mirror(Arc::new(Mirror {
            to: shadow,
            run: Arc::clone(&beside.run),
            state: Mutex::new(Some(give)),
        })));
    }
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn load(token: &str) -> anyhow::Result<LiveLoad> {
        let bundle = crate::build::Build::new("1.0.0")?.shell;
        Ok(LiveLoad {
            token: token.to_owned(),
            subject: "w/a/b".parse()?,
            bundle: Arc::new(bundle),
            instance: Some("one".to_owned()),
        })
    }

    fn problem(code: ErrorCode) -> Problem {
        Problem {
            code,
            happened: String::new(),
            kept: String::new(),
            advice: None,
            detail: "why".to_owned(),
        }
    }

    #[test]
    fn what_the_live_version_was_answered_the_one_beside_it_is_answered_once() -> anyhow::Result<()> {
        let (live, beside, shadows) = (load("live")?, load("beside")?, Shadows::default());
        let figures = Ok(json!({ "cores": 8 }));
        shadows.note(&live, "system.figures", json!({}), &figures);
        shadows
            .places()
            .insert("one".to_owned(), ("beside".to_owned(), VecDeque::new()));
        let asked = |load: &LiveLoad, capability: &str| shadows.answer(load, capability, &json!({}));
        assert_eq!(asked(&beside, "system.figures"), None, "before it ran beside");
        shadows.note(&live, "system.figures", json!({}), &figures);
        shadows.note(&beside, "storage.keys", json!({}), &Ok(json!([])));
        assert_eq!(asked(&live, "system.figures"), None, "the live one asks the host");
        assert_eq!(
            asked(&beside, "storage.keys"),
            None,
            "its own answers are not the live one's"
        );
        assert_eq!(asked(&beside, "system.figures"), Some(figures));
        assert_eq!(asked(&beside, "system.figures"), None, "a second time");
        assert!(shadows.is_beside(&beside) && !shadows.is_beside(&live));
        Ok(())
    }

    #[test]
    fn one_that_fails_differs_and_one_whose_process_ended_says_nothing() {
        let run = Run {
            rule: ShadowRun::default(),
            progress: Mutex::new(Progress::begin(0)),
            changed: Notify::new(),
            is_over: AtomicBool::new(false),
        };
        run.compare(&json!(1), &json!(2), Ok(json!(2)));
        run.compare(&json!(1), &json!(2), Err(problem(ErrorCode::Cancelled)));
        assert_eq!(
            *run.progress(),
            Progress {
                equal: 1,
                began: 0,
                difference: None
            }
        );
        run.compare(&json!(1), &json!(2), Err(problem(ErrorCode::Crashed)));
        let said = run.progress().difference.clone().map(|one| one.shadow);
        assert_eq!(said.as_deref(), Some("nothing: why"));
    }
}
