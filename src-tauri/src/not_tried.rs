//! What the launcher says of a newer version that it could not try, until that version is tried after all.

use std::sync::{Mutex, PoisonError};

use moult_boot::ToApp;
use moult_model::NotTried;

/// What was said last.
#[derive(Default)]
pub(crate) struct Present(Mutex<Option<NotTried>>);

impl Present {
    /// Notes what of the launcher's words is about it. Says whether that changed the picture.
    pub(crate) fn hear(&self, message: &ToApp) -> bool {
        let said = match message {
            ToApp::NotTried(not_tried) => Some(not_tried.clone()),
            // It runs now, beside this process.
            ToApp::HandOverBegun { .. } => None,
            _ => return false,
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = *known != said;
        *known = said;
        changes
    }

    /// What is still so.
    pub(crate) fn now(&self) -> Option<NotTried> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_stays_until_the_version_is_tried() {
        let said: ToApp = serde_json::from_str(
            r#"{"kind":"not_tried","version":"1.1.0","because":"disk_full","detail":"","at":7}"#,
        )
        .unwrap();
        let begun: ToApp =
            serde_json::from_str(r#"{"kind":"hand_over_begun","start":"0123456789abcdef0123456789abcdef"}"#)
                .unwrap();
        let open = ToApp::Open {
            arguments: Vec::new(),
        };
        let present = Present::default();
        assert!(!present.hear(&open) && present.now().is_none());
        assert!(present.hear(&said) && !present.hear(&said));
        assert!(!present.hear(&open));
        assert_eq!(present.now().unwrap().version.to_string(), "1.1.0");
        assert!(present.hear(&begun) && present.now().is_none());
    }
}
