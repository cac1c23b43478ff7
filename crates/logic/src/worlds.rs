//! The worlds that logic may be written for. The newest is what the rest of this crate speaks; an older one is
//! converted to it here, and stays as long as the host interface has its number.

use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::guest::Guest;

mod v0_1 {
    wasmtime::component::bindgen!({ path: "../../sdk/wit/v0.1", world: "widget" });
}

mod v0_2 {
    wasmtime::component::bindgen!({ path: "../../sdk/wit/v0.2", world: "widget" });
}

pub(crate) use v0_2::moult::widget::host::Host;

/// An instance of logic, of whichever world.
pub(crate) enum World {
    V0_1(v0_1::Widget),
    V0_2(v0_2::Widget),
}

impl World {
    /// Instantiates a component in the world that it was written for.
    pub(crate) fn new(store: &mut Store<Guest>, component: &Component) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(store.engine());
        v0_2::Widget::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
        let pre = linker.instantiate_pre(component)?;
        // The one of 0.1 exports the same names; it differs in what `init` takes.
        if let Ok(newest) = v0_2::WidgetPre::new(pre.clone()) {
            return Ok(Self::V0_2(newest.instantiate(store)?));
        }
        Ok(Self::V0_1(v0_1::WidgetPre::new(pre)?.instantiate(store)?))
    }

    pub(crate) fn init(&self, store: &mut Store<Guest>, settings: &str) -> wasmtime::Result<()> {
        match self {
            Self::V0_1(world) => world.call_init(store),
            Self::V0_2(world) => world.call_init(store, settings),
        }
    }

    pub(crate) fn handle(&self, store: &mut Store<Guest>, event: &str) -> wasmtime::Result<String> {
        match self {
            Self::V0_1(world) => world.call_handle(store, event),
            Self::V0_2(world) => world.call_handle(store, event),
        }
    }

    pub(crate) fn snapshot(&self, store: &mut Store<Guest>) -> wasmtime::Result<Vec<u8>> {
        match self {
            Self::V0_1(world) => world.call_snapshot(store),
            Self::V0_2(world) => world.call_snapshot(store),
        }
    }

    pub(crate) fn restore(
        &self,
        store: &mut Store<Guest>,
        data: &[u8],
        from_schema: u32,
    ) -> wasmtime::Result<Result<(), String>> {
        match self {
            Self::V0_1(world) => world.call_restore(store, data, from_schema),
            Self::V0_2(world) => world.call_restore(store, data, from_schema),
        }
    }
}
