//! The swap of bundles, as the native side orders it: which places show a subject, what each is told, and how it
//! ended there. `docs/swap.md` has the states; the stage carries them out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moult_model::bundle::resources_between;
use moult_model::stage::{Load, ResourcesOrder, StageEvent, SwapCause, SwapFailure, SwapOrder, SwapReason};
use moult_model::{Bundle, Subject, Version};
use moult_update::{StagedBundle, SwapFigures, SwapRefusal};

use crate::app::Context;
use crate::host::{PATIENCE, QUIET, close, current, open, prepare, read, settings, shown_in, stand};
use crate::loads::LiveLoad;
use crate::stage::withdrawn;
use crate::{logic, revival};

/// How long a bundle may take to get ready.
const READY: Duration = Duration::from_secs(5);
/// How long a bundle is on trial after the switch.
const TRIAL: Duration = Duration::from_secs(4);
/// The same for a version that a developer has just saved: the next one may come soon, and nothing is lost with it.
const DEVELOPER_TRIAL: Duration = Duration::from_millis(400);
/// What the stage may need beyond these.
const SLACK: Duration = Duration::from_secs(5);
/// How long an order waits for a stage that is not open yet.
const STAGE: Duration = Duration::from_secs(30);

/// How a swap is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Why: only an update waits for a pause in the input.
    pub(crate) reason: SwapReason,
    /// How long the new version is on trial.
    pub(crate) trial: Duration,
}

impl From<SwapReason> for Manner {
    fn from(reason: SwapReason) -> Self {
        let trial = match reason {
            SwapReason::Developer => DEVELOPER_TRIAL,
            SwapReason::Update | SwapReason::GoBack => TRIAL,
        };
        Self { reason, trial }
    }
}

/// Puts a bundle into every place that shows its subject. If one place refuses it, all go back.
pub(crate) async fn activate(
    context: &Arc<Context>,
    staged: &StagedBundle,
) -> Result<SwapFigures, SwapRefusal> {
    if !context.stage.ready(STAGE).await {
        return Err(refusal(withdrawn("no stage is open")));
    }
    let bundle = read(&staged.path).map_err(|error| refusal(withdrawn(&format!("{error:#}"))))?;
    let mut figures = SwapFigures::default();
    let mut done = Vec::new();
    for place in places(context, &staged.subject) {
        match put(context, place.as_deref(), &bundle, staged.reason.into()).await {
            Ok(here) => {
                figures = worst(figures, here);
                done.push(place);
            }
            Err(failure) => {
                // Its frame was confirmed, its logic was not.
                if shows(context, place.as_deref(), &bundle) {
                    done.push(place);
                }
                take_back(context, &staged.subject, done).await;
                return Err(refusal(failure));
            }
        }
    }
    Ok(figures)
}

fn shows(context: &Context, place: Option<&str>, bundle: &Arc<Bundle>) -> bool {
    let standing = context.stage.standing(place);
    let load = standing.and_then(|token| context.loads.by_token(&token));
    load.is_some_and(|load| load.bundle.digest() == bundle.digest())
}

/// The places that follow a subject: a tile that is held on a version is not among them. The shell's place is `None`.
pub(crate) fn places(context: &Context, subject: &Subject) -> Vec<Option<String>> {
    match subject {
        Subject::Shell => vec![None],
        Subject::Widget(widget) => {
            let tiles = context.records.board().tiles;
            tiles
                .into_iter()
                .filter(|tile| tile.widget == *widget && tile.pinned.is_none())
                .map(|tile| Some(tile.instance))
                .collect()
        }
        Subject::Executable => Vec::new(),
    }
}

