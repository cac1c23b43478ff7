//! The right to write, and what is open only while this process has it: the stores and the update engine.
//!
//! Two processes run side by side while one hands over to the other. Only one of them may write, and the other
//! reads. This module refuses to know how the right gets from one to the other.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use moult_boot::{BundleStore, WriteRight};
use moult_update::Engine;

use crate::app::{Context, start_engine};
use crate::places::Places;
use crate::powers::timers;
use crate::{developer, health, host, local_api, logic, window};

/// How long a start waits for another process to give the right up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the launcher hears meanwhile that this is alive.
const BEAT: Duration = Duration::from_secs(3);

/// What this process may do with the data, and what it has open for that.
pub(crate) struct Writing {
    right: Mutex<Option<WriteRight>>,
    bundles: RwLock<Arc<BundleStore>>,
    /// None while reading, and in a build without trust files, which does not update.
    engine: RwLock<Option<Arc<Engine>>>,
    /// Why there is no engine where there should be one.
    without_engine: Mutex<Option<String>>,
}

impl Writing {
    /// Without the right: everything can be read.
    pub(crate) fn reading(places: &Places) -> Self {
        Self {
            right: Mutex::default(),
            bundles: RwLock::new(Arc::new(BundleStore::open_reading(&places.data))),
            engine: RwLock::default(),
            without_engine: Mutex::default(),
        }
    }

    /// The installed bundles.
    pub(crate) fn bundles(&self) -> Arc<BundleStore> {
        Arc::clone(&self.bundles.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The update engine, if it runs.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why there is no engine where there should be one.
    pub(crate) fn without_engine(&self) -> Option<String> {
        self.without_engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether this process may write.
    pub(crate) fn holds_right(&self) -> bool {
        self.right
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Does something that only who holds the right may do. None: this process does not.
    pub(crate) fn with_right<T>(&self, act: impl FnOnce(&WriteRight) -> T) -> Option<T> {
        self.right
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(act)
    }

    fn set_bundles(&self, bundles: BundleStore) {
        *self.bundles.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(bundles);
    }
}

/// Takes the right, and waits for it if another process still has it. None: that one does not give it up, and
/// this one only reads.
pub(crate) fn seek(places: &Places, waits: impl Fn()) -> anyhow::Result<Option<WriteRight>> {
    let mut waited = Duration::ZERO;
    loop {
        let taken = WriteRight::take(&places.data, if waited.is_zero() { Duration::ZERO } else { BEAT })?;
        if taken.is_some() || waited >= PATIENCE {
            return Ok(taken);
        }
        waits();
        waited += BEAT;
    }
}

/// Goes on looking for the right, and begins to write as soon as the other process has ended.
pub(crate) fn begin_when_free(context: &Arc<Context>) {
    let context = Arc::clone(context);
    let look = move || -> anyhow::Result<()> {
        let right = loop {
            std::thread::sleep(BEAT);
            if let Some(right) = WriteRight::take(&context.places.data, Duration::ZERO)? {
                break right;
            }
        };
        begin(&context, right)?;
        update_if_possible(&context);
        local_api::open(&context);
        tracing::info!("the other process has ended; this one writes from now on");
        // What stands on the board is from before the other's last word.
        window::load_again(&context)
    };
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = look() {
            tracing::error!(error = format!("{error:#}"), "this process only reads");
        }
    });
}

/// From now on this process writes: what another one wrote meanwhile is read, the stores are opened and the
/// engine starts.
pub(crate) fn begin(context: &Arc<Context>, right: WriteRight) -> anyhow::Result<()> {
    right.check()?;
    developer::sweep(context);
    context.records.read_again()?;
    context.records.set_writing(true)?;
    context
        .writing
        .set_bundles(BundleStore::open(&context.places.data)?);
    host::adopt_embedded_shell(context)?;
    *context
        .writing
        .right
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(right);
    logic::begin(context);
    timers::begin(context);
    health::progress(context, "the right to write is taken");
    Ok(())
}

/// Starts the engine, which needs the right and the stage.
pub(crate) fn update(context: &Arc<Context>) -> anyhow::Result<()> {
    let engine = start_engine(context)?.map(Arc::new);
    *context
        .writing
        .engine
        .write()
        .unwrap_or_else(PoisonError::into_inner) = engine;
    Ok(())
}

/// The same for a start that has nobody to fall back to: without an engine the board is shown all the same, and
/// says that nothing is updated.
pub(crate) fn update_if_possible(context: &Arc<Context>) {
    if let Err(error) = update(context) {
        let error = format!("{error:#}");
        tracing::error!(error, "there are no updates");
        *context
            .writing
            .without_engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// From now on this process only reads. The engine is shut down, in `patience` at most, and the right is handed out.
pub(crate) async fn end(context: &Arc<Context>, patience: Duration) -> Option<WriteRight> {
    logic::end(context).await;
    let engine = context
        .writing
        .engine
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(engine) = engine
        && tokio::time::timeout(patience, engine.shutdown()).await.is_err()
    {
        tracing::warn!("the engine did not stop in time; what it began is taken up again");
    }
    if let Err(error) = context.records.set_writing(false) {
        tracing::error!(error = format!("{error:#}"), "the records stay open");
    }
    context
        .writing
        .set_bundles(BundleStore::open_reading(&context.places.data));
    context
        .writing
        .right
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}
