//! What is remembered about installed executables. Refuses to know how it is stored or changed.

use std::fmt;

use moult_model::{Digest, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::StartToken;

/// Fields that a later release wrote. They are written back as they were: that release may run again.
pub type Rest = Map<String, Value>;

/// The name of an installed executable: `base` for the packaged one, else `<version>-<first 8 digits
/// of its digest>`, which is also its folder below `versions/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SlotName(String);

/// A text that can't name a slot.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` can't name a slot")]
pub struct SlotNameError(String);

/// An installed executable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub name: SlotName,
    /// Its version.
    pub version: Version,
    /// SHA-256 of the executable.
    pub digest: Digest,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Everything that decides which executable starts. Persisted in `state.a` and `state.b`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BootState {
    /// The slot that starts when nothing is on trial.
    pub current: SlotName,
    /// The slot that was current before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SlotName>,
    /// The slot on trial: it starts as long as it has tries left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// All installed slots, `base` first, then in the order of their installation.
    pub slots: Vec<Slot>,
    /// What failed and is not tried again, oldest first. At most [`BootState::MAX_BANS`].
    #[serde(default)]
    pub banned: Vec<Ban>,
    /// The last time that a trial was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rollback: Option<Rollback>,
    /// The confirmed slots that are stepped over for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A slot that has to prove itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trial {
    /// The slot.
    pub slot: SlotName,
    /// How many more times it is started: lowered on the disk before each start.
    pub tries_left: u8,
    /// How it failed so far.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// Its last start: only the process of that start can confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartToken>,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Slots that ended too often although they were confirmed. They are neither banned nor replaced: what
/// makes all of them fail may be the computer's fault, and pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fallback {
    /// The slots, in the order in which they were given up for now.
    pub failed: Vec<SlotName>,
    /// When the first of them was, in seconds since 1970 in UTC.
    pub since: u64,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// One failed start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// How it failed.
    pub why: Why,
    /// When, in seconds since 1970 in UTC.
    pub at: u64,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Why a version was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Why {
    /// It ended with a failure.
    Crashed {
        /// Its exit code, or 128 and the number of the signal that ended it.
        code: i32,
    },
    /// It showed nothing, or stopped answering.
    Hung,
    /// It ended without a failure and without saying that it would.
    ExitedEarly,
    /// Each of its starts was cut short (a power cut, a logout) before its outcome was known. Never a
    /// reason for a ban.
    Unfinished,
    /// Something that a later release knows. Never a reason for a ban.
    #[serde(other)]
    Unknown,
}

impl Why {
    /// Whether it is known that the version itself failed. Only then it may be banned.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Crashed { .. } | Self::Hung | Self::ExitedEarly => true,
            Self::Unfinished | Self::Unknown => false,
        }
    }
}

/// An artifact that is not tried again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ban {
    /// The artifact.
    pub digest: Digest,
    /// Its version.
    pub version: Version,
    /// How it failed last.
    pub why: Why,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A trial that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rollback {
    /// The version that was on trial.
    pub from: Version,
    /// The version that runs instead.
    pub to: Version,
    /// Why.
    pub why: Why,
    /// When, in seconds since 1970 in UTC.
    pub at: u64,
    /// What a later release wrote besides.
    #[serde(flatten)]
    pub rest: Rest,
}

impl SlotName {
    /// The packaged executable.
    pub fn base() -> Self {
        Self("base".to_owned())
    }

    /// The slot of an artifact. A version of more than 100 characters is cut in the name.
    pub fn of(version: &Version, digest: &Digest) -> Self {
        let version: String = version.to_string().chars().take(100).collect();
        Self(format!("{version}-{}", digest.short()))
    }

    /// Whether this is the packaged executable.
    pub fn is_base(&self) -> bool {
        self.0 == "base"
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SlotName> for String {
    fn from(name: SlotName) -> Self {
        name.0
    }
}

impl TryFrom<String> for SlotName {
    type Error = SlotNameError;

    // The name becomes a path: nothing in it may lead out of `versions/`.
    fn try_from(text: String) -> Result<Self, SlotNameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        let named = text.len() <= 120
            && text.starts_with(|first: char| first.is_ascii_digit())
            && text.contains('-')
            && text.bytes().all(plain);
        if named || text == "base" {
            Ok(Self(text))
        } else {
            Err(SlotNameError(text.chars().take(120).collect()))
        }
    }
}

impl std::str::FromStr for SlotName {
    type Err = SlotNameError;

    fn from_str(text: &str) -> Result<Self, SlotNameError> {
        text.to_owned().try_into()
    }
}

impl BootState {
    /// How many bans are remembered; the oldest are forgotten first.
    pub const MAX_BANS: usize = 64;

    /// The state of a computer that knows the packaged executable alone.
    pub fn fresh(base: Slot) -> Self {
        Self {
            current: base.name.clone(),
            previous: None,
            trial: None,
            slots: vec![base],
            banned: Vec::new(),
            last_rollback: None,
            fallback: None,
            rest: Rest::new(),
        }
    }

