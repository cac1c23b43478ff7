//! The page with all figures. Text that a person wrote between two marks stays when it is written anew.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use super::corpus::LISTS;
use super::measure::{Cost, machine};
use super::record::{Large, Moult, Record, Row};
use super::runs::{LIMIT, Origin};
use super::targets::{self, Target, geometric_mean, is_full};
use super::tools::{BASE, TOOLS};
use crate::command::{command, quiet, root};

/// Where it is.
pub(crate) const PATH: &str = "docs/benchmarks/delta.md";

/// What is between these two is a person's.
const KEPT: [&str; 2] = ["<!-- own releases: begin -->", "<!-- own releases: end -->"];
const NOTHING_YET: &str = "Not measured yet.";

/// Writes it, with what a person wrote in the last one.
pub(crate) fn write(rows: &[Row], large: Option<&Large>, targets: &[Target], origin: Origin) -> Result<()> {
    let path = root().join(PATH);
    let last = fs::read_to_string(&path).unwrap_or_default();
    let date = quiet(&mut command("date", &["--utc", "+%Y-%m-%d"]))?;
    let about = about(origin, date.trim(), &machine()?)?;
    let text = page(rows, large, targets, kept(&last), &about)?;
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::write(&path, text).with_context(|| format!("`{PATH}` could not be written"))
}

/// What is between the marks of a page.
fn kept(page: &str) -> &str {
    let text = page.split_once(KEPT[0]).and_then(|(_, rest)| {
        let (text, _) = rest.split_once(KEPT[1])?;
        Some(text.trim())
    });
    text.filter(|text| !text.is_empty()).unwrap_or(NOTHING_YET)
}

/// When, on what and how it was measured.
fn about(origin: Origin, date: &str, machine: &str) -> Result<String> {
    let mut out = String::new();
    write!(
        out,
        "Written by `cargo xtask bench delta` on {date}; only the section *Own releases* is written by hand. Machine: {machine}.\n\n\
         Every patch was applied and what it rebuilt compared with the new file. Bytes are exact. Seconds are of the processor (user and system), the median of three runs where a run takes less\n\
         than 5 s and always for applying; MiB are the largest resident set of the process. Other work on the machine is not counted,\n\
         but makes the seconds longer. Of the peers' figures {} are of this run and {} of earlier runs on this machine (`--fresh`\n\
         measures all).\n\n",
        origin.measured, origin.remembered
    )?;
    Ok(out)
}

fn page(rows: &[Row], large: Option<&Large>, targets: &[Target], kept: &str, about: &str) -> Result<String> {
    let mut out = format!("# Patches, measured\n\n{about}");
    out.push_str("## Targets\n\n");
    out.push_str(&targets_table(targets));
    for (list, unseen) in LISTS {
        let chosen: Vec<&Row> = rows.iter().filter(|row| row.pair.unseen == unseen).collect();
        let title = if unseen {
            "Releases that nobody tuned on"
        } else {
            "Releases of the list"
        };
        write!(
            out,
            "\n## {title}\n\nThe pairs, with their SHA-256, are in `{list}`.\n\n"
        )?;
        out.push_str(&sizes(&chosen));
        out.push('\n');
        out.push_str(&ratios(&chosen));
    }
    out.push_str("\n## What making a patch costs\n\n");
    out.push_str(&costs(rows, |record| record.diff));
    out.push_str("\n## What applying a patch costs\n\n");
    out.push_str(&costs(rows, |record| record.apply));
    write!(
        out,
        "\n## What applying holds in memory\n\n\
         Moult once more, with no more than {} MiB of private writable memory (`prlimit --data={LIMIT}`). Private is what only this process\n\
         has (RssAnon at its highest, read every millisecond); resident has the pages of files and of the program in it too (VmHWM).\n\n",
        LIMIT >> 20
    )?;
    out.push_str(&memory(rows, large));
    if let Some(large) = large {
        write!(
            out,
            "\nThe large executable is made by the benchmark from a counter and has {} bytes; it says nothing of the size of real patches.\n",
            grouped(large.bytes)
        )?;
    }
    out.push_str("\n## Tools\n\n");
    out.push_str(&tools()?);
    write!(out, "\n## Own releases\n\n{}\n{kept}\n{}\n", KEPT[0], KEPT[1])?;
    Ok(out)
}

