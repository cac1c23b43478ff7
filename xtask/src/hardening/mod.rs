//! What the linker must have done to the programs that are shipped, looked up in the built files.
//!
//! The rules are the flags in each file's own header, so that it does not matter who linked it and how.
//! Refuses to know whether the programs work.

mod facts;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::facts::Facts;
use crate::command::{cargo, command, quiet, works};
use crate::targets::target_folder;

/// What is shipped, and the packages that build it.
const PROGRAMS: [&str; 5] = [
    "moult",
    "moult-app",
    "moult-launcher",
    "moult-rescue",
    "moult-sandbox",
];
const PACKAGES: [&str; 5] = [
    "moult-app",
    "moult-boot",
    "moult-logic",
    "moult-publish",
    "moult-rescue",
];
/// Starts when everything else is broken, so it needs nothing of the system but its kernel.
const LAUNCHER: &str = "moult-launcher";
/// How the launcher for Linux is built.
const STATIC: &str = "x86_64-unknown-linux-musl";
/// Arms the faults that tests inject. What is shipped does not even know the word.
const FAULT_WORD: &[u8] = b"MOULT_FAULT";

/// Builds the programs and looks at them; also at those that a release build left, if there are any.
pub(crate) fn check() -> Result<String> {
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    let build: Vec<&str> = ["build", "--quiet", "--bins"]
        .into_iter()
        .chain(packages)
        .collect();
    quiet(&mut command(cargo(), &build))?;
    let mut looked_at = Vec::new();
    let mut objections = Vec::new();
    for profile in ["debug", "release"] {
        let folder = target_folder().join(profile);
        for name in PROGRAMS {
            let file = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if profile == "release" && !file.is_file() {
                continue;
            }
            objections.extend(look_at(&file, Needs::of(name, false))?);
            looked_at.push(file);
        }
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let file = static_launcher()?;
        objections.extend(look_at(&file, Needs::of(LAUNCHER, true))?);
        starts(&file)?;
        looked_at.push(file);
    }
    if objections.is_empty() {
        return Ok(format!("{} programs", looked_at.len()));
    }
    bail!("{}", objections.join("\n"))
}

/// What is asked of a program besides what is asked of all.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    /// It loads no library and no loader.
    is_static: bool,
    /// It knows nothing of the faults that tests inject.
    is_without_faults: bool,
    /// Jumps go only where the compiler meant them to. Only Microsoft's linker can.
    guards_jumps: bool,
}

impl Needs {
    fn of(name: &str, is_static: bool) -> Self {
        Self {
            is_static,
            is_without_faults: name != "moult",
            guards_jumps: cfg!(target_env = "msvc"),
        }
    }
}

fn look_at(file: &Path, needs: Needs) -> Result<Vec<String>> {
    let bytes = fs::read(file).with_context(|| format!("`{}` could not be read", file.display()))?;
    let found = objections(&bytes, needs).with_context(|| format!("`{}`", file.display()))?;
    let name = file
        .strip_prefix(target_folder())
        .unwrap_or(file)
        .display()
        .to_string();
    Ok(found
        .into_iter()
        .map(|objection| format!("{name} {objection}"))
        .collect())
}

/// What is wrong with a program.
fn objections(bytes: &[u8], needs: Needs) -> Result<Vec<&'static str>> {
    let facts = Facts::of(bytes)?;
    let knows_faults = bytes.windows(FAULT_WORD.len()).any(|bytes| bytes == FAULT_WORD);
    let mut rules = vec![
        (facts.moves, "always lies at the same address"),
        (!facts.runs_data, "lets data be run as a program"),
        (facts.is_read_only, "leaves the addresses of functions writable"),
        (
            !facts.looks_elsewhere,
            "looks for libraries in folders of its own",
        ),
        (!needs.is_static || facts.libraries == 0, "needs libraries"),
        (!needs.is_static || !facts.has_loader, "needs a loader"),
        (
            !needs.is_without_faults || !knows_faults,
            "knows the faults that are only for tests",
        ),
    ];
    if needs.guards_jumps {
        rules.push((facts.guards_jumps, "was linked without the guard of jumps"));
    }
    Ok(rules
        .into_iter()
        .filter_map(|(fits, objection)| (!fits).then_some(objection))
        .collect())
}