/// Puts a bundle into one place, and waits for the end of its trial.
pub(crate) async fn put(
    context: &Arc<Context>,
    place: Option<&str>,
    bundle: &Arc<Bundle>,
    manner: Manner,
) -> Result<SwapFigures, SwapFailure> {
    let standing = context.stage.standing(place);
    let standing = standing.and_then(|token| context.loads.by_token(&token));
    if let Some(live) = &standing
        && let Some(paths) = resources_between(&live.bundle, bundle)
        && take_over_resources(context, live, bundle, paths).await
    {
        return Ok(SwapFigures::default());
    }
    let load = prepare(context, place.map(str::to_owned), bundle)
        .map_err(|error| withdrawn(&format!("{error:#}")))?;
    let token = load.token.clone();
    if let Err(failure) = logic::swap::prepare(context, &token).await {
        close(context, &token);
        return Err(failure);
    }
    // Where nothing stood, the first version acts from its first moment on.
    if let (None, Some(instance)) = (&standing, place) {
        context.live.set(instance, &token);
    }
    let ending = context.stage.await_ending(&token);
    let event = match &standing {
        Some(live) => StageEvent::Swap {
            order: order(load, bundle, &live.bundle.manifest().version, manner),
        },
        None => StageEvent::Open { load },
    };
    context.stage.send(&event);
    let result = match tokio::time::timeout(READY + PATIENCE + manner.trial + SLACK, ending).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(withdrawn("the stage was loaded anew")),
        Err(_) => Err(SwapFailure {
            cause: SwapCause::Hung,
            detail: "the stage did not say how it ended".to_owned(),
        }),
    };
    context.stage.forget(&token);
    match result {
        Ok(figures) => {
            let committed = logic::swap::commit(context, &token).await;
            stand(context, place, &token);
            // What was kept off was an earlier version.
            if let Some(instance) = place {
                revival::release(context, instance);
            }
            committed.map(|state| {
                logic::swap::confirmed(context, &token, state);
                figures.unwrap_or_default()
            })
        }
        Err(failure) => {
            let old = standing.as_ref().map(|live| live.token.as_str());
            logic::swap::roll_back(context, &token, old).await;
            close(context, &token);
            Err(failure)
        }
    }
}

/// Has a load go on with the files of a new version, none of which is code. False: it has to be loaded after all.
async fn take_over_resources(
    context: &Context,
    live: &LiveLoad,
    bundle: &Arc<Bundle>,
    paths: Vec<String>,
) -> bool {
    let manifest = bundle.manifest();
    // A page names files from its own folder on.
    let folder = manifest
        .entry
        .ui
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let from_page = |path: String| {
        let below = path
            .strip_prefix(folder)
            .map(|path| path.trim_start_matches('/').to_owned());
        below.unwrap_or(path)
    };
    let order = ResourcesOrder {
        token: live.token.clone(),
        instance: live.instance.clone(),
        version: manifest.version.clone(),
        paths: paths.into_iter().map(from_page).collect(),
        settings: settings(context, live.instance.as_deref(), bundle),
    };
    context.loads.renew(&live.token, bundle);
    let ending = context.stage.await_ending(&live.token);
    context.stage.send(&StageEvent::Resources { order });
    let done = tokio::time::timeout(SLACK, ending).await;
    context.stage.forget(&live.token);
    let done = matches!(done, Ok(Ok(Ok(_))));
    if !done {
        context.loads.renew(&live.token, &live.bundle);
    }
    done
}