/// A table in Markdown; all but the first column are numbers.
fn table(heads: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut rules = vec!["--:".to_owned(); heads.len()];
    if let Some(first) = rules.first_mut() {
        "---".clone_into(first);
    }
    let body: String = rows.map(|cells| line(&cells)).collect();
    format!("{}{}{body}", line(heads), line(&rules))
}

fn heads(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn targets_table(targets: &[Target]) -> String {
    let rows = targets.iter().map(|target| {
        let verdict = if target.holds { "yes" } else { "**no**" };
        vec![
            target.what.clone(),
            target.limit.clone(),
            target.found.clone(),
            verdict.to_owned(),
        ]
    });
    table(&heads(&["target", "at most", "found", "holds"]), rows)
}

/// The tools that were not run here, in the order in which they come.
fn elsewhere<'a>(rows: &[&'a Row]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.elsewhere) {
        if !names.contains(&&**name) {
            names.push(&**name);
        }
    }
    names
}

/// A row's records in the order of the columns: tools of the table, tools of other runs, Moult.
fn records<'a>(row: &'a Row, elsewhere: &[&str]) -> Vec<Option<&'a Record>> {
    let measured = TOOLS.iter().map(|tool| row.tools.get(tool.name));
    let others = elsewhere.iter().map(|name| {
        let found = row.elsewhere.iter().find(|(other, _)| other == name);
        found.map(|(_, record)| record)
    });
    let moult = row.moult.as_ref().map(|moult| &moult.record);
    measured.chain(others).chain([moult]).collect()
}

fn columns(first: &[&str], elsewhere: &[&str]) -> Vec<String> {
    let tools = TOOLS.iter().map(|tool| tool.name.to_owned());
    // Figures of other runs are told apart from those of this one.
    let others = elsewhere.iter().map(|name| format!("{name} \\*"));
    let first = first.iter().map(|name| (*name).to_owned());
    first
        .chain(tools)
        .chain(others)
        .chain(["Moult".to_owned()])
        .collect()
}

fn sizes(rows: &[&Row]) -> String {
    let elsewhere = elsewhere(rows);
    let cells = rows.iter().map(|row| {
        let mut cells = vec![
            row.pair.id.clone(),
            row.pair.kind.clone(),
            grouped(row.pair.new.bytes),
        ];
        let bytes = records(row, &elsewhere);
        cells.extend(
            bytes
                .iter()
                .map(|record| record.map_or_else(none, |record| grouped(record.patch))),
        );
        bold_last(cells)
    });
    table(&columns(&["bytes", "kind", "new file"], &elsewhere), cells)
}

fn ratios(rows: &[&Row]) -> String {
    let mut cells: Vec<Vec<String>> = Vec::new();
    let (mut to_best, mut to_base) = (Vec::new(), Vec::new());
    for row in rows {
        let base = row.tools.get(BASE).map(|record| record.patch as f64);
        let moult = row.moult.as_ref().map(|moult| moult.record.patch as f64);
        let best = row.best(is_full);
        let of_best = targets::ratio(row);
        let of_base = moult.zip(base).map(|(moult, base)| moult / base);
        // Ratios of a few bytes would drown the others, and bundles have a target of their own.
        if !row.pair.is_bundle() {
            to_best.extend(of_best);
            to_base.extend(of_base);
        }
        cells.push(vec![
            row.pair.id.clone(),
            best.map_or_else(none, |(name, bytes)| format!("{name}, {}", grouped(bytes))),
            moult.map_or_else(none, |bytes| grouped(bytes as u64)),
            of_best.map_or_else(none, |ratio| format!("**{ratio:.3}**")),
            of_base.map_or_else(none, |ratio| format!("{:.2} %", 100.0 * ratio)),
        ]);
    }
    cells.push(vec![
        "geometric mean of executables".to_owned(),
        String::new(),
        String::new(),
        geometric_mean(&to_best).map_or_else(none, |mean| format!("**{mean:.3}**")),
        geometric_mean(&to_base).map_or_else(none, |mean| format!("{:.2} %", 100.0 * mean)),
    ]);
    let base = format!("of {BASE}");
    table(
        &heads(&["pair", "best peer", "Moult", "of the best", &base]),
        cells.into_iter(),
    )
}

