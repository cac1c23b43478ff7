//! Bundles that are loaded into frames.
//!
//! Each load has a host of its own that nobody can guess, and a token that readiness is bound to.
//! When the frame is gone the load is closed, and its host serves nothing any more.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use moult_model::stage::{Load, SavedState};
use moult_model::{Bundle, Subject};
use serde_json::{Map, Value};

/// A load that is alive.
#[derive(Clone, Debug)]
pub(crate) struct LiveLoad {
    pub(crate) token: String,
    pub(crate) subject: Subject,
    pub(crate) bundle: Arc<Bundle>,
    /// Which place it has on the board; none for the shell.
    pub(crate) instance: Option<String>,
}

/// All live loads, by host.
#[derive(Debug, Default)]
pub(crate) struct Loads(RwLock<HashMap<String, LiveLoad>>);

impl Loads {
    /// Opens a load of a bundle: from now on its files are served under a new host.
    pub(crate) fn open(
        &self,
        bundle: &Arc<Bundle>,
        instance: Option<String>,
        saved: Option<SavedState>,
        granted: Vec<String>,
        settings: Map<String, Value>,
    ) -> Result<Load, getrandom::Error> {
        let host = format!("{}.localhost", random_name()?);
        let token = random_name()?;
        let manifest = bundle.manifest();
        let load = Load {
            token: token.clone(),
            url: format!("{}/{}", origin(&host), manifest.entry.ui),
            subject: manifest.id.clone(),
            version: manifest.version.clone(),
            instance: instance.clone(),
            state_schema: manifest.state.map(|state| state.schema),
            saved,
            granted,
            settings,
        };
        let live = LiveLoad {
            token,
            subject: manifest.id.clone(),
            instance,
            bundle: Arc::clone(bundle),
        };
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host, live);
        Ok(load)
    }

    pub(crate) fn by_host(&self, host: &str) -> Option<LiveLoad> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(host)
            .cloned()
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<LiveLoad> {
        let loads = self.0.read().unwrap_or_else(PoisonError::into_inner);
        loads.values().find(|load| load.token == token).cloned()
    }

    /// From now on the files of another version are served to a load that goes on.
    pub(crate) fn renew(&self, token: &str, bundle: &Arc<Bundle>) {
        let mut loads = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(load) = loads.values_mut().find(|load| load.token == token) {
            load.bundle = Arc::clone(bundle);
        }
    }

    pub(crate) fn close(&self, token: &str) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, load| load.token != token);
    }

    /// Closes everything: the stage page itself is new.
    pub(crate) fn close_all(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The origin of a load's host, as the page's address has it. WebView2 knows custom schemes only as
/// hosts below a name; such a host is not local to Tauri, and so has no way to its commands.
pub(crate) fn origin(host: &str) -> String {
    if cfg!(windows) {
        format!("https://widget.{host}")
    } else {
        format!("widget://{host}")
    }
}

/// 128 random bits, in hexadecimal.
pub(crate) fn random_name() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_load_is_dead_and_every_load_is_another_host() -> anyhow::Result<()> {
        let bundle = Arc::new(Bundle::parse(
            crate::build::Build::new("1.0.0")?.shell.bytes().to_vec(),
        )?);
        let loads = Loads::default();
        let one = loads.open(&bundle, None, None, Vec::new(), Map::new())?;
        let two = loads.open(&bundle, None, None, Vec::new(), Map::new())?;
        assert_ne!(one.url, two.url);
        assert_ne!(one.token, two.token);
        assert!(loads.by_token(&one.token).is_some());
        loads.close(&one.token);
        assert!(loads.by_token(&one.token).is_none());
        assert!(loads.by_token(&two.token).is_some());
        Ok(())
    }
}
