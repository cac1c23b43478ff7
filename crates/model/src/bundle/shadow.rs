//! What a bundle's manifest says of its own trials: shadow runs of logic, and what counts as failing.

use serde::{Deserialize, Serialize};

/// A new version of logic runs beside the live one before it may take over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ShadowRun {
    /// So many equal answers are wanted.
    #[serde(default = "answers")]
    #[ts(type = "number")]
    pub equal_answers: u64,
    /// It lasts at least this long, in seconds. Seven days unless it says otherwise.
    #[serde(default = "week")]
    #[ts(type = "number")]
    pub seconds: u64,
    /// What counts as equal.
    #[serde(default)]
    pub compare: CompareRule,
}

/// What counts as equal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct CompareRule {
    /// Parts that are not looked at, as JSON pointers; `*` stands for each item of an array.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Numbers may differ by this much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
}

impl Default for ShadowRun {
    fn default() -> Self {
        Self {
            equal_answers: answers(),
            seconds: week(),
            compare: CompareRule::default(),
        }
    }
}

fn answers() -> u64 {
    100
}

fn week() -> u64 {
    7 * 24 * 60 * 60
}

/// What counts as failing while a version is on trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TrialRule {
    /// The highest share of calls and events that may fail, in percent.
    #[serde(default = "five")]
    pub max_error_percent: f32,
}

impl Default for TrialRule {
    fn default() -> Self {
        Self {
            max_error_percent: five(),
        }
    }
}

fn five() -> f32 {
    5.0
}
