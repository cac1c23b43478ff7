//! `cargo xtask setup` and `build-ui`: what has to be there before anything can be built, tested and packed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

mod app_image;

use crate::command::{command, npm, quiet, root, works};
use crate::report::Steps;

/// What a Debian or Ubuntu needs to build the application and to test it without a screen.
const PACKAGES: [&str; 23] = [
    "build-essential",
    // What signs for a command in tests of keys that are elsewhere.
    "curl",
    "cpio",
    "dbus-x11",
    "fonts-dejavu-core",
    "imagemagick",
    "libgtk-3-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "nginx",
    "nsis",
    "openbox",
    "openssl",
    "pkg-config",
    "rpm",
    "squashfs-tools",
    "strace",
    "webkit2gtk-driver",
    "x11-utils",
    "xauth",
    "xdotool",
    "xvfb",
];

/// The oldest Node.js that the frontend's tools run on.
const NODE: (u32, u32) = (20, 19);

/// Checks and installs everything, with a line for each part.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    add_to(&mut steps);
    steps.end()
}

/// The same as steps of a longer run.
pub(crate) fn add_to(steps: &mut Steps) {
    steps.run("system packages", system_packages);
    steps.run("target for widget logic", logic_target);
    steps.run("Node.js", node);
    steps.run("npm packages", npm_packages);
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        steps.run("runtime of AppImages", app_image::runtime);
    }
}

/// Builds the stage, the shell and the widgets.
pub(crate) fn build_ui() -> Result<()> {
    let mut steps = Steps::default();
    add_build_ui_to(&mut steps);
    steps.end()
}

/// The same as a step of a longer run.
pub(crate) fn add_build_ui_to(steps: &mut Steps) {
    steps.run("build the frontend", || {
        quiet(&mut command(npm(), &["run", "build"]))?;
        Ok(String::new())
    });
}

/// What the logic of widgets is built for. Without rustup the system's own packages may have it; the compiler tells.
fn logic_target() -> Result<String> {
    const TRIPLE: &str = "wasm32-unknown-unknown";
    if works("rustup", &["--version"]) {
        quiet(&mut command("rustup", &["target", "add", TRIPLE]))?;
    }
    Ok(TRIPLE.to_owned())
}

fn system_packages() -> Result<String> {
    if !cfg!(target_os = "linux") {
        return Ok("none needed here".to_owned());
    }
    if !works("dpkg-query", &["--version"]) {
        return other_linux();
    }
    debian_packages(&PACKAGES)
}

/// Installs those of these packages that a Debian or Ubuntu does not have yet.
pub(crate) fn debian_packages(packages: &[&'static str]) -> Result<String> {
    if !works("dpkg-query", &["--version"]) {
        bail!(
            "this system has no dpkg. Install what it calls\n  {}\nand then run this again",
            packages.join(" ")
        );
    }
    let missing = missing_packages(packages)?;
    if missing.is_empty() {
        return Ok(format!("{} are there", packages.len()));
    }
    let become_root: &[&str] = if is_root()? {
        &[]
    } else if works("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        bail!(
            "system packages are missing, and installing them needs root. Run\n  sudo apt-get update && sudo apt-get install --no-install-recommends {}\nand then this again",
            missing.join(" ")
        );
    };
    apt_get(become_root, &["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt_get(become_root, &[&install[..], &missing].concat())?;
    match missing_packages(packages)?.as_slice() {
        [] => Ok(format!("installed {}", missing.join(" "))),
        still => bail!(
            "apt-get ended well, but these are still missing: {}",
            still.join(" ")
        ),
    }
}

/// Where there is no dpkg the packages have other names; only their libraries can be looked for.
fn other_linux() -> Result<String> {
    let libraries = ["webkit2gtk-4.1", "gtk+-3.0", "librsvg-2.0"];
    if works("pkg-config", &[&["--exists"], &libraries[..]].concat()) {
        return Ok("this is no Debian; the libraries are there".to_owned());
    }
    bail!(
        "this system has no dpkg, and pkg-config does not find all of {}. Install what your system calls\n  {}\nand then run this again. On Debian or Ubuntu that is\n  sudo apt-get update && sudo apt-get install --no-install-recommends {0}",
        libraries.join(" "),
        PACKAGES.join(" "),
    )
}

fn missing_packages(packages: &[&'static str]) -> Result<Vec<&'static str>> {
    let mut query = command(
        "dpkg-query",
        &["--show", "--showformat=${Package} ${db:Status-Status}\n"],
    );
    // It fails if one of them was never installed, and still tells of the others.
    let output = query
        .args(packages)
        .output()
        .context("`dpkg-query` could not be started")?;
    Ok(missing_of(packages, &String::from_utf8_lossy(&output.stdout)))
}

fn missing_of(packages: &[&'static str], listed: &str) -> Vec<&'static str> {
    let installed = |package: &str| {
        listed
            .lines()
            .any(|line| line.split_once(' ') == Some((package, "installed")))
    };
    packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect()
}

fn apt_get(become_root: &[&str], arguments: &[&str]) -> Result<()> {
    let apt = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=300",
    ];
    let words = [become_root, &apt, arguments].concat();
    quiet(&mut command(words[0], &words[1..])).map(|_| ())
}

fn is_root() -> Result<bool> {
    Ok(quiet(Command::new("id").arg("-u"))?.trim() == "0")
}

fn node() -> Result<String> {
    let (major, minor) = NODE;
    let hint = || {
        format!(
            "Node.js {major}.{minor} or later is needed. Install it from your system's packages or with a version switcher such as `nvm install 22`"
        )
    };
    let found = quiet(&mut command("node", &["--version"])).with_context(hint)?;
    match version(&found) {
        Some(version) if version >= NODE => Ok(found.trim().to_owned()),
        _ => bail!("{}; this is {}", hint(), found.trim()),
    }
}

/// The first two numbers of a version such as `v20.19.1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Installs what the lock file names, if it is not what was installed last.
fn npm_packages() -> Result<String> {
    let root = root();
    let lock = fs::read(root.join("package-lock.json")).context("`package-lock.json` could not be read")?;
    // Beside the packages, so that it goes when they go; a copy tells a change as well as a hash.
    let installed = root.join("node_modules/.installed-package-lock.json");
    if is_same(&installed, &lock) {
        return Ok("are there".to_owned());
    }
    quiet(&mut command(npm(), &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&installed, lock).with_context(|| format!("`{}` could not be written", installed.display()))?;
    Ok("installed".to_owned())
}

fn is_same(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert_eq!(version("20.9"), Some((20, 9)));
        assert!(version("v20.9.0") < Some(NODE));
        assert!(version("v100.0.0") > Some(NODE));
        assert_eq!(version("node"), None);
    }

    #[test]
    fn packages_count_as_missing_unless_they_are_installed() {
        let all: String = PACKAGES
            .iter()
            .map(|package| [package, " installed\n"].concat())
            .collect();
        assert!(missing_of(&PACKAGES, &all).is_empty());
        let removed = all
            .replace("xvfb installed", "xvfb config-files")
            .replace("xauth installed\n", "");
        assert_eq!(missing_of(&PACKAGES, &removed), ["xauth", "xvfb"]);
    }
}
