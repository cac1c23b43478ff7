//! What another version wrote is read and kept, and no update ends twice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::Timestamp;
use moult_boot::SlotName;
use moult_model::stage::SwapReason;
use moult_model::{Activity, Digest, Outcome, Phase, Subject};
use serde_json::json;

use super::*;
use crate::choices::Failures;
use crate::machine::State;
use crate::record::{Life, Record};

/// What a release of the past wrote.
const GOLDEN: [(&str, &str); 3] = [
    ("history", include_str!("../../tests/golden/0.1.0/history.json")),
    ("pending", include_str!("../../tests/golden/0.1.0/pending.json")),
    ("choices", include_str!("../../tests/golden/0.1.0/choices.json")),
];

fn put(folder: &Path, stem: &str, value: &Value) {
    let folder = folder.join("update");
    moult_durable::create_dir_all(&folder).unwrap();
    TwoCopy::new(folder, stem).store(value).unwrap();
}

fn found(folder: &Path, stem: &str) -> Value {
    TwoCopy::<Value>::new(folder.join("update"), stem)
        .load()
        .unwrap()
        .unwrap()
}

fn record(id: &str, phase: Phase) -> Record {
    let now = Timestamp::from_second(1000).unwrap();
    let activity = Activity {
        id: id.into(),
        subject: Subject::Executable,
        from: Some("1.0.0".parse().unwrap()),
        to: "1.1.0".parse().unwrap(),
        phase,
        plan: Vec::new(),
        bytes_done: 0,
        bytes_total: 0,
        full_bytes: 0,
        seconds_left: None,
        held: None,
        problems: Vec::new(),
    };
    let digest = Digest::of(b"1.1.0");
    Record {
        state: State::found(activity, None, None),
        digest,
        reason: SwapReason::Update,
        began: now,
        entered: now,
        phases: Vec::new(),
        slot: Some(SlotName::of(&"1.1.0".parse().unwrap(), &digest)),
        put_off: None,
        cut_short: 0,
        together: false,
        set: Vec::new(),
        host_api: None,
        other: Map::new(),
    }
}

fn ids(loaded: &Loaded) -> Vec<&str> {
    loaded.tasks.open.iter().map(Record::id).collect()
}

#[test]
fn the_records_of_an_earlier_release_are_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (stem, text) in GOLDEN {
        put(folder.path(), stem, &serde_json::from_str(text).unwrap());
    }
    let records = Records::open(folder.path()).unwrap();
    let loaded = records.load();
    let outcomes: Vec<_> = loaded
        .history
        .entries()
        .iter()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Updated, Outcome::RolledBack]);
    assert_eq!(ids(&loaded), ["2d7e208f9ca1623ebf4051627d8e9fa0"]);
    assert_eq!(
        loaded.tasks.open[0].life(),
        Life::Executing(moult_model::Stage::Decide)
    );
    assert_eq!(loaded.choices.settled.len(), 2);
    assert_eq!(loaded.choices.skipped.len(), 1);
    assert_eq!(loaded.choices.went_back[&Subject::Shell].to.to_string(), "1.1.0");

    // And an earlier release reads what this one writes: the history keeps its shape, and what was on its
    // way stays where it looks for it.
    records.store_history(&loaded.history).unwrap();
    records.store_tasks(&loaded.tasks).unwrap();
    records.store_choices(&loaded.choices).unwrap();
    for (stem, text) in GOLDEN {
        assert_eq!(
            found(folder.path(), stem),
            serde_json::from_str::<Value>(text).unwrap(),
            "{stem}"
        );
    }
}

#[test]
fn an_earlier_release_does_not_take_up_what_has_ended_since() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "pending",
        &serde_json::from_str(GOLDEN[1].1).unwrap(),
    );
    let records = Records::open(folder.path()).unwrap();
    let mut loaded = records.load();
    let over = loaded.tasks.open.remove(0);
    loaded.tasks.ended.push(over.id().to_owned());
    records.store_tasks(&loaded.tasks).unwrap();
    assert_eq!(found(folder.path(), "pending"), json!([]));
    assert!(records.load().tasks.open.is_empty());
}

#[test]
fn one_line_that_is_not_understood_costs_no_other_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines: Value = serde_json::from_str(GOLDEN[0].1).unwrap();
    let mut strange = lines[0].clone();
    strange["id"] = json!("of a newer version");
    strange["outcome"] = json!("transfigured");
    lines.as_array_mut().unwrap().insert(1, strange);
    // Words that are not known are left out of a line, and the line is shown.
    lines[0]["phases"]
        .as_array_mut()
        .unwrap()
        .push(json!(["levitating", 5]));
    lines[0]["problems"] =
        json!([{ "code": "enchanted", "happened": "", "kept": "", "advice": null, "detail": "" }]);
    lines[0]["mood"] = json!("good");
    put(folder.path(), "history", &lines);

    let records = Records::open(folder.path()).unwrap();
    let mut loaded = records.load();
    let shown: Vec<_> = loaded
        .history
        .entries()
        .iter()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(shown, [Outcome::Updated, Outcome::RolledBack]);
    assert_eq!(loaded.history.entries()[0].phases.len(), 6);
    assert!(
        loaded.history.has("of a newer version"),
        "its id counts all the same"
    );

    let now = Timestamp::from_second(2000).unwrap();
    loaded
        .history
        .add(record("new", Phase::Done).entry(Outcome::Updated, now));
    records.store_history(&loaded.history).unwrap();
    let written = found(folder.path(), "history");
    assert_eq!(written.as_array().unwrap()[1..], lines.as_array().unwrap()[..]);
}

