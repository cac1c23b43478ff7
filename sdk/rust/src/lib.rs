//! Widget logic for Moult, in Rust.
//!
//! Logic runs apart from the widget's page, in a process without rights, and goes on when the page is hidden. It
//! implements [`Logic`], is exported by [`export!`](crate::export), is built for `wasm32-unknown-unknown` as a `cdylib`,
//! and is made a component by `moult widget pack`.
//!
//! ```ignore
//! use moult_guest::{Logic, Refused, Value, json};
//!
//! #[derive(Default)]
//! struct Counter(u64);
//!
//! impl Logic for Counter {
//!     fn new(_settings: Value) -> Self { Self::default() }
//!     fn handle(&mut self, _event: Value) -> Value { self.0 += 1; json!(self.0) }
//!     fn snapshot(&self) -> Value { json!(self.0) }
//!     fn restore(&mut self, state: Value, _schema: u32) -> Result<(), Refused> {
//!         self.0 = state.as_u64().ok_or("the count is no number")?;
//!         Ok(())
//!     }
//! }
//!
//! moult_guest::export!(Counter);
//! ```

pub use serde_json::{Value, json};

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "widget",
        pub_export_macro: true,
        default_bindings_module: "moult_guest::bindings",
    });
}

use bindings::moult::widget::host;

/// What an author writes.
pub trait Logic: Sized + 'static {
    /// Begins, with the settings of this instance.
    fn new(settings: Value) -> Self;
    /// Handles an event and answers: what the page sent, `{"kind":"timer","name":...}`, or `{"kind":"settings",...}`.
    fn handle(&mut self, event: Value) -> Value;
    /// The state as of now: at most 1 MiB as JSON.
    fn snapshot(&self) -> Value;
    /// Takes over the state of another version. A refusal keeps that one in place.
    fn restore(&mut self, state: Value, schema: u32) -> Result<(), Refused>;
}

/// Why a state was refused, in words for a log.
#[derive(Debug)]
pub struct Refused(pub String);

impl<T: ToString> From<T> for Refused {
    fn from(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// Uses a capability. The error is a problem: `code`, `happened`, `kept`, `advice`, `detail`.
pub fn call(capability: &str, request: &Value) -> Result<Value, Value> {
    let text = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    host::call(capability, &request.to_string()).map(text).map_err(text)
}

/// Says something to the widget's own page.
pub fn say(event: &Value) {
    host::say(&event.to_string());
}

/// The time in milliseconds since 1970, UTC.
pub fn now() -> u64 {
    host::now()
}

/// Bytes that nobody can guess, at most 256.
pub fn random(count: u32) -> Vec<u8> {
    host::random(count)
}

/// Leaves a line in the widget's log.
pub fn log(line: &str) {
    host::log(line);
}

#[doc(hidden)]
pub mod glue {
    use std::cell::RefCell;

    use super::{Logic, Value};

    /// The one value of an author's type, behind the functions of the world.
    pub struct Place<L>(RefCell<Option<L>>);

    // A component has one thread.
    unsafe impl<L> Sync for Place<L> {}

    impl<L: Logic> Place<L> {
        pub const fn new() -> Self {
            Self(RefCell::new(None))
        }

        pub fn init(&self, settings: &str) {
            *self.0.borrow_mut() = Some(L::new(parse(settings)));
        }

        pub fn handle(&self, event: &str) -> String {
            self.with(|logic| logic.handle(parse(event))).to_string()
        }

        pub fn snapshot(&self) -> Vec<u8> {
            self.with(|logic| logic.snapshot()).to_string().into_bytes()
        }

        pub fn restore(&self, data: &[u8], schema: u32) -> Result<(), String> {
            let state = serde_json::from_slice(data).map_err(|error| error.to_string())?;
            self.with(|logic| logic.restore(state, schema)).map_err(|refused| refused.0)
        }

        fn with<T>(&self, act: impl FnOnce(&mut L) -> T) -> T {
            let mut place = self.0.borrow_mut();
            act(place.as_mut().expect("the host calls `init` first"))
        }
    }

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap_or(Value::Null)
    }
}

/// Exports a type that implements [`Logic`] as the logic of the widget.
#[macro_export]
macro_rules! export {
    ($logic:ty) => {
        static PLACE: $crate::glue::Place<$logic> = $crate::glue::Place::new();

        struct Exported;

        impl $crate::bindings::Guest for Exported {
            fn init(settings: String) {
                PLACE.init(&settings);
            }
            fn handle(event: String) -> String {
                PLACE.handle(&event)
            }
            fn snapshot() -> Vec<u8> {
                PLACE.snapshot()
            }
            fn restore(data: Vec<u8>, schema: u32) -> Result<(), String> {
                PLACE.restore(&data, schema)
            }
        }

        $crate::bindings::export!(Exported with_types_in $crate::bindings);
    };
}
