//! State: the schema in the manifest against the one in the code, and the chain of migrations that leads to it.

use std::collections::BTreeSet;

use super::{Findings, Widget, member};
use crate::widget::check::code::Script;

/// What the code says of its state, as far as it can be read.
#[derive(Debug, Default, PartialEq, Eq)]
struct InCode {
    /// The schemas that are written as numbers, with the file and line of the first.
    schemas: BTreeSet<u32>,
    place: Option<(String, usize)>,
    /// The schemas that steps lead from.
    steps: BTreeSet<u32>,
    /// There is a `migrate` that can't be read as a list of numbers.
    hidden_steps: bool,
}

/// Schema and steps.
pub(super) fn look(widget: &Widget<'_>, findings: &mut Findings) {
    let code = in_code(&widget.scripts);
    let place = code.place.as_ref().map_or_else(
        || member("state"),
        |(path, line)| format!("{}:{line}", widget.project.shown(path)),
    );
    let Some(state) = widget.manifest.state else {
        if let Some(schema) = code.schemas.first() {
            findings.doubt(
                "state",
                place,
                format!("the code writes state of schema {schema}, and the manifest says nothing of state"),
                format!(
                    "add `\"state\": {{ \"schema\": {schema}, \"reads_from\": {schema} }}` to the manifest"
                ),
            );
        }
        return;
    };
    // Logic keeps its own state; the manifest's number is that of both.
    let has_logic = widget.manifest.entry.logic.is_some();
    if !code.schemas.is_empty() && !code.schemas.contains(&state.schema) {
        findings.fault(
            "state_schema",
            &*place,
            format!(
                "the code writes schema {}, and the manifest says {}",
                code.schemas
                    .iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(" and "),
                state.schema
            ),
            "write the same number in both: a state under a wrong number is refused by the next version",
        );
    }
    if state.schema == 0 {
        findings.doubt(
            "state_schema",
            member("state.schema"),
            "schemas are counted from 1",
            "write 1, in the code too",
        );
    }
    if code.hidden_steps || state.reads_from >= state.schema {
        return;
    }
    let missing: Vec<_> = (state.reads_from..state.schema)
        .filter(|from| !code.steps.contains(from))
        .collect();
    if let Some(from) = missing.first().filter(|_| !has_logic || !code.steps.is_empty()) {
        findings.fault(
            "state_migrations",
            member("state.reads_from"),
            format!(
                "it promises to read schema {}, and no step leads from schema {from} to {}",
                state.reads_from,
                from + 1
            ),
            format!(
                "give `connect` a step for each: `migrate: {{ {from}: (data) => ... }}`, or raise `reads_from` and lose what was kept before"
            ),
        );
    }
}

fn in_code(scripts: &[Script<'_>]) -> InCode {
    let mut code = InCode::default();
    for script in scripts {
        for at in script.places("schema") {
            let Some(value) = value_of(script.text, at, "schema") else {
                continue;
            };
            let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
            let after = value[digits.len()..].trim_start().chars().next();
            if let Ok(schema) = digits.parse()
                && matches!(after, None | Some(',' | '}' | '\n' | ';'))
            {
                code.schemas.insert(schema);
                code.place
                    .get_or_insert_with(|| (script.path.to_owned(), script.line(at)));
            }
        }
        for at in script.places("migrate") {
            let Some(value) = value_of(script.text, at, "migrate") else {
                continue;
            };
            match value.strip_prefix('{').map(steps) {
                Some(found) if !found.is_empty() => code.steps.extend(found),
                _ => code.hidden_steps = true,
            }
        }
    }
    code
}

/// What stands behind `name:`, if that is a member and no part of a longer name.
fn value_of<'a>(text: &'a str, at: usize, name: &str) -> Option<&'a str> {
    let before = text[..at].trim_end_matches(['"', '\'']).chars().next_back();
    if before.is_some_and(|before| before.is_alphanumeric() || "_$.".contains(before)) {
        return None;
    }
    let behind = text[at + name.len()..]
        .trim_start_matches(['"', '\''])
        .trim_start();
    behind.strip_prefix(':').map(str::trim_start)
}

/// The numbers that are members at the top of an object, after its `{`.
fn steps(object: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut depth = 0_u32;
    let mut begins = true;
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in object.char_indices() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '\'' | '`' if !(begins && depth == 0) => quote = Some(letter),
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth == 0 => break,
            '}' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                begins = true;
                continue;
            }
            _ => {}
        }
        if begins && depth == 0 && letter.is_ascii_digit() {
            let digits: String = object[at..].chars().take_while(char::is_ascii_digit).collect();
            let behind = object[at + digits.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start();
            if behind.starts_with([':', '(']) {
                found.extend(digits.parse::<u32>());
            }
        }
        if !letter.is_whitespace() && !"\"'".contains(letter) {
            begins = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<u32>, Vec<u32>, bool) {
        let code = in_code(&[Script { path: "a.js", text }]);
        (
            code.schemas.into_iter().collect(),
            code.steps.into_iter().collect(),
            code.hidden_steps,
        )
    }

    #[test]
    fn schema_and_steps_are_read_from_code_as_bundlers_write_it() {
        for (text, expected) in [
            (
                "connect({schema:2,migrate:{1:e=>({a:e,b:3}),2(e){return{3:e}}}})",
                (vec![2], vec![1, 2], false),
            ),
            (
                "connect({\n  schema: 3,\n  migrate: { 1: up, \"2\": (x) => f(x, 9) },\n})",
                (vec![3], vec![1, 2], false),
            ),
            (
                "connect({ schema: SCHEMA, migrate: STEPS })",
                (vec![], vec![], true),
            ),
            (
                "connect({ schema: 1 }); const { schema, data } = state;",
                (vec![1], vec![], false),
            ),
            (
                "widget.migrate ?? {}; x = { schema: widget.schema }",
                (vec![], vec![], false),
            ),
            ("// schema: 4\n", (vec![], vec![], false)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
