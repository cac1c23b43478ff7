//! Widgets that are being written: unsigned, shown for as long as `moult widget dev` is connected, and nothing of
//! them kept.
//!
//! The user turns the switch on, for this run of the application alone. Only then is there a door
//! ([`moult_model::developer`]), and only who can read the user's own files finds its token. Whatever such a widget
//! calls itself, it runs under the publisher `developer`, in a tile of its own: state, grants and storage of a real
//! widget are out of its reach.

mod door;
mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use moult_model::board::Tile;
use moult_model::developer::{PUBLISHER, Swapped};
use moult_model::stage::{StageEvent, SwapReason};
use moult_model::{Bundle, HOST_API, Subject, WidgetId};

use crate::app::Context;
use crate::{host, overview, swaps};
use door::Door;
pub(crate) use session::{Session, is_ones};

/// How long an order waits for a stage that is not open yet.
const STAGE: std::time::Duration = std::time::Duration::from_secs(10);

/// The door, while the switch is on.
#[derive(Default)]
pub(crate) struct Present(Mutex<Option<Door>>);

impl Present {
    fn door(&self) -> MutexGuard<'_, Option<Door>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the switch is on.
    pub(crate) fn is_on(&self) -> bool {
        self.door().is_some()
    }
}

/// Turns the switch.
pub(crate) fn set(context: &Arc<Context>, on: bool) -> anyhow::Result<()> {
    let mut door = context.developer.door();
    if on == door.is_some() {
        return Ok(());
    }
    tracing::info!(on, "the developer switch");
    if on {
        *door = Some(Door::open(context).context("the door for developers could not be opened")?);
        return Ok(());
    }
    let closed = door.take();
    drop(door);
    drop(closed);
    for tile in context.records.session().tiles() {
        take_off(context, &tile.instance);
    }
    Ok(())
}

/// Removes what a run that was ended hard left behind. Nobody listens there, and its token opens nothing.
pub(crate) fn sweep(context: &Context) {
    door::remove(&context.places.data);
}

/// A widget that a developer has on the board.
struct Shown {
    instance: String,
    swap: Option<Swapped>,
}

/// Shows a bundle in a tile of its own, or in the place of the one that was shown before.
async fn show(context: &Arc<Context>, bytes: Vec<u8>) -> anyhow::Result<Shown> {
    let began = Instant::now();
    let (id, bundle) = own(bytes)?;
    let bundle = Arc::new(bundle);
    anyhow::ensure!(context.stage.ready(STAGE).await, "no stage is open");
    let session = context.records.session();
    let subject = Subject::Widget(id.clone());
    let instance = format!("{PUBLISHER}-{}", &id.name()[..id.name().len().min(38)]);
    let before = session
        .has_tile(&instance)
        .then(|| session.bundle(&subject))
        .flatten();
    if before.is_none() {
        let board = context.records.board();
        session.add(Tile {
            cell: session::free_cell(&board.tiles, bundle.manifest().sizes.first().copied()),
            instance: instance.clone(),
            widget: id,
            settings: serde_json::Map::new(),
            pinned: None,
        });
        session.run(&subject, &bundle);
        overview::announce(context);
    }
    let put = swaps::put(context, Some(&instance), &bundle, SwapReason::Developer.into()).await;
    match put {
        Ok(figures) => {
            session.run(&subject, &bundle);
            session.trouble(&instance, None);
            let first_frame = context.stage.switched_at().filter(|at| *at > began);
            let swap = before.zip(first_frame).map(|(_, at)| Swapped {
                ready_ms: figures.ready_ms,
                switch_ms: figures.switch_ms,
                whole_ms: (at - began).as_secs_f64() * 1e3,
            });
            overview::announce(context);
            Ok(Shown { instance, swap })
        }
        Err(failure) => {
            if before.is_none() {
                take_off(context, &instance);
            } else {
                session.trouble(&instance, Some(failure.detail.clone()));
                overview::announce(context);
            }
            anyhow::bail!("{}", failure.detail)
        }
    }
}

/// The bundle under the publisher of all unsigned widgets.
fn own(bytes: Vec<u8>) -> anyhow::Result<(WidgetId, Bundle)> {
    let bundle = Bundle::parse(bytes)?;
    let mut manifest = bundle.manifest().clone();
    let Subject::Widget(id) = &manifest.id else {
        anyhow::bail!("this is a shell; only widgets are shown here");
    };
    let range = manifest.host_api;
    anyhow::ensure!(
        range.admits(HOST_API),
        "it is for hosts of version {} to {}; this is {HOST_API}",
        range.min,
        range.max
    );
    let id: WidgetId = format!("{PUBLISHER}/{}", id.name()).parse()?;
    manifest.id = Subject::Widget(id.clone());
    let files = bundle
        .paths()
        .filter_map(|path| Some((path.to_owned(), bundle.file(path)?.to_vec())))
        .collect();
    Ok((id, Bundle::parse(Bundle::pack(&manifest, &files)?)?))
}

/// Says over a tile what went wrong, or that nothing does any more.
fn trouble(context: &Arc<Context>, instance: &str, text: &str) {
    let text = (!text.is_empty()).then(|| text.to_owned());
    context.records.session().trouble(instance, text);
    overview::announce(context);
}

/// Takes a tile off the board, with all that was kept of it.
fn take_off(context: &Arc<Context>, instance: &str) {
    context.stage.send(&StageEvent::Close {
        instance: instance.to_owned(),
    });
    if let Some(token) = context.stage.standing(Some(instance)) {
        host::close(context, &token);
    }
    context.records.session().remove(instance);
    overview::announce(context);
}