fn order(load: Load, bundle: &Bundle, from: &Version, manner: Manner) -> SwapOrder {
    let forced = !matches!(manner.reason, SwapReason::Update);
    SwapOrder {
        load,
        from: from.clone(),
        reason: manner.reason,
        quiet_ms: if forced { 0 } else { milliseconds(QUIET) },
        patience_ms: milliseconds(PATIENCE),
        ready_ms: milliseconds(READY),
        trial_ms: milliseconds(manner.trial),
        max_error_percent: bundle.manifest().trial.unwrap_or_default().max_error_percent,
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Brings the version that is still current back into places that had the new one already.
async fn take_back(context: &Arc<Context>, subject: &Subject, places: Vec<Option<String>>) {
    if places.is_empty() {
        return;
    }
    match current(context, subject) {
        Ok(Some(bundle)) => {
            for place in places {
                if let Err(failure) = put(context, place.as_deref(), &bundle, SwapReason::GoBack.into()).await
                {
                    tracing::error!(
                        ?failure,
                        ?place,
                        "a place could not go back; it does so at the next start"
                    );
                }
            }
        }
        Ok(None) => {}
        Err(error) => tracing::error!(error = format!("{error:#}"), "the current version can't be read"),
    }
}

/// A refusal; only what the new version did itself counts towards its ban.
pub(crate) fn refusal(failure: SwapFailure) -> SwapRefusal {
    let ban = match failure.cause {
        SwapCause::Exception
        | SwapCause::NotReady
        | SwapCause::Hung
        | SwapCause::StateRefused
        | SwapCause::Errors => true,
        SwapCause::Withdrawn => false,
    };
    SwapRefusal { failure, ban }
}

/// What the slowest place took.
fn worst(one: SwapFigures, other: SwapFigures) -> SwapFigures {
    SwapFigures {
        ready_ms: one.ready_ms.max(other.ready_ms),
        switch_ms: one.switch_ms.max(other.switch_ms),
        state_bytes: one.state_bytes.max(other.state_bytes),
        replayed_keys: one.replayed_keys + other.replayed_keys,
    }
}

/// Holds a tile on a version, or lets it follow the updates again. What it shows is swapped if that differs.
pub(crate) async fn pin(
    context: &Arc<Context>,
    instance: &str,
    version: Option<Version>,
) -> anyhow::Result<()> {
    let before = context.records.board();
    let mut board = before.clone();
    let tile = board.tiles.iter_mut().find(|tile| tile.instance == instance);
    let tile = tile.context("there is no such tile")?;
    tile.pinned = version;
    let (tile, subject) = (tile.clone(), Subject::Widget(tile.widget.clone()));
    if let Some(version) = &tile.pinned {
        let slots = context.writing.bundles().subject(&subject)?;
        slots
            .of_version(version)
            .with_context(|| format!("{version} is not kept any more"))?;
    }
    context.records.set_board(board)?;
    hold(context, &subject)?;
    let bundle = shown_in(context, &tile)?.context("the widget is not installed")?;
    let standing = context.stage.standing(Some(instance));
    let standing = standing.and_then(|token| context.loads.by_token(&token));
    if standing.is_some_and(|live| live.bundle.digest() == bundle.digest()) {
        return Ok(());
    }
    if let Err(failure) = put(context, Some(instance), &bundle, SwapReason::GoBack.into()).await {
        context.records.set_board(before)?;
        hold(context, &subject)?;
        anyhow::bail!(
            "{} could not be shown: {}",
            bundle.manifest().version,
            failure.detail
        );
    }
    Ok(())
}

/// Tells the store which versions of a widget the board needs, so that none of them is cleaned away.
pub(crate) fn hold(context: &Context, subject: &Subject) -> anyhow::Result<()> {
    let tiles = context.records.board().tiles;
    let mut versions: Vec<Version> = tiles
        .into_iter()
        .filter(|tile| Subject::Widget(tile.widget.clone()) == *subject)
        .filter_map(|tile| tile.pinned)
        .collect();
    versions.sort_unstable();
    versions.dedup();
    Ok(context.writing.bundles().hold(subject, versions)?)
}

/// Shows a bundle in a place by loading its page there: what there was before swaps, and what they are measured against.
#[cfg(all(unix, debug_assertions))]
pub(crate) fn load_page(context: &Context, instance: &str, bundle: &Arc<Bundle>) -> anyhow::Result<()> {
    let load = open(context, Some(instance), bundle)?;
    context.stage.send(&StageEvent::Open { load });
    Ok(())
}
