//! `cargo xtask bench check`: what a check for updates costs in requests and bytes. The runs are a test of
//! `moult-update` (binary `check_cost`); the page, docs/benchmarks/check.md, is made from what it wrote down.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{cargo, command, quiet, root, shown_live};
use crate::faults::{grouped, target};
use crate::report::note;

const PATH: &str = "docs/benchmarks/check.md";

/// Counts, and writes the page.
pub(super) fn run() -> Result<()> {
    let arguments = [
        "test",
        "--package",
        "moult-update",
        "--test",
        "check_cost",
        "--",
        "--nocapture",
    ];
    shown_live(command(cargo(), &arguments).env("MOULT_CHECK_COST", "all"))?;
    let path = target()?.join("check/report.json");
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    let report: Value = serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?;
    let date = quiet(&mut command("date", &["--utc", "+%Y-%m-%d"]))?;
    fs::write(root().join(PATH), page(&report, date.trim())).with_context(|| PATH.to_owned())?;
    note(&format!("{PATH} was written"));
    Ok(())
}

fn page(report: &Value, date: &str) -> String {
    let mut page = format!(
        "# What a check costs\n\nWritten by `cargo xtask bench check` on {date}. Do not edit.\n\n{BEGIN}"
    );
    for site in report["sites"].as_array().into_iter().flatten() {
        let figure = |name: &str| grouped(&site[name]);
        let _ = write!(
            page,
            "## {} publishers, {} widgets\n\nOf {} releases of the application for each of six targets its index lists the newest {}: \
             an index has 64 KB at most.\n\n\
             | check | requests | **bodies** | heads of answers | requests' own bytes |\n|---|--:|--:|--:|--:|\n",
            figure("publishers"),
            figure("widgets"),
            figure("releases"),
            figure("listed"),
        );
        for row in site["rows"].as_array().into_iter().flatten() {
            let _ = writeln!(
                page,
                "| {} | {} | **{}** | {} | {} |",
                row["what"].as_str().unwrap_or_default(),
                grouped(&row["requests"]),
                grouped(&row["body"]),
                grouped(&row["heads"]),
                grouped(&row["asked"]),
            );
        }
        page.push_str("\n| the largest file of a kind | bytes | packed |\n|---|--:|--:|\n");
        for (name, sizes) in site["files"].as_object().into_iter().flatten() {
            let name = match name.as_str() {
                "publishers-" => "one of the 16 roles that delegate to publishers",
                "publisher-" => "a publisher's role",
                other => other,
            };
            let _ = writeln!(
                page,
                "| {name} | {} | {} |",
                grouped(&sizes[0]),
                grouped(&sizes[1])
            );
        }
        page.push('\n');
    }
    page.push_str(BESIDE);
    for feed in report["feeds"].as_array().into_iter().flatten() {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            feed["what"].as_str().unwrap_or_default(),
            grouped(&feed["bytes"]),
            grouped(&feed["packed"]),
        );
    }
    page.push_str(END);
    page
}

const BEGIN: &str = "The repository is made by the publishing side (`moult_trust::sign`), with names that compress as names do, and served by a \
real HTTP server that packs metadata with gzip, gives entity tags, and answers what is not there with a page of 146 \
bytes, as nginx does. The client is the real one: it refreshes and reads the index of the application, of the shell and of six \
widgets of its publishers. Bytes are exact. *Heads* are those of HTTP/1.1 with what nginx says of itself; TLS is not \
in them and was not measured: a first connection usually takes some kilobytes, most of them the server's certificates; a check \
uses one connection.

What is asked for, and judged in the test: nothing new costs two requests and 1,024 bytes of bodies at most; a check after \
somebody else's publication 2,048 with 20 publishers and 16,384 with 1,000.

";

const BESIDE: &str = "## Beside others

The whole of it comes at each check, also when nothing is new, unless client and server agree on entity tags: \
`tauri-plugin-updater` sends none and takes nothing packed. None of them says when it expires, and only the application is in \
it, no widget. The same 300 releases, the same notes, signatures of the same length; for the feed in the shape of Velopack's a \
full and a delta package of each release.

| | bytes | packed |
|---|--:|--:|
";

const END: &str = "
## Why these figures

- *Nothing new* is the next root, which is not there, and the timestamp, which has not changed. A server without entity tags \
costs the timestamp once more, 300 bytes.
- After any publication timestamp and snapshot are new. The snapshot has a line of about 45 bytes for each publisher, \
versions only; packed a fifth of that.
- Roles and indexes are fetched when their own version changes, so what others publish costs nothing beyond the snapshot.
- *First check* has all indexes, of which the application's is the largest by far.

## Again

    cargo xtask bench check                            # this page
    cargo test -p moult-update --test check_cost       # with fewer widgets, part of the tests
";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_come_from_the_report() {
        let report = json!({
            "sites": [{
                "publishers": 1000, "widgets": 10_000, "releases": 300, "listed": 32,
                "rows": [{ "what": "nothing new", "requests": 2, "body": 146, "asked": 284, "heads": 281 }],
                "files": { "snapshot": [49_390, 9588] },
            }],
            "feeds": [{ "what": "a feed", "bytes": 139_212, "packed": 32_877 }],
        });
        let page = page(&report, "2026-12-01");
        for line in [
            "## 1,000 publishers, 10,000 widgets",
            "| nothing new | 2 | **146** | 281 | 284 |",
            "| snapshot | 49,390 | 9,588 |",
            "| a feed | 139,212 | 32,877 |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
