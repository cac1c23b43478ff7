//! The engine, and the limits that it keeps by itself.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{Config, Engine, OptLevel};

use crate::ChildError;

/// How often a running call is looked at. The deadline of a call is kept to about this much.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// The stack of WebAssembly code.
const STACK: usize = 512 << 10;
/// What is reserved for each linear memory. Beyond it every access is checked by code, which is slower and as safe.
const RESERVED: u64 = 64 << 20;

/// The engine of both tasks: what one compiles the other runs.
pub fn engine() -> Result<Engine, ChildError> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .memory_reservation(RESERVED)
        .memory_reservation_for_growth(0)
        .memory_guard_size(64 << 10)
        // Images of memory would need a file of the system for each.
        .memory_init_cow(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(8))
        .generate_address_map(false)
        .cranelift_opt_level(OptLevel::Speed);
    Engine::new(&config).map_err(ChildError::Engine)
}

/// Names this engine: code compiled by another one, by another version, or for another processor is not run.
pub fn name(engine: &Engine) -> String {
    use std::hash::{Hash as _, Hasher as _};
    // Only compared, on this computer, with what the same program said.
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Ticks while there is work: an idle process wakes nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticker {
    working: Arc<(Mutex<usize>, Condvar)>,
}

/// Somebody works as long as it is there.
#[derive(Debug)]
pub(crate) struct Working(Ticker);

impl Ticker {
    /// Starts the thread that ticks.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let ticker = Self::default();
        let (working, engine) = (Arc::clone(&ticker.working), engine.clone());
        std::thread::Builder::new()
            .name("ticker".to_owned())
            .spawn(move || {
                let (count, changed) = &*working;
                loop {
                    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                    while *count == 0 {
                        count = changed.wait(count).unwrap_or_else(PoisonError::into_inner);
                    }
                    drop(count);
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            })?;
        Ok(ticker)
    }

    pub(crate) fn begin(&self) -> Working {
        let (count, changed) = &*self.working;
        *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        changed.notify_one();
        Working(self.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        *self.0.working.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}