/// Builds the launcher as it is shipped for Linux.
fn static_launcher() -> Result<PathBuf> {
    if works("rustup", &["--version"]) {
        quiet(&mut command("rustup", &["target", "add", STATIC]))?;
    }
    let arguments = [
        "build",
        "--quiet",
        "--release",
        "--target",
        STATIC,
        "--package",
        "moult-boot",
    ];
    quiet(&mut command(
        cargo(),
        &[&arguments[..], &["--bin", LAUNCHER]].concat(),
    ))?;
    Ok(target_folder().join(STATIC).join("release").join(LAUNCHER))
}

/// The launcher starts without anything beside it, and says what it misses.
fn starts(file: &Path) -> Result<()> {
    let empty = target_folder().join("hardening");
    fs::create_dir_all(&empty)?;
    let output = command(file, &[])
        .env("MOULT_DATA", empty.join("data"))
        // Nobody is to close a message.
        .env("MOULT_AUTOMATION", "1")
        .output()
        .with_context(|| format!("`{}` could not be started", file.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(1)
        && ["moult-app", "Your data is kept"]
            .iter()
            .all(|part| said.contains(part))
    {
        return Ok(());
    }
    bail!(
        "`{}` ended with {} and said:\n{said}",
        file.display(),
        output.status
    )
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    const NONE: Needs = Needs {
        is_static: false,
        is_without_faults: false,
        guards_jumps: false,
    };

    /// Links a program of one line with these words for the compiler.
    #[cfg(target_os = "linux")]
    fn linked(words: &[&str]) -> Vec<u8> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("moult-linked-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (source, program) = (folder.join("main.c"), folder.join("program"));
        fs::write(
            &source,
            "int puts(const char *); int main(void) { return puts(\"x\") < 0; }",
        )
        .unwrap();
        let files = ["-o", program.to_str().unwrap(), source.to_str().unwrap()];
        quiet(&mut command("cc", &[&files[..], words].concat())).unwrap();
        let bytes = fs::read(&program).unwrap();
        fs::remove_dir_all(folder).unwrap();
        bytes
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_that_was_linked_without_one_of_the_guards_is_refused() {
        let moves = ["-fPIE", "-pie"];
        let full = ["-Wl,-z,relro", "-Wl,-z,now"];
        let good = [&moves[..], &full].concat();
        let with = |words: &[&'static str]| [&good[..], words].concat();
        let table = [
            (good.clone(), vec![]),
            (
                [&["-fno-PIE", "-no-pie"][..], &full].concat(),
                vec!["always lies at the same address"],
            ),
            (
                with(&["-Wl,-z,norelro"]),
                vec!["leaves the addresses of functions writable"],
            ),
            (
                [&moves[..], &["-Wl,-z,relro", "-Wl,-z,lazy"]].concat(),
                vec!["leaves the addresses of functions writable"],
            ),
            (with(&["-Wl,-z,execstack"]), vec!["lets data be run as a program"]),
            (
                with(&["-Wl,-rpath,/tmp"]),
                vec!["looks for libraries in folders of its own"],
            ),
        ];
        for (words, expected) in table {
            assert_eq!(objections(&linked(&words), NONE).unwrap(), expected, "{words:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_with_libraries_is_not_static_and_one_with_faults_is_not_shipped() {
        let mut bytes = linked(&["-fPIE", "-pie", "-Wl,-z,relro", "-Wl,-z,now"]);
        let needs = Needs {
            is_static: true,
            is_without_faults: true,
            guards_jumps: false,
        };
        assert_eq!(
            objections(&bytes, needs).unwrap(),
            ["needs libraries", "needs a loader"]
        );
        bytes.extend_from_slice(FAULT_WORD);
        assert_eq!(
            objections(&bytes, needs).unwrap().last(),
            Some(&"knows the faults that are only for tests")
        );
    }

    #[test]
    fn a_program_for_windows_needs_each_of_its_flags() {
        let all = facts::MOVES | facts::MOVES_FAR | facts::NO_DATA | facts::GUARDED;
        let needs = Needs {
            guards_jumps: true,
            ..NONE
        };
        let moves = "always lies at the same address";
        let table = [
            (all, vec![]),
            (all & !facts::MOVES, vec![moves]),
            (all & !facts::MOVES_FAR, vec![moves]),
            (all & !facts::NO_DATA, vec!["lets data be run as a program"]),
            (
                all & !facts::GUARDED,
                vec!["was linked without the guard of jumps"],
            ),
        ];
        for (flags, expected) in table {
            let program = facts::tests::windows_program(flags);
            assert_eq!(objections(&program, needs).unwrap(), expected, "{flags:#x}");
        }
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        assert!(objections(b"#!/bin/sh\n", NONE).is_err());
    }
}
