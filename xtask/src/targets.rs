//! Other systems, as far as this one can build for them: what that needs, and the type check of everything.
//!
//! For Windows the C parts are compiled by mingw, which Debian has; for macOS by `zig cc`, which comes
//! from the Python registry. What is fetched lies in `target/tools`, so that a fresh machine needs nothing
//! but this. On the system itself its own compiler does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::command::{cargo, command, quiet, root, works};
use crate::report::{Steps, heading};
use crate::setup;

/// A system that is not Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Windows 10 and later, 64 bits.
    Windows,
    /// macOS on Apple's processors.
    Macos,
}

/// What compiles C for Windows.
const MINGW: [&str; 2] = ["gcc-mingw-w64-x86-64-win32", "g++-mingw-w64-x86-64-win32"];
/// What compiles C for macOS: a release of `ziglang` in the Python registry.
const ZIG: &str = "ziglang==0.17.1";

impl Target {
    /// What the compiler calls it.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Windows if cfg!(windows) => "x86_64-pc-windows-msvc",
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::Macos => "aarch64-apple-darwin",
        }
    }

    /// Whether this runs on that system.
    pub(crate) fn is_here(self) -> bool {
        match self {
            Self::Windows => cfg!(windows),
            Self::Macos => cfg!(target_os = "macos"),
        }
    }

    /// What does not belong there: the tests of the whole draw on an X display, and read `/proc`.
    fn left_out(self) -> Option<&'static str> {
        (self == Self::Windows).then_some("moult-tests")
    }

    /// Installs what is missing for building.
    pub(crate) fn add_setup_to(self, steps: &mut Steps) {
        steps.run("the target's standard library", || {
            // Without rustup the system's own packages may have it; the compiler tells.
            if works("rustup", &["--version"]) {
                quiet(&mut command("rustup", &["target", "add", self.triple()]))?;
            }
            Ok(self.triple().to_owned())
        });
        if self.is_here() {
            return;
        }
        match self {
            Self::Windows => steps.run("compiler for C", || setup::debian_packages(&MINGW)),
            Self::Macos => steps.run("compiler for C", zig),
        }
    }

    /// Sets what a build for it needs.
    pub(crate) fn prepare(self, command: &mut Command) {
        if self.is_here() {
            return;
        }
        match self {
            Self::Windows => {
                // The assembler for the cryptographic library is not needed: its output is shipped with it.
                command.env("AWS_LC_SYS_PREBUILT_NASM", "1");
            }
            Self::Macos => {
                let tools = tools();
                command
                    .env("CC_aarch64_apple_darwin", tools.join("zig-cc"))
                    .env("CXX_aarch64_apple_darwin", tools.join("zig-c++"))
                    .env("AR_aarch64_apple_darwin", tools.join("zig-ar"))
                    .env("ZIG_GLOBAL_CACHE_DIR", tools.join("zig-cache"))
                    .env("ZIG_LOCAL_CACHE_DIR", tools.join("zig-cache"));
            }
        }
    }
}

/// Type-checks the workspace for another system, the application and the tests beside each crate included.
pub(crate) fn check(target: Target) -> Result<()> {
    let mut steps = Steps::default();
    heading("Setup");
    target.add_setup_to(&mut steps);
    if !steps.passed() {
        return steps.end();
    }
    heading("Checks");
    steps.run("types", || {
        let arguments = ["check", "--quiet", "--workspace", "--all-targets", "--target"];
        let without = target
            .left_out()
            .into_iter()
            .flat_map(|package| ["--exclude", package]);
        let mut check = command(cargo(), &[&arguments[..], &[target.triple()]].concat());
        check.args(without);
        target.prepare(&mut check);
        // The checks of this system would be made anew each time, were the warnings' flags not the same;
        // so a warning is an error by its being said.
        let output = check.output().context("`cargo check` could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("{said}");
        }
        if said.contains("warning:") {
            bail!("there are warnings for {}:\n{said}", target.triple());
        }
        Ok(target.triple().to_owned())
    });
    steps.end()
}

/// Where tools that are fetched lie.
pub(crate) fn tools() -> PathBuf {
    target_folder().join("tools")
}

/// Where cargo builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Fetches zig, and writes programs beside it that take what a compiler for macOS is told.
fn zig() -> Result<String> {
    let tools = tools();
    let zig = tools.join("ziglang/zig");
    if !zig.is_file() {
        let folder = tools
            .to_str()
            .context("the target folder's path is not Unicode")?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
            "--upgrade",
        ];
        quiet(&mut command(
            "python3",
            &[&pip[..], &["--target", folder, ZIG]].concat(),
        ))
        .context("`zig cc` compiles C for macOS, and comes with Python's installer (Debian: python3-pip)")?;
    }
    for (name, tool) in [("zig-cc", "cc"), ("zig-c++", "c++")] {
        write_program(&tools.join(name), &without_foreign_words(tool))?;
    }
    write_program(
        &tools.join("zig-ar"),
        "#!/bin/sh\nexec \"$(dirname \"$0\")/ziglang/zig\" ar \"$@\"\n",
    )?;
    Ok(ZIG.to_owned())
}

/// A script that leaves out the words by which other compilers are told the target: zig has its own.
fn without_foreign_words(tool: &str) -> String {
    format!(
        r#"#!/bin/sh
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    --target=* | -mmacosx-version-min=*) ;;
    -arch | -target)
        shift
        left=$((left - 1))
        ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec "$(dirname "$0")/ziglang/zig" {tool} -target aarch64-macos "$@"
"#
    )
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("`{}` could not be written", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
#[expect(
    clippy::unwrap_used,
    reason = "a test that can't set up its fixture has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_hears_nothing_of_another_targets_words() {
        let folder = std::env::temp_dir().join(format!("moult-zig-{}", std::process::id()));
        fs::create_dir_all(folder.join("ziglang")).unwrap();
        write_program(&folder.join("ziglang/zig"), "#!/bin/sh\necho \"$@\"\n").unwrap();
        let program = folder.join("zig-cc");
        write_program(&program, &without_foreign_words("cc")).unwrap();
        let heard = |words: &[&str]| quiet(&mut command(&program, words)).unwrap();
        let words = [
            "-O2",
            "--target=arm64-apple-macosx",
            "-arch",
            "arm64",
            "-mmacosx-version-min=11.0",
            "-I",
            "a folder",
            "x.c",
        ];
        assert_eq!(heard(&words), "cc -target aarch64-macos -O2 -I a folder x.c\n");
        assert_eq!(heard(&[]), "cc -target aarch64-macos\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
