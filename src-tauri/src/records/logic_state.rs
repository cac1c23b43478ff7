//! The state of widgets' logic on the disk: beside that of their pages, in a record of its own.

use moult_durable::TwoCopy;
use moult_model::stage::SavedState;

use super::{Records, STATE_LIMIT_BYTES, recover, state_file};

impl Records {
    /// What the logic of a tile left, if that can be read.
    pub(crate) fn logic_state(&self, instance: &str) -> Option<SavedState> {
        let found = recover(&self.logic_file(instance), "the state of a widget's logic")?;
        serde_json::from_value(found)
            .inspect_err(
                |error| tracing::error!(%error, instance, "the state of a widget's logic is not understood"),
            )
            .ok()
    }

    /// Saves the state of a tile's logic. When this returns, it is on the disk.
    pub(crate) fn save_logic_state(&self, instance: &str, state: &SavedState) -> anyhow::Result<()> {
        self.may_write()?;
        anyhow::ensure!(
            self.board().tiles.iter().any(|tile| tile.instance == instance),
            "there is no tile `{instance}` on the board"
        );
        let bytes = serde_json::to_vec(&state.data)?.len();
        anyhow::ensure!(
            bytes <= STATE_LIMIT_BYTES,
            "the state has {bytes} bytes; {STATE_LIMIT_BYTES} are allowed"
        );
        Ok(self.logic_file(instance).store(&serde_json::to_value(state)?)?)
    }

    fn logic_file(&self, instance: &str) -> TwoCopy<serde_json::Value> {
        // No instance has a point in its name.
        state_file(&self.folder, &format!("{instance}.logic"))
    }
}
