//! `cargo xtask conformance`: the suite of The Update Framework against our own client, and the page with the result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::command::{cargo, command, quiet, root, shown_live};
use crate::report::heading;

/// The page that it writes.
const PAGE: &str = "docs/conformance.md";

/// What is run, and by what.
#[derive(Args)]
pub(crate) struct Suite {
    /// The folder of theupdateframework/tuf-conformance.
    folder: String,
    /// A Python that has the suite's requirements.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: String,
    /// The commit of the suite.
    #[arg(long)]
    commit: String,
}

/// What came of the tests of one file.
#[derive(Default)]
struct Counts {
    passed: usize,
    other: usize,
}

/// Builds the client, runs the suite, and writes the page. Fails if a test does.
pub(crate) fn run(suite: &Suite) -> Result<()> {
    shown_live(&mut command(
        cargo(),
        &["build", "--quiet", "--package", "moult-tuf-client"],
    ))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let client = target.join("debug/moult-tuf-client");
    let entry = client.to_str().context("the client's path is not UTF-8")?;
    // A list of failures that are expected would lie there.
    ensure!(!client.with_extension("xfails").exists(), "failures are expected");
    let arguments = [
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "tuf_conformance",
        "--entrypoint",
        entry,
    ];
    let output = command(&suite.python, &arguments)
        .current_dir(&suite.folder)
        .output()
        .with_context(|| format!("`{}` could not be started", suite.python))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = read(&text);
    let last = text
        .lines()
        .last()
        .unwrap_or_default()
        .trim_matches('=')
        .trim()
        .to_owned();
    if !output.status.success() || counts.values().any(|counts| counts.other > 0) {
        bail!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let about = quiet(&mut command(&suite.python, &["-c", ABOUT]))?;
    let version = fs::read_to_string(Path::new(&suite.folder).join("tuf_conformance/__init__.py"))?;
    let version = version.split('"').nth(1).unwrap_or("unknown").to_owned();
    fs::write(
        root().join(PAGE),
        page(&suite.commit, &version, about.trim(), &last, &counts),
    )?;
    heading(&format!("{PAGE}: {last}"));
    Ok(())
}

const ABOUT: &str = "import tuf, platform, datetime; from importlib.metadata import version; \
    print(f'{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, Python {platform.python_version()}, tuf {version(\"tuf\")}, \
securesystemslib {version(\"securesystemslib\")}, pytest {version(\"pytest\")}')";

/// Lines such as `tuf_conformance/test_keys.py::test_x[y] PASSED [ 3%]`.
fn read(text: &str) -> BTreeMap<String, Counts> {
    let mut files = BTreeMap::<String, Counts>::new();
    for line in text.lines().filter(|line| line.starts_with("tuf_conformance/")) {
        let Some((file, rest)) = line.split_once("::") else {
            continue;
        };
        let file = file.trim_start_matches("tuf_conformance/").to_owned();
        let counts = files.entry(file).or_default();
        if rest.contains(" PASSED") {
            counts.passed += 1;
        } else {
            counts.other += 1;
        }
    }
    files
}

fn page(commit: &str, version: &str, about: &str, last: &str, counts: &BTreeMap<String, Counts>) -> String {
    let passed: usize = counts.values().map(|counts| counts.passed).sum();
    let all: usize = passed + counts.values().map(|counts| counts.other).sum::<usize>();
    let mut page = format!(
        "# Conformance: the trust client and the suite of The Update Framework

<!-- Made by `cargo xtask conformance`. Do not edit. -->

**{passed} of {all} tests pass**, no failure is expected and no test is left out.

The suite is [theupdateframework/tuf-conformance](https://github.com/theupdateframework/tuf-conformance) {version}, commit
`{commit}`. It starts the client anew for each command, serves repositories with every kind of attack over HTTP, and looks
at the client's exit code, its folder of metadata, its downloads and its requests. Run: {about}. Its last line: `{last}`.

`moult-tuf-client` (`tests/tuf_client`) is its command line (`init`, `refresh`, `download`) before the application's own
parts: `moult_trust::Client` with its store, its floor and its second copy, and `moult_update::fetch::Repository` over HTTP.
It holds no check of its own. Two things are other than in the application: targets of any name can be fetched
(`Client::target`, behind the feature `conformance`, which `cargo xtask check` keeps out of the application), and nothing is compiled
in but the suite's first root. The floor lies beside the folder that the suite looks at.

| tests of | passed | of |
| --- | ---: | ---: |
"
    );
    for (file, counts) in counts {
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| {file} | {} | {} |",
            counts.passed,
            counts.passed + counts.other
        );
    }
    let _ = write!(
        page,
        "| all | {passed} | {all} |

Again: get the suite at that commit, and a Python environment with its requirements; install `faketime`; then

```sh
cargo xtask conformance SUITE --commit {commit} --python ENVIRONMENT/bin/python
```

The suite is not part of the tests here, since it needs Python and its packages. The same attacks, and more, are
`tests/hazards` and run with every `cargo xtask test`.
"
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_pass_is_counted_too() {
        let counts = read(
            "tuf_conformance/test_a.py::test_x PASSED [ 1%]\ntuf_conformance/test_a.py::test_y[a b] FAILED [ 2%]\n\
             tuf_conformance/test_b.py::test_z XFAIL [ 3%]\nother line",
        );
        let shown: Vec<_> = counts
            .iter()
            .map(|(file, counts)| (file.as_str(), counts.passed, counts.other))
            .collect();
        assert_eq!(shown, [("test_a.py", 1, 1), ("test_b.py", 0, 1)]);
    }
}
