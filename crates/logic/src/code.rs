//! Compiled code, loaded once for all instances of one component: with JavaScript it has 37 MB.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use moult_model::Digest;
use moult_sandbox::logic::{Fault, FaultKind};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What instances of this process run.
#[derive(Clone)]
pub(crate) struct Loaded {
    engine: Engine,
    components: Arc<Mutex<HashMap<Digest, Weak<Component>>>>,
}

impl Loaded {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            components: Arc::default(),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The component of this name: the one that another instance runs, or made of this code.
    pub(crate) fn get(&self, name: &Digest, code: &[u8]) -> Result<Arc<Component>, Fault> {
        // Whoever wants the same waits here until it is loaded.
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = components.get(name).and_then(Weak::upgrade) {
            return Ok(running);
        }
        let component = Arc::new(load(&self.engine, code)?);
        components.retain(|_, component| component.strong_count() > 0);
        components.insert(*name, Arc::downgrade(&component));
        Ok(component)
    }
}

#[expect(unsafe_code, reason = "code that was compiled before is taken as it is")]
fn load(engine: &Engine, code: &[u8]) -> Result<Component, Fault> {
    // SAFETY: compiled code must come from `Engine::precompile_component`. It does: the application has it from the child
    // that compiles, or from its cache, where a key of this installation vouches for every byte. Whoever could forge that
    // owns the application already; and this process has no rights that could be stolen.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| Fault {
        kind: FaultKind::Unfit,
        detail: format!("{error:#}"),
    })
}
