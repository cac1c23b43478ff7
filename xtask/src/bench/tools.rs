//! The tools that are compared, as a table: how each makes a patch, how it applies it, and where it comes
//! from. What they cost is measured elsewhere.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::measure::Call;
use crate::command::{cargo, command, quiet, root, works};

/// The package with the diff crates. It is no member of the workspace.
const PEERS: &str = "benchmarks/peers/Cargo.toml";

/// What has to be there besides the tools of the table: program and Debian package.
const NEEDED: [(&str, &str); 4] = [
    ("time", "time"),
    ("prlimit", "util-linux"),
    ("tar", "tar"),
    ("pip", "python3-pip"),
];

/// A tool with its words. `{old}`, `{new}`, `{patch}` and `{out}` stand for paths.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    source: Source,
    pub(crate) diff: Words,
    pub(crate) apply: Words,
    /// Whether it compresses the new file alone: a base for ratios, no peer.
    pub(crate) full: bool,
}

/// The program's arguments; `output` names the file that its standard output goes to.
#[derive(Debug)]
pub(crate) struct Words {
    program: &'static str,
    arguments: &'static [&'static str],
    output: Option<&'static str>,
}

#[derive(Debug)]
enum Source {
    /// A package of Debian, whose version is its own.
    Debian(&'static str),
    /// A crate, built by us, with the version that its manifest pins.
    Crate(&'static str),
}

const fn words(program: &'static str, arguments: &'static [&'static str]) -> Words {
    Words {
        program,
        arguments,
        output: None,
    }
}

/// The full file's compression that ratios are told against.
pub(crate) const BASE: &str = "zstd -19";
/// The tool whose time on one pair is the measure of the machine.
pub(crate) const YARDSTICK: &str = "bsdiff";

/// Full files first, then the peers.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: BASE,
        source: Source::Debian("zstd"),
        diff: words("zstd", &["-q", "-f", "-19", "-T1", "{new}", "-o", "{patch}"]),
        apply: words("zstd", &["-q", "-f", "-d", "{patch}", "-o", "{out}"]),
        full: true,
    },
    Tool {
        name: "xz -9e",
        source: Source::Debian("xz-utils"),
        diff: Words {
            program: "xz",
            arguments: &["-9e", "-T1", "--keep", "--stdout", "{new}"],
            output: Some("{patch}"),
        },
        apply: Words {
            program: "xz",
            arguments: &["--decompress", "--format=xz", "--keep", "--stdout", "{patch}"],
            output: Some("{out}"),
        },
        full: true,
    },
    Tool {
        name: YARDSTICK,
        source: Source::Debian("bsdiff"),
        diff: words("bsdiff", &["{old}", "{new}", "{patch}"]),
        apply: words("bspatch", &["{old}", "{out}", "{patch}"]),
        full: false,
    },
    Tool {
        name: "xdelta3",
        source: Source::Debian("xdelta3"),
        diff: words(
            "xdelta3",
            &[
                "-e",
                "-9",
                "-S",
                "lzma",
                "-B",
                "536870912",
                "-f",
                "-s",
                "{old}",
                "{new}",
                "{patch}",
            ],
        ),
        apply: words("xdelta3", &["-d", "-f", "-s", "{old}", "{patch}", "{out}"]),
        full: false,
    },
    Tool {
        name: "zstd --patch-from",
        source: Source::Debian("zstd"),
        diff: words(
            "zstd",
            &[
                "-q",
                "-f",
                "--ultra",
                "-22",
                "--long=31",
                "-T1",
                "--patch-from={old}",
                "{new}",
                "-o",
                "{patch}",
            ],
        ),
        apply: words(
            "zstd",
            &[
                "-q",
                "-f",
                "-d",
                "--long=31",
                "--patch-from={old}",
                "{patch}",
                "-o",
                "{out}",
            ],
        ),
        full: false,
    },
    Tool {
        name: "qbsdiff",
        source: Source::Crate("qbsdiff"),
        diff: words("{peers}", &["qbsdiff", "diff", "{old}", "{new}", "{patch}"]),
        apply: words("{peers}", &["qbsdiff", "apply", "{old}", "{patch}", "{out}"]),
        full: false,
    },
    Tool {
        name: "bidiff + zstd 22",
        source: Source::Crate("bidiff"),
        diff: words("{peers}", &["bidiff", "diff", "{old}", "{new}", "{patch}"]),
        apply: words("{peers}", &["bidiff", "apply", "{old}", "{patch}", "{out}"]),
        full: false,
    },
];

/// The paths that the words stand for.
pub(crate) struct Paths {
    pub(crate) old: PathBuf,
    pub(crate) new: PathBuf,
    pub(crate) patch: PathBuf,
    pub(crate) out: PathBuf,
}

impl Paths {
    /// Old and new with a patch and an output in a folder.
    pub(crate) fn of([old, new]: [PathBuf; 2], folder: &Path) -> Self {
        Self {
            old,
            new,
            patch: folder.join("patch"),
            out: folder.join("out"),
        }
    }