    /// Whether a slot is stepped over for now, because it ended too often.
    pub fn is_stepped_over(&self, name: &SlotName) -> bool {
        self.fallback
            .as_ref()
            .is_some_and(|fallback| fallback.failed.contains(name))
    }

    /// An installed slot.
    pub fn slot(&self, name: &SlotName) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == *name)
    }

    /// Whether an artifact is not tried again.
    pub fn is_banned(&self, digest: &Digest) -> bool {
        self.banned.iter().any(|ban| ban.digest == *digest)
    }

    /// The artifacts that are not offered now: those that failed, and the slots that are stepped over. The
    /// latter are installed and current, so that there is nothing to be tried.
    pub fn refused(&self) -> impl Iterator<Item = Digest> + '_ {
        let stepped_over = self.slots.iter().filter(|slot| self.is_stepped_over(&slot.name));
        let banned = self.banned.iter().map(|ban| ban.digest);
        banned.chain(stepped_over.map(|slot| slot.digest))
    }

    /// Whether this slot is the one on trial.
    pub fn is_on_trial(&self, name: &SlotName) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.slot == *name)
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't build its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn slot_names_never_lead_out_of_their_folder() {
        let digest = Digest::of(b"x");
        for version in ["1.0.0", "1.0.0-beta.1+build-7"] {
            let name = SlotName::of(&version.parse().unwrap(), &digest);
            assert_eq!(name.as_str().parse::<SlotName>().unwrap(), name);
        }
        let long = format!("1.0.0-{}", "x".repeat(400)).parse().unwrap();
        assert!(SlotName::of(&long, &digest).as_str().parse::<SlotName>().is_ok());
        for bad in [
            "",
            "..",
            "../1.0.0-x",
            "1.0.0/..-x",
            "1.0.0-ä",
            "1.0.0",
            "Base",
            "-1",
            &"1-".repeat(90),
        ] {
            assert!(bad.parse::<SlotName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_state_on_disk_is_read_as_it_was_written_in_the_first_release() {
        let digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        let text = format!(
            r#"{{"current":"1.1.0-2d711642","previous":"base","trial":{{"slot":"1.2.0-2d711642","tries_left":2,
            "failures":[{{"why":{{"kind":"crashed","code":139}},"at":7}}]}},
            "slots":[{{"name":"base","version":"1.0.0","digest":"{digest}"}}],
            "banned":[{{"digest":"{digest}","version":"0.9.0","why":{{"kind":"exited_early"}}}}],
            "last_rollback":{{"from":"0.9.0","to":"1.0.0","why":{{"kind":"hung"}},"at":5}},"a_later_field":1}}"#
        );
        let state: BootState = serde_json::from_str(&text).unwrap();
        assert_eq!(
            state.trial.as_ref().unwrap().failures[0].why,
            Why::Crashed { code: 139 }
        );
        assert_eq!(state.banned[0].why, Why::ExitedEarly);
        let again: BootState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(again, state);
    }

    #[test]
    fn what_a_later_release_wrote_is_written_back() {
        let digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        let text = format!(
            r#"{{"current":"base","trial":{{"slot":"1.2.0-2d711642","tries_left":2,"start":"any text",
            "failures":[{{"why":{{"kind":"melted","degrees":7}},"at":7,"new":1}}],"new":2}},
            "slots":[{{"name":"base","version":"1.0.0","digest":"{digest}","new":{{"deep":[3]}}}}],
            "banned":[{{"digest":"{digest}","version":"0.9.0","why":{{"kind":"hung"}},"new":4}}],
            "last_rollback":{{"from":"0.9.0","to":"1.0.0","why":{{"kind":"hung"}},"at":5,"new":5}},
            "fallback":{{"failed":["base"],"since":1,"new":6}},"new":[7]}}"#
        );
        let state: BootState = serde_json::from_str(&text).unwrap();
        assert_eq!(state.trial.as_ref().unwrap().failures[0].why, Why::Unknown);
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        // A reason that is not known stays one that is not known, and is all that is lost.
        expected["trial"]["failures"][0]["why"] = serde_json::json!({ "kind": "unknown" });
        assert_eq!(serde_json::to_value(&state).unwrap(), expected);
    }

    #[test]
    fn only_known_failures_count_as_failures() {
        let table = [
            (r#"{"kind":"crashed","code":1}"#, true),
            (r#"{"kind":"hung"}"#, true),
            (r#"{"kind":"exited_early"}"#, true),
            (r#"{"kind":"unfinished"}"#, false),
            (r#"{"kind":"of a later release","code":1}"#, false),
        ];
        for (text, is_failure) in table {
            let why: Why = serde_json::from_str(text).unwrap();
            assert_eq!(why.is_failure(), is_failure, "{text}");
        }
    }
}
