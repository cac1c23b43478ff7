//! A shadow run: a new version of logic hears what the live one hears, and its answers are compared before it may take
//! over. Pure: it counts and compares, and knows no process.

use moult_model::bundle::{CompareRule, ShadowRun};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest part of a difference that is kept, in characters.
const SHOWN: usize = 400;

/// How far a shadow run is. Kept on the disk: a run outlives the application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Answers that were equal.
    pub equal: u64,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// Set when an answer differed: the run is over, and the version is not taken.
    pub difference: Option<Difference>,
}

/// An answer that differed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What both heard.
    pub event: String,
    /// What the live version answered.
    pub live: String,
    /// What the new version answered.
    pub shadow: String,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It goes on: so many answers and so many seconds are missing.
    Running {
        /// Equal answers that are still wanted.
        answers: u64,
        /// Seconds that it must still last.
        seconds: u64,
    },
    /// It may take over.
    Passed,
    /// It must not.
    Refused(Difference),
}

impl Progress {
    /// A run that begins now.
    pub fn begin(now: u64) -> Self {
        Self {
            equal: 0,
            began: now,
            difference: None,
        }
    }

    /// Compares two answers to one event.
    pub fn compare(&mut self, rule: &CompareRule, event: &Value, live: &Value, shadow: &Value) {
        if self.difference.is_some() {
            return;
        }
        if is_equal(rule, live, shadow) {
            self.equal += 1;
        } else {
            let text = |value: &Value| value.to_string().chars().take(SHOWN).collect();
            self.difference = Some(Difference {
                event: text(event),
                live: text(live),
                shadow: text(shadow),
            });
        }
    }

    /// Where it stands. The clock may have been set back meanwhile: then it begins anew, which is the longer way.
    pub fn standing(&self, wanted: &ShadowRun, now: u64) -> Standing {
        if let Some(difference) = &self.difference {
            return Standing::Refused(difference.clone());
        }
        let lasted = now.saturating_sub(self.began);
        let answers = wanted.equal_answers.saturating_sub(self.equal);
        let seconds = wanted.seconds.saturating_sub(lasted);
        if answers == 0 && seconds == 0 {
            Standing::Passed
        } else {
            Standing::Running { answers, seconds }
        }
    }
}

/// Whether two answers are equal by a rule: what it leaves out is not looked at, numbers may differ by its tolerance.
fn is_equal(rule: &CompareRule, live: &Value, shadow: &Value) -> bool {
    equal_at(rule, "", live, shadow)
}

fn equal_at(rule: &CompareRule, path: &str, live: &Value, shadow: &Value) -> bool {
    if rule.ignore.iter().any(|ignored| ignored == path) {
        return true;
    }
    match (live, shadow) {
        (Value::Object(live), Value::Object(shadow)) => {
            let mut keys: Vec<&String> = live.keys().chain(shadow.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.into_iter().all(|key| {
                let path = format!("{path}/{key}");
                let null = Value::Null;
                equal_at(
                    rule,
                    &path,
                    live.get(key).unwrap_or(&null),
                    shadow.get(key).unwrap_or(&null),
                )
            })
        }
        (Value::Array(live), Value::Array(shadow)) => {
            live.len() == shadow.len()
                && live
                    .iter()
                    .zip(shadow)
                    .all(|(live, shadow)| equal_at(rule, &format!("{path}/*"), live, shadow))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || one
                    .as_f64()
                    .zip(other.as_f64())
                    .is_some_and(|(one, other)| (one - other).abs() <= rule.tolerance.unwrap_or(0.0))
        }
        (live, shadow) => live == shadow,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_compared_by_the_declared_rule() {
        let rule = CompareRule {
            ignore: vec!["/at".to_owned(), "/list/*/id".to_owned()],
            tolerance: Some(0.5),
        };
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), true),
            (json!({"a": 1}), json!({"a": 2}), false),
            (json!({"a": 1.0}), json!({"a": 1.4}), true),
            (json!({"a": 1, "at": 5}), json!({"a": 1, "at": 6}), true),
            (json!({"a": 1, "at": 5}), json!({"a": 1}), true),
            (json!({"a": 1, "b": 5}), json!({"a": 1}), false),
            (json!({"list": [{"id": 1}]}), json!({"list": [{"id": 2}]}), true),
            (json!({"list": [{"id": 1}]}), json!({"list": []}), false),
            (json!("1"), json!(1), false),
        ];
        for (live, shadow, equal) in cases {
            assert_eq!(is_equal(&rule, &live, &shadow), equal, "{live} {shadow}");
        }
    }

    #[test]
    fn it_passes_after_enough_equal_answers_and_enough_time_and_not_before() {
        let (rule, wanted) = (
            CompareRule::default(),
            ShadowRun {
                equal_answers: 2,
                seconds: 100,
                compare: CompareRule::default(),
            },
        );
        let mut run = Progress::begin(1_000);
        let running = |answers, seconds| Standing::Running { answers, seconds };
        assert_eq!(run.standing(&wanted, 1_000), running(2, 100));
        run.compare(&rule, &json!(1), &json!(2), &json!(2));
        assert_eq!(run.standing(&wanted, 1_200), running(1, 0));
        run.compare(&rule, &json!(1), &json!(2), &json!(2));
        assert_eq!(run.standing(&wanted, 1_050), running(0, 50));
        assert_eq!(
            run.standing(&wanted, 500),
            running(0, 100),
            "a clock that was set back"
        );
        assert_eq!(run.standing(&wanted, 1_100), Standing::Passed);
    }

    #[test]
    fn one_difference_ends_it_and_is_told() {
        let (rule, wanted) = (CompareRule::default(), ShadowRun::default());
        let mut run = Progress::begin(0);
        run.compare(&rule, &json!({"kind": "tick"}), &json!(1), &json!(2));
        run.compare(&rule, &json!(null), &json!(1), &json!(1));
        let Standing::Refused(difference) = run.standing(&wanted, u64::MAX) else {
            unreachable!("it differed")
        };
        assert_eq!(
            (&*difference.event, &*difference.live, &*difference.shadow),
            ("{\"kind\":\"tick\"}", "1", "2")
        );
        assert_eq!(run.equal, 0);
    }
}