#[test]
fn tasks_of_a_newer_version_go_on_as_far_as_they_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let line = |id: &str, phase: &str, slot: Value| {
        let mut line = serde_json::to_value(record(id, Phase::Confirming)).unwrap();
        line["state"]["activity"]["phase"] = json!(phase);
        line["phases"] = json!([["levitating", 5], ["found", 1]]);
        line["slot"] = slot;
        line["mood"] = json!("good");
        line
    };
    let slot = serde_json::to_value(record("", Phase::Found).slot).unwrap();
    put(
        folder.path(),
        "tasks",
        &json!({
            "tasks": [
                line("armed", "hovering", slot.clone()), line("fresh", "hovering", Value::Null),
                line("confirming", "confirming", slot), { "state": { "activity": { "id": "odd" } } }
            ],
            "ended": ["a", 7, "b"],
            "failures": { "zz": 1 },
            "weather": "fine"
        }),
    );
    let records = Records::open(folder.path()).unwrap();
    let mut loaded = records.load();
    let phases: Vec<_> = loaded
        .tasks
        .open
        .iter()
        .map(|record| (record.id(), record.state.phase()))
        .collect();
    assert_eq!(
        phases,
        [
            ("armed", Phase::Waiting),
            ("fresh", Phase::Found),
            ("confirming", Phase::Confirming)
        ]
    );
    assert_eq!(loaded.tasks.ended, ["a", "b"]);
    let failures = Failures {
        times: 2,
        last: Timestamp::from_second(5).unwrap(),
    };
    loaded.tasks.failures.insert(Digest::of(b"x"), failures);
    records.store_tasks(&loaded.tasks).unwrap();
    let written = found(folder.path(), "tasks");
    assert_eq!(written["weather"], "fine");
    assert_eq!(written["tasks"][3]["state"]["activity"]["id"], "odd");
    assert_eq!(written["tasks"][0]["mood"], "good");
    assert_eq!(records.load().tasks, loaded.tasks, "failures and all");
}

#[test]
fn choices_come_back_as_they_were_written_and_torn_ones_are_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let mut choices = Choices::default();
    choices
        .settled
        .insert("w/moult/notes".parse().unwrap(), "beta".parse().unwrap());
    choices.skipped.insert(Digest::of(b"x"));
    records.store_choices(&choices).unwrap();
    assert_eq!(records.load().choices, choices);
    for copy in ["choices.a", "choices.b"] {
        std::fs::write(folder.path().join("update").join(copy), "{").unwrap();
    }
    assert_eq!(records.load().choices, Choices::default());
}

#[test]
fn a_choice_that_is_not_understood_costs_no_other_choice() {
    let folder = tempfile::tempdir().unwrap();
    let mut value: Value = serde_json::from_str(GOLDEN[2].1).unwrap();
    value["went_back"]["moon"] = json!({ "from": "1.0.0", "to": "full" });
    value["settled"]["shell"] = json!(["several"]);
    value["dreams"] = json!([1, 2]);
    put(folder.path(), "choices", &value);
    let records = Records::open(folder.path()).unwrap();
    let mut choices = records.load().choices;
    assert_eq!(
        (
            choices.settled.len(),
            choices.went_back.len(),
            choices.skipped.len()
        ),
        (2, 1, 1)
    );
    choices.skipped.insert(Digest::of(b"x"));
    records.store_choices(&choices).unwrap();
    let written = found(folder.path(), "choices");
    assert_eq!(written["went_back"], value["went_back"]);
    assert_eq!(written["settled"], value["settled"]);
    assert_eq!(written["dreams"], value["dreams"]);
    assert_eq!(written["skipped"].as_array().unwrap().len(), 2);
}

/// The end of an update is two writes: its line, then its id among those that are over. Killed before,
/// between and after, and started again and again: one line, and the update is never open beside its line.
#[test]
fn no_id_ends_twice() {
    let now = Timestamp::from_second(3000).unwrap();
    for killed_after in 0..=2 {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let before = Tasks {
            open: vec![record("one", Phase::Confirming), record("other", Phase::Waiting)],
            ..Tasks::default()
        };
        records.store_tasks(&before).unwrap();
        for _start in 0..3 {
            let mut loaded = records.load();
            let is_open = ids(&loaded).contains(&"one");
            assert!(
                !(is_open && loaded.history.has("one")),
                "killed after {killed_after}"
            );
            assert!(ids(&loaded).contains(&"other"), "killed after {killed_after}");
            if !is_open {
                continue;
            }
            let over = loaded.tasks.open.remove(0);
            loaded.history.add(over.entry(Outcome::Updated, now));
            loaded.tasks.ended.push(over.id().to_owned());
            if killed_after >= 1 {
                records.store_history(&loaded.history).unwrap();
            }
            if killed_after >= 2 {
                records.store_tasks(&loaded.tasks).unwrap();
            }
        }
        let mut history = records.load().history;
        history.add(record("one", Phase::Done).entry(Outcome::Updated, now));
        let lines = history.entries().iter().filter(|entry| entry.id == "one").count();
        assert_eq!(lines, 1, "killed after {killed_after}");
    }
}

#[test]
fn an_id_that_is_over_is_not_taken_up_even_if_its_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path()).unwrap();
    let tasks = Tasks {
        open: vec![record("one", Phase::Confirming)],
        ended: vec!["one".into()],
        ..Tasks::default()
    };
    records.store_tasks(&tasks).unwrap();
    assert!(records.load().tasks.open.is_empty());
}

#[test]
fn a_hundred_lines_are_kept() {
    let mut history = History::default();
    let now = Timestamp::from_second(3000).unwrap();
    for number in 0..150 {
        history.add(record(&number.to_string(), Phase::Done).entry(Outcome::Updated, now));
    }
    assert_eq!(history.entries().len(), History::LINES);
    assert_eq!(history.entries()[0].id, "149");
    assert!(!history.has("0"));
}
