//! What each widget must hold, known without asking it: what it was given at the start, and what was typed since.

use serde_json::{Value, json};

/// Enough that a gap in the tile would be seen.
const NOTE: &str = "one line of a note\nand another of them\nwith words that stay\nwhere they have been\n\
                    while this is swapped\nagain and again here\nand typed into below\n";

/// What a widget holds at the start; none if it begins with nothing.
pub fn first(widget: &str) -> Option<Value> {
    let tasks: Vec<Value> = (1..=6)
        .map(|id| json!({ "id": id, "text": format!("Task {id}"), "done": id % 2 == 0 }))
        .collect();
    let articles: Vec<Value> = (1..=8)
        .map(|id| {
            let url = format!("https://webkit.org/{id}");
            json!({ "id": id.to_string(), "title": format!("Article {id}"), "url": url, "at": 1_750_000_000_000u64, "author": "" })
        })
        .collect();
    Some(match widget {
        "clock" => json!({ "places": ["America/New_York", "Europe/Paris", "Asia/Tokyo"] }),
        "notes" => json!({ "title": "Model", "body": NOTE, "edited_at": null, "writing": true }),
        // Paused, so that no second passes in it.
        "pomodoro" => json!({
            "phase": "work", "ends_at": null, "left_ms": 754_000, "done": 0, "day": "", "subject": "Swaps"
        }),
        "tasks" => json!({ "tasks": tasks, "draft": "", "removed": [] }),
        "feed" => json!({
            "address": "https://webkit.org/feed/", "title": "WebKit", "articles": articles,
            "fetched_at": 1_750_000_000_000u64, "etag": "", "read": ["1"]
        }),
        _ => return None,
    })
}

/// Where a widget is typed into, if it is.
pub fn field(widget: &str) -> Option<&'static str> {
    match widget {
        "notes" => Some("[data-testid=notes-editor]"),
        "tasks" => Some("[data-testid=tasks-new]"),
        _ => None,
    }
}

/// What is typed into a widget in all: numbers, in which every lost, doubled or exchanged key shows.
pub fn typed(widget: &str, length: usize) -> String {
    // The field for a new task holds 500 characters.
    let most = if widget == "tasks" { 480 } else { length };
    let mut text = String::new();
    for number in 1.. {
        let word = format!("{number} ");
        if text.len() + word.len() > most.min(length) {
            break;
        }
        text.push_str(&word);
    }
    text
}

/// What a widget's field holds once all of this is typed.
pub fn whole(widget: &str, typed: &str) -> String {
    match widget {
        "notes" => format!("{NOTE}{typed}"),
        _ => typed.to_owned(),
    }
}

/// What is wrong with what a widget holds, if anything. `typed` is all that is typed into it in the end, `before` what it
/// held the last time.
pub fn fault(widget: &str, now: &Value, before: &Value, typed: &str) -> Option<String> {
    let expected = |mut state: Value, field: &str| {
        let (seen, last) = (now[field].as_str()?, before[field].as_str().unwrap_or_default());
        // It grows by what is typed, in order, and by nothing else.
        let whole = whole(widget, typed);
        let grows = whole.starts_with(seen) && seen.starts_with(last);
        state[field] = json!(seen);
        // Times of what was typed are not in the model.
        if widget == "notes" {
            state["edited_at"] = now["edited_at"].clone();
            state["writing"] = now["writing"].clone();
        }
        (grows && state == *now).then_some(())
    };
    let holds = match widget {
        "notes" => expected(first(widget)?, "body").is_some(),
        "tasks" => expected(first(widget)?, "draft").is_some(),
        "system" => follows(&now["samples"], &before["samples"]),
        "feed" | "clock" => Some(now) == first(widget).as_ref(),
        // It writes down which day it is when it counts.
        "pomodoro" => {
            let mut expected = first(widget)?;
            expected["day"] = now["day"].clone();
            *now == expected
        }
        other => return Some(format!("{other} has no model")),
    };
    (!holds).then(|| format!("{widget} held {before} and holds {now}"))
}

/// Whether the samples go on where the earlier ones were: the oldest may be gone, none in between.
fn follows(now: &Value, before: &Value) -> bool {
    let empty = Vec::new();
    let (now, before) = (
        now.as_array().unwrap_or(&empty),
        before.as_array().unwrap_or(&empty),
    );
    let Some(first) = now.first() else {
        return before.is_empty();
    };
    if before.is_empty() {
        return true;
    }
    let Some(at) = before.iter().position(|sample| sample == first) else {
        return false;
    };
    now.starts_with(&before[at..])
}
