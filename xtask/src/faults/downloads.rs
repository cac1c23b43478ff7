//! `cargo xtask faults downloads`: ten thousand downloads from servers that do everything wrong, and the page about
//! them. The runs are a test of `moult-update` (binary `downloads`); every figure comes from what it wrote down.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::page::grouped;
use super::target;
use crate::command::{cargo, command, root, shown_live};
use crate::report::note;

const PATH: &str = "docs/downloads.md";

/// Does them, and writes the page also if some failed.
pub(super) fn run() -> Result<()> {
    let arguments = [
        "test",
        "--package",
        "moult-update",
        "--test",
        "downloads",
        "--",
        "--nocapture",
    ];
    let outcome = shown_live(command(cargo(), &arguments).env("MOULT_DOWNLOADS", "all"));
    let path = target()?.join("downloads/report.json");
    let bytes = fs::read(&path).with_context(|| "nothing was run yet".to_owned())?;
    let report: Value = serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?;
    fs::write(root().join(PATH), page(&report)).with_context(|| PATH.to_owned())?;
    note(&format!("{PATH} was written"));
    outcome
}

fn page(report: &Value) -> String {
    let mut page = String::from(BEGIN);
    let failures = report["failures"].as_array().map_or(0, Vec::len);
    let minutes = report["seconds"].as_f64().unwrap_or(0.0) / 60.0;
    let figure = |name: &str| grouped(&report[name]);
    let _ = writeln!(
        page,
        "| | |\n|---|--:|\n| downloads | {} |\n| **broke one of the rules** | **{failures}** |\n\
         | kills of the fetcher | {} |\n| answers that broke off, kills included | {} |\n\
         | bytes of the files | {} |\n| bytes of files that servers sent | {} |\n| minutes | {minutes:.1} |\n",
        figure("downloads"),
        figure("kills"),
        figure("breaks"),
        figure("file_bytes"),
        figure("sent_bytes"),
    );
    page.push_str(TWICE);
    let _ = writeln!(
        page,
        "| | |\n|---|--:|\n| downloads | {} |\n| answers that broke off | {} |\n| bytes of the files | {} |\n\
         | bytes that were sent | {} |\n| sent twice for one break, at most on average over a download | {} |\n",
        figure("exact"),
        figure("exact_breaks"),
        figure("exact_file_bytes"),
        figure("exact_sent_bytes"),
        figure("worst_twice_per_break"),
    );
    page.push_str(ENDS);
    for (name, times) in report["ends"].as_object().into_iter().flatten() {
        let _ = writeln!(page, "| {} | {} |", words(name), grouped(times));
    }
    page.push_str(FAULTS);
    for row in report["faults"].as_array().into_iter().flatten() {
        let name = row["what"].as_str().unwrap_or_default();
        let _ = writeln!(
            page,
            "| {name} | {} | {} |",
            grouped(&row["times"]),
            grouped(&row["ended"])
        );
    }
    page.push_str(END);
    page
}

/// The names of errors as people read them.
fn words(name: &str) -> String {
    match name {
        "complete" => "the file, right to the last bit".to_owned(),
        "ServerFailed" => "the server failed".to_owned(),
        "ServerRefused" => "the server refused".to_owned(),
        "FileCorrupt" => "the file is not the one that was signed".to_owned(),
        "CaptivePortal" => "a page in place of the file".to_owned(),
        "Offline" => "no connection".to_owned(),
        other => other.to_owned(),
    }
}

const BEGIN: &str = "# Downloads from servers that do everything wrong

<!-- Made by `cargo xtask faults downloads` from downloads/report.json in the target folder. Do not edit. -->

Files of 1 byte to 2 MiB, by their orders of magnitude; one to three mirrors for each; to each mirror a list of faults
by seed, and then good health or, to one in eight, a fault for ever. Among the mirrors are ports on which nobody
listens and names that do not exist. The fetcher is killed at random bytes and started anew with nothing but the disk.
The server is written for this, on real connections on loopback; waits are those of the product, divided by about
twenty. The rules:

1. Each download ends with the right file, or with the error that one of its faults stands for (the list below); with
   the right file, if one of its mirrors was in good health all the time.
2. No wrong byte is handed out, and a file that failed leaves nothing that is believed later.
3. What ended with an error comes to a good end as soon as one server is in good health, from what is on the disk.
4. Nothing is sent twice but the last 64 KiB before each break.

";

const TWICE: &str = "## Sent twice

Where no server sent what it was not asked for, or what can't be believed (a whole file in place of a part, another
range, a wrong bit, a packed file: then bytes must come again, whoever asks).

";

const ENDS: &str = "## How they ended

Before the servers were healed.

| with | times |
|---|--:|
";

const FAULTS: &str = "
## What was done

| in one answer | times | downloads that ended with its error |
|---|--:|--:|
";

const END: &str = "
## Again

    cargo xtask faults downloads                           # all; writes this page
    cargo test -p moult-update --test downloads            # a seeded share, part of the tests
    MOULT_DOWNLOADS=2000 cargo test -p moult-update --test downloads

## What this does not show

- TLS: the connections are plain. What a proxy that looks into TLS does is a test of its own (`crates/update/tests/it/tls.rs`).
- A line that loses packets: loopback loses none.
- A kill between two changes of a file, which docs/reliability.md is about.
";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_come_from_the_report() {
        let report = json!({
            "downloads": 10_000, "failures": [], "seconds": 90, "kills": 1234,
            "ends": { "complete": 9000, "Offline": 3 },
            "faults": [{ "what": "4xx", "times": 12, "ended": 5 }],
        });
        let page = page(&report);
        for line in [
            "| downloads | 10,000 |",
            "| **broke one of the rules** | **0** |",
            "| kills of the fetcher | 1,234 |",
            "| no connection | 3 |",
            "| 4xx | 12 | 5 |",
            "| minutes | 1.5 |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
