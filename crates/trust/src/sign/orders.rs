//! The orders of the role `rollout`: what is signed at once, with a key that is online. It refuses to know when somebody should
//! give one.

use moult_model::Digest;
use moult_model::rollout::Orders;

use super::document::Target;
use super::editor::{Editor, served_path};
use super::error::SignError;
use crate::orders::{ROLE, check};

impl Editor {
    /// The orders as they stand, committed or not; none if there never were any.
    pub fn orders(&self) -> Result<Orders, SignError> {
        let rollout = self.documents.targets.get(ROLE);
        match rollout.and_then(|rollout| rollout.targets.get(Orders::PATH)) {
            Some(target) => check(target.extra.get("custom")).map_err(|source| SignError::Orders {
                source: Box::new(source),
            }),
            None => Ok(Orders {
                format: Orders::FORMAT,
                orders: Vec::new(),
            }),
        }
    }

    /// Replaces the orders. Refuses those that clients would not obey; does nothing if they are the same.
    ///
    /// A commit of nothing else signs `rollout`, `snapshot` and `timestamp` alone, so no key is needed that is kept offline. What was
    /// ordered once stays in force on those computers that saw it until the release's own signer lifts it, whatever stands here
    /// later.
    pub fn set_orders(&mut self, orders: &Orders) -> Result<(), SignError> {
        let custom = serde_json::to_value(orders).map_err(|source| SignError::Encode {
            name: Orders::PATH.to_owned(),
            source: source.into(),
        })?;
        check(Some(&custom)).map_err(|source| SignError::Orders {
            source: Box::new(source),
        })?;
        // The file itself is empty: all is in the metadata, so that reading it costs no request. It is there for tools that copy
        // repositories.
        let digest = Digest::of(b"").to_string();
        let file = served_path(Orders::PATH, &digest);
        let target = Target {
            length: 0,
            hashes: [("sha256".to_owned(), digest)].into(),
            extra: [("custom".to_owned(), custom)].into(),
        };
        let path = self.repository.join(&file);
        let targets = &mut self.targets_mut(ROLE)?.targets;
        if targets.get(Orders::PATH) != Some(&target) {
            targets.insert(Orders::PATH.to_owned(), target);
            if !path.exists() {
                self.files.insert(file, Vec::new());
            }
            self.changed.insert(ROLE.to_owned());
        }
        Ok(())
    }
}
