//! Swaps on command, for tests and measurements: bundles from files, shown and not installed.
//!
//! Only in a build with debug assertions, and only where the application lets itself be driven anyway. A socket in the
//! data folder, which only its user can open, takes a line of JSON for each order and answers with one. What is swapped
//! goes the way that an update goes, from [`swaps::put`] on; there is no second one.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context as _;
use moult_model::stage::{StageEvent, SwapReason};
use moult_model::{Bundle, WidgetId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Context;
use crate::host::read;
use crate::logic;
use crate::overview;
use crate::swaps::{self, Manner};

/// What can be ordered.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    /// Swap this bundle into a place, at once or as an update. The answer comes at the end of the trial.
    Swap {
        instance: Option<String>,
        bundle: PathBuf,
        #[serde(default)]
        patient: bool,
        trial_ms: u64,
    },
    /// Load this bundle's page into a place, as if there were no swap.
    Load { instance: String, bundle: PathBuf },
    /// Tell a widget some news.
    News { instance: String, news: Vec<Value> },
    /// Have logic rest that nothing happens to, as it would after some minutes.
    Rest,
    /// Decide on a permission.
    Grant { widget: WidgetId, capability: String },
}

/// Listens, if this start lets itself be driven.
pub(crate) fn open(context: &Arc<Context>) {
    if std::env::var_os("MOULT_AUTOMATION").is_none_or(|value| value != "1") {
        return;
    }
    let path = context.places.data.join("run/drill.sock");
    let _ = moult_durable::fs::remove_file(&path);
    match UnixListener::bind(&path) {
        Ok(listener) => {
            let (context, bundles) = (Arc::downgrade(context), Arc::default());
            std::thread::spawn(move || serve(&listener, &context, &bundles));
        }
        Err(error) => tracing::warn!(%error, "there are no drills"),
    }
}

type Bundles = Mutex<HashMap<PathBuf, Arc<Bundle>>>;

fn serve(listener: &UnixListener, context: &Weak<Context>, bundles: &Arc<Bundles>) {
    for stream in listener.incoming().flatten() {
        let (context, bundles) = (context.clone(), Arc::clone(bundles));
        // Several swaps at a time, on several connections.
        std::thread::spawn(move || {
            if let Err(error) = converse(&stream, &context, &bundles) {
                tracing::warn!(error = format!("{error:#}"), "a drill broke off");
            }
        });
    }
}

fn converse(stream: &UnixStream, context: &Weak<Context>, bundles: &Bundles) -> anyhow::Result<()> {
    let mut writer = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        let context = context.upgrade().context("the application is ending")?;
        let answer =
            tauri::async_runtime::block_on(carry_out(&context, bundles, serde_json::from_str(&line?)?));
        let answer = answer.unwrap_or_else(|error| json!({ "failed": format!("{error:#}") }));
        writeln!(writer, "{answer}")?;
    }
    Ok(())
}

async fn carry_out(context: &Arc<Context>, bundles: &Bundles, order: Order) -> anyhow::Result<Value> {
    match order {
        Order::Swap {
            instance,
            bundle,
            patient,
            trial_ms,
        } => {
            let manner = Manner {
                reason: if patient {
                    SwapReason::Update
                } else {
                    SwapReason::Developer
                },
                trial: Duration::from_millis(trial_ms),
            };
            let bundle = known(bundles, bundle)?;
            return Ok(
                match swaps::put(context, instance.as_deref(), &bundle, manner).await {
                    Ok(figures) => json!({
                        "ready_ms": figures.ready_ms,
                        "switch_ms": figures.switch_ms,
                        "state_bytes": figures.state_bytes,
                        "replayed_keys": figures.replayed_keys,
                    }),
                    Err(failure) => json!({ "cause": failure.cause, "detail": failure.detail }),
                },
            );
        }
        Order::Load { instance, bundle } => swaps::load_page(context, &instance, &known(bundles, bundle)?)?,
        Order::News { instance, news } => {
            for news in news {
                let (instance, token) = (instance.clone(), String::new());
                context.stage.send(&StageEvent::News {
                    instance,
                    token,
                    news,
                });
            }
        }
        Order::Rest => logic::rest(context, Duration::ZERO),
        Order::Grant { widget, capability } => {
            context.records.decide(&widget, &capability, true)?;
            overview::announce(context);
        }
    }
    Ok(json!({}))
}

fn known(bundles: &Bundles, path: PathBuf) -> anyhow::Result<Arc<Bundle>> {
    let mut bundles = bundles.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bundle) = bundles.get(&path) {
        return Ok(Arc::clone(bundle));
    }
    let bundle = read(&path)?;
    bundles.insert(path, Arc::clone(&bundle));
    Ok(bundle)
}
