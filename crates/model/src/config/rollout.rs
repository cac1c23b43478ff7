//! Who gets a release when, unless the command says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who gets a release when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutDefaults {
    /// The preset of a release for which the command names none. None: everybody at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Presets of your own. One named like a built-in one takes its place.
    pub presets: BTreeMap<String, Vec<Step>>,
    /// When a rollout is stopped and taken back.
    pub rollback: Rollback,
}

/// One step of a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How many have the release in this step, of all before it and more, in percent: 0 to 100.
    pub percent: f64,
    /// How long it lasts, in minutes. After the last step the release is no longer watched.
    pub minutes: u32,
    /// What stops the rollout in this step. A coordinator looks at it; static files can't.
    #[serde(default)]
    pub halt_if: HaltIf,
    /// What is looked at in this step.
    #[serde(default)]
    pub watch: Vec<Watch>,
}

/// What stops a rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HaltIf {
    /// More than so many percent of those that got it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<f64>,
    /// Of a hundred swaps or starts the slowest took longer than this, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u32>,
    /// Anything that differs from those who don't have it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub any_anomaly: bool,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Failed installations, crashes and rollbacks.
    Errors,
    /// How long starts and swaps take.
    Latency,
    /// How many get through with it in an hour.
    Throughput,
    /// Memory and processor.
    Resources,
    /// How long it runs without a fault.
    Stability,
}

/// When a rollout is stopped and taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {
    /// How a release gets to everybody.
    pub strategy: Strategy,
    /// More failures than this, in percent, stop it.
    pub max_error_percent: f64,
    /// Whether it stops and goes back by itself.
    pub automatic: bool,
    /// How many more get it with each step, in percent.
    pub step_percent: f64,
}

/// How a release gets to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// In equal steps, each of which is watched.
    #[default]
    Canary,
    /// At once.
    AllAtOnce,
}

impl Default for Rollback {
    fn default() -> Self {
        Self {
            strategy: Strategy::Canary,
            max_error_percent: 5.0,
            automatic: true,
            step_percent: 25.0,
        }
    }
}

/// How long a step of the preset `canary` lasts, in minutes.
const CANARY_MINUTES: u32 = 60;

impl RolloutDefaults {
    /// The presets that need no configuration.
    pub const BUILT_IN: [&str; 3] = ["canary", "quick", "steady"];

    /// The steps of a preset: one of your own, or a built-in one.
    pub fn steps(&self, name: &str) -> Option<Vec<Step>> {
        if let Some(steps) = self.presets.get(name) {
            return Some(steps.clone());
        }
        match name {
            "canary" => Some(self.canary()),
            "quick" => Some(quick()),
            "steady" => Some(steady()),
            _ => None,
        }
    }

    /// The names of all presets, sorted.
    pub fn names(&self) -> Vec<String> {
        let built_in = Self::BUILT_IN.map(str::to_owned);
        let mut names: Vec<_> = self.presets.keys().cloned().chain(built_in).collect();
        names.sort();
        names.dedup();
        names
    }

    /// As the rollback policy has it.
    fn canary(&self) -> Vec<Step> {
        let Rollback {
            strategy,
            max_error_percent,
            step_percent,
            ..
        } = self.rollback;
        let step = |percent: f64| Step {
            percent,
            minutes: CANARY_MINUTES,
            halt_if: HaltIf {
                error_percent: Some(max_error_percent),
                ..HaltIf::default()
            },
            watch: vec![Watch::Errors],
        };
        if strategy == Strategy::AllAtOnce || step_percent <= 0.0 {
            return vec![step(100.0)];
        }
        let count = (100.0 / step_percent).ceil().clamp(1.0, 100.0) as u32;
        (1..=count)
            .map(|number| step((step_percent * f64::from(number)).min(100.0)))
            .collect()
    }
}

/// Half an hour in all.
fn quick() -> Vec<Step> {
    let step = |percent, minutes, halt_if, watch| Step {
        percent,
        minutes,
        halt_if,
        watch,
    };
    let errors = HaltIf {
        error_percent: Some(1.0),
        ..HaltIf::default()
    };
    let latency = HaltIf {
        p99_ms: Some(2000),
        ..HaltIf::default()
    };
    let anomaly = HaltIf {
        any_anomaly: true,
        ..HaltIf::default()
    };
    vec![
        step(10.0, 5, errors, vec![Watch::Errors]),
        step(50.0, 10, latency, vec![Watch::Latency]),
        step(
            100.0,
            15,
            anomaly,
            vec![Watch::Errors, Watch::Latency, Watch::Stability],
        ),
    ]
}

/// A day in all.
fn steady() -> Vec<Step> {
    let step = |percent, minutes, watch| Step {
        percent,
        minutes,
        halt_if: HaltIf {
            error_percent: Some(1.0),
            ..HaltIf::default()
        },
        watch,
    };
    vec![
        step(10.0, 4 * 60, vec![Watch::Errors, Watch::Latency]),
        step(30.0, 8 * 60, vec![Watch::Throughput, Watch::Resources]),
        step(100.0, 12 * 60, vec![Watch::Stability]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_have_the_shares_they_are_known_for() {
        let defaults = RolloutDefaults::default();
        let percents = |name: &str| {
            let steps = defaults.steps(name).unwrap_or_default();
            steps.iter().map(|step| step.percent).collect::<Vec<_>>()
        };
        assert_eq!(percents("canary"), [25.0, 50.0, 75.0, 100.0]);
        assert_eq!(percents("quick"), [10.0, 50.0, 100.0]);
        assert_eq!(percents("steady"), [10.0, 30.0, 100.0]);
        assert!(defaults.steps("other").is_none());
    }

    #[test]
    fn a_preset_of_your_own_takes_the_place_of_a_built_in_one() {
        let defaults: RolloutDefaults =
            serde_json::from_str(r#"{ "presets": { "quick": [{ "percent": 1, "minutes": 2 }] } }"#)
                .unwrap_or_default();
        assert_eq!(defaults.steps("quick").map(|steps| steps[0].percent), Some(1.0));
        assert_eq!(defaults.names(), ["canary", "quick", "steady"]);
    }
}