fn costs(rows: &[Row], cost: impl Fn(&Record) -> Cost) -> String {
    let rows: Vec<&Row> = rows.iter().collect();
    let elsewhere = elsewhere(&rows);
    let cells = rows.iter().map(|row| {
        let shown = |record: Option<&Record>| {
            let Some(record) = record else { return none() };
            let cost = cost(record);
            format!("{:.2} s, {} MiB", cost.seconds, cost.memory.div_ceil(1024))
        };
        let costs = records(row, &elsewhere).into_iter().map(shown);
        bold_last([row.pair.id.clone()].into_iter().chain(costs).collect())
    });
    table(&columns(&["pair"], &elsewhere), cells)
}

fn memory(rows: &[Row], large: Option<&Large>) -> String {
    let rows = rows
        .iter()
        .filter_map(|row| Some((&*row.pair.id, row.pair.new.bytes, row.moult.as_ref()?)));
    let large = large.map(|large| ("large executable", large.bytes, &large.moult));
    let cells = rows.chain(large).map(|(name, bytes, moult)| {
        let mut cells = vec![name.to_owned(), grouped(bytes)];
        cells.extend(held(moult));
        cells
    });
    table(
        &heads(&[
            "pair", "new file", "private", "resident", "apply", "diff", "passes",
        ]),
        cells,
    )
}

fn held(moult: &Moult) -> [String; 5] {
    let mebibytes = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
    let (private, resident) = match &moult.held {
        Ok(held) => (mebibytes(held.anonymous), mebibytes(held.resident)),
        Err(_) => (none(), none()),
    };
    let (apply, diff) = (moult.record.apply, moult.record.diff);
    [
        private,
        resident,
        format!("{:.2} s", apply.seconds),
        format!("{:.1} s, {}", diff.seconds, mebibytes(diff.memory)),
        if moult.held.is_ok() { "yes" } else { "**no**" }.to_owned(),
    ]
}

fn tools() -> Result<String> {
    let mut out = String::new();
    for tool in TOOLS {
        writeln!(
            out,
            "- {} {}: `{}`, then `{}`",
            tool.name,
            tool.version(),
            tool.diff.shown(),
            tool.apply.shown()
        )?;
    }
    out.push_str(
        "\n`delta-peers` is `benchmarks/peers`: the crates as a program, each with its best compression.\n\n\
         \\* HDiffPatch (v4.12.0, `hdiffz -f -d -m-1 -p-1 -c-lzma2-9-64m`) and Zucchini (Mozilla's copy of Chromium's, revision b6d2f6e, then\n\
         `xz -9e`) are in no registry. Their figures are in `benchmarks/delta-elsewhere.tsv`: measured on the same files, not in this\n\
         run; their bytes are exact, their seconds are of another run. Zucchini was not run on the unseen pairs.\n",
    );
    Ok(out)
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn none() -> String {
    "–".to_owned()
}

fn bold_last(mut cells: Vec<String>) -> Vec<String> {
    if let Some(last) = cells.last_mut() {
        *last = format!("**{last}**");
    }
    cells
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_wrote_stays() {
        let page = |text: &str| format!("# Title\n{}{text}{}\n", KEPT[0], KEPT[1]);
        for (last, expected) in [
            (page("\nOurs: 3 bytes.\n"), "Ours: 3 bytes."),
            (page("\n\n"), NOTHING_YET),
            ("# Title\n".to_owned(), NOTHING_YET),
            (String::new(), NOTHING_YET),
        ] {
            assert_eq!(kept(&last), expected, "{last}");
        }
        let written = self::page(&[], None, &[], "Ours: 3 bytes.", "").unwrap();
        assert_eq!(kept(&written), "Ours: 3 bytes.");
    }

    #[test]
    fn digits_come_in_groups_of_three() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn a_table_has_a_rule_below_its_heads() {
        let rows = [vec!["a".to_owned(), "1".to_owned()]];
        let table = table(&heads(&["pair", "bytes"]), rows.into_iter());
        assert_eq!(table, "| pair | bytes |\n| --- | --: |\n| a | 1 |\n");
    }
}