    fn put(&self, word: &str) -> String {
        [
            ("{old}", &self.old),
            ("{new}", &self.new),
            ("{patch}", &self.patch),
            ("{out}", &self.out),
        ]
        .into_iter()
        .fold(word.to_owned(), |word, (name, path)| {
            word.replace(name, &path.to_string_lossy())
        })
    }
}

/// A call with its words put in, and what it borrows from.
pub(crate) struct Ready {
    program: String,
    arguments: Vec<String>,
    output: Option<PathBuf>,
}

impl Ready {
    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            program: &self.program,
            arguments: &self.arguments,
            output: self.output.as_deref(),
        }
    }

    /// A program with these words put in, whose output goes nowhere.
    pub(crate) fn new(program: &Path, words: &[&str], paths: &Paths) -> Self {
        Self {
            program: program.to_string_lossy().into_owned(),
            arguments: words.iter().map(|word| paths.put(word)).collect(),
            output: None,
        }
    }
}

impl Words {
    /// The words with these paths; `peers` is the program with the diff crates.
    pub(crate) fn with(&self, paths: &Paths, peers: &Path) -> Ready {
        Ready {
            program: self.program.replace("{peers}", &peers.to_string_lossy()),
            arguments: self.arguments.iter().map(|word| paths.put(word)).collect(),
            output: self.output.map(|word| PathBuf::from(paths.put(word))),
        }
    }

    /// As a person would type it.
    pub(crate) fn shown(&self) -> String {
        let program = self.program.replace("{peers}", "delta-peers");
        let redirected = self.output.map(|output| format!("> {output}"));
        let words = std::iter::once(program)
            .chain(self.arguments.iter().map(|word| (*word).to_owned()))
            .chain(redirected);
        words.collect::<Vec<_>>().join(" ").replace(['{', '}'], "")
    }
}

impl Tool {
    /// The tool's version, for the page and for what is remembered.
    pub(crate) fn version(&self) -> String {
        match self.source {
            Source::Debian(package) => {
                let query = ["--show", "--showformat=${Version}", package];
                let version = quiet(&mut command("dpkg-query", &query));
                version.map_or_else(
                    |_| "of this system".to_owned(),
                    |version| version.trim().to_owned(),
                )
            }
            Source::Crate(name) => pinned(name).unwrap_or_else(|| "of its manifest".to_owned()),
        }
    }
}

/// The version in the manifest of the peers: `name = "=1.2.3"`.
fn pinned(name: &str) -> Option<String> {
    let manifest: toml::Table = std::fs::read_to_string(root().join(PEERS)).ok()?.parse().ok()?;
    let version = manifest.get("dependencies")?.get(name)?.as_str()?;
    Some(version.trim_start_matches('=').to_owned())
}

/// Builds the diff crates, in a target folder of their own.
pub(crate) fn build_peers() -> Result<PathBuf> {
    let target = super::folder().join("peers-target");
    let target_text = target.to_string_lossy();
    let build = [
        "build",
        "--release",
        "--quiet",
        "--locked",
        "--manifest-path",
        PEERS,
        "--target-dir",
        &*target_text,
    ];
    quiet(&mut command(cargo(), &build))?;
    Ok(target.join("release/delta-peers"))
}

/// Fails with the packages to install if something that is needed is not there.
pub(crate) fn check() -> Result<String> {
    let mut programs = NEEDED.to_vec();
    for tool in TOOLS {
        if let Source::Debian(package) = tool.source {
            programs.extend([(tool.diff.program, package), (tool.apply.program, package)]);
        }
    }
    let missing = programs
        .into_iter()
        .filter(|(program, _)| !works("which", &[program]));
    let mut packages: Vec<_> = missing.map(|(_, package)| package).collect();
    packages.sort_unstable();
    packages.dedup();
    if !packages.is_empty() {
        bail!(
            "tools to compare with are missing. On Debian or Ubuntu run\n  sudo apt-get update && sudo apt-get install --no-install-recommends {}\nand then this again",
            packages.join(" ")
        );
    }
    Ok(format!("{} tools", TOOLS.len()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_paths_also_within_a_word() {
        let paths = Paths::of(
            [PathBuf::from("/c/a.old"), PathBuf::from("/c/a.new")],
            Path::new("/w"),
        );
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == "zstd --patch-from")
            .unwrap();
        let ready = tool.diff.with(&paths, Path::new("/p"));
        assert!(ready.arguments.contains(&"--patch-from=/c/a.old".to_owned()));
        assert_eq!(ready.arguments.last().unwrap(), "/w/patch");
    }

    #[test]
    fn the_crates_have_the_versions_of_their_manifest() {
        for tool in TOOLS {
            if let Source::Crate(name) = tool.source {
                let version = pinned(name).unwrap();
                assert!(
                    version.starts_with(|first: char| first.is_ascii_digit()),
                    "{name}: {version}"
                );
            }
        }
    }

    #[test]
    fn there_is_one_base_and_one_yardstick() {
        let count = |name| TOOLS.iter().filter(|tool| tool.name == name).count();
        assert_eq!((count(BASE), count(YARDSTICK)), (1, 1));
    }
}
