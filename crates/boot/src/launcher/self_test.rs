//! What a launcher shows before it takes another's place: that it runs here, and that it reads the store
//! that is here. It changes nothing, and refuses to start anything.

use serde_json::json;

use super::Settings;
use super::run::PROTOCOL;
use crate::companion::SELF_TEST;
use crate::{Base, BootError, SlotName, Store};

/// Whether the launcher was started with nothing but the wish to test itself.
pub fn is_wished(settings: &Settings) -> bool {
    matches!(settings.arguments.as_slice(), [only] if only == SELF_TEST)
}

/// Reads the store and resolves what would start, and tells it in a line of JSON. Fails if the state is in
/// a shape that this launcher can't read.
pub fn self_test(settings: &Settings) -> Result<String, BootError> {
    let (base, _) = Base::from_install_or_missing(&settings.install);
    let store = Store::open_reading(&settings.data, base);
    let state = store.state()?;
    let due = [
        state.trial.map(|trial| trial.slot),
        Some(state.current),
        state.previous,
        Some(SlotName::base()),
    ];
    let due = due.into_iter().flatten().find(|slot| store.is_usable(slot));
    let answer = json!({
        "program": "moult-launcher",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": PROTOCOL,
        "due": due,
    });
    Ok(answer.to_string())
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its folder has failed"
)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::launcher::Deadlines;

    fn settings(folder: &Path, arguments: &[&str]) -> Settings {
        Settings {
            install: folder.join("install"),
            data: folder.join("data"),
            arguments: arguments.iter().map(Into::into).collect(),
            automation: false,
            deadlines: Deadlines::default(),
        }
    }

    #[test]
    fn it_is_wished_alone_or_not_at_all() {
        for (arguments, wished) in [
            (&["--self-test"][..], true),
            (&[], false),
            (&["--self-test", "x"], false),
            (&["x", "--self-test"], false),
        ] {
            assert_eq!(
                is_wished(&settings(Path::new("/x"), arguments)),
                wished,
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn it_tells_what_is_due_and_changes_nothing_and_fails_on_a_state_that_it_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &[]);
        let answer: serde_json::Value = serde_json::from_str(&self_test(&settings).unwrap()).unwrap();
        assert_eq!(
            (&answer["program"], &answer["due"]),
            (&json!("moult-launcher"), &json!("base"))
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing was made"
        );

        std::fs::create_dir(&settings.data).unwrap();
        let record = moult_durable::TwoCopy::new(&settings.data, "state");
        record
            .store(&json!({ "current": { "of": "a later shape" } }))
            .unwrap();
        assert!(self_test(&settings).is_err());
    }
}
