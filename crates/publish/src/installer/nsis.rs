//! An installer for one Windows user, made by NSIS: no administrator, a folder of the user's own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::tree::{Entry, Tree};
use super::{Format, InstallerError, program};

/// What every installer has, whatever is installed.
const SCRIPT: &str = include_str!("nsis.nsi");

pub(super) fn make(contents: &Contents, work: &Path) -> Result<PathBuf, InstallerError> {
    let Some(windows) = &contents.installer.windows else {
        return Err(InstallerError::Lacks {
            format: Format::Nsis,
            field: "windows",
        });
    };
    let mut tree = Tree::default();
    contents.install_into(&mut tree, "program", Format::Nsis);
    let icon = contents.read("icon", &windows.icon)?;
    tree.file("icon.ico", icon, super::tree::FILE);
    let hooks = match &windows.hooks {
        Some(path) => contents.read("hooks", path)?,
        None => Vec::new().into(),
    };
    tree.file("hooks.nsh", hooks, super::tree::FILE);
    let files = files(&tree);
    tree.text("files.nsh", files);
    tree.text("words.nsh", words(contents)?);
    tree.text("installer.nsi", SCRIPT);
    let folder = work.join("nsis.root");
    tree.write_to(&folder)?;
    let arguments = ["-V2", "-NOCD", "-INPUTCHARSET", "UTF8", "installer.nsi"];
    program::run("makensis", arguments, &folder, Some(contents.seconds()))?;
    Ok(folder.join("made.exe"))
}

/// The product, as words for the script.
fn words(contents: &Contents) -> Result<String, InstallerError> {
    let installer = &contents.installer;
    let version = &contents.version;
    let target = match Format::Nsis.processor(&contents.target)? {
        "x86" => "x86-unicode",
        // Windows on ARM runs it as well, and NSIS makes none of its own for it.
        _ => "amd64-unicode",
    };
    let publisher = installer.maintainer.split(" <").next().unwrap_or_default();
    let mut text = format!("Target {target}\n");
    for (name, value) in [
        ("PRODUCT", contents.product.name.as_str()),
        ("IDENTIFIER", &contents.product.identifier),
        ("VERSION", &version.to_string()),
        (
            "NUMBERS",
            &format!("{}.{}.{}.0", version.major, version.minor, version.patch),
        ),
        ("PUBLISHER", publisher),
        ("HOMEPAGE", &installer.homepage),
        ("SUMMARY", &installer.summary),
        ("LAUNCHER", &contents.launcher()),
        ("LICENSE", &installer.license),
    ] {
        let _ = writeln!(text, "!define {name} {}", quoted(value));
    }
    if installer
        .windows
        .as_ref()
        .is_some_and(|windows| windows.hooks.is_some())
    {
        text.push_str("!define HOOKS\n");
    }
    text.push_str("!macro REGISTER_SCHEMES\n");
    for scheme in &installer.schemes {
        let _ = writeln!(text, "  !insertmacro REGISTER_SCHEME {}", quoted(scheme));
    }
    text.push_str("!macroend\n!macro FORGET_SCHEMES\n");
    for scheme in &installer.schemes {
        let _ = writeln!(text, "  !insertmacro FORGET_SCHEME {}", quoted(scheme));
    }
    text.push_str("!macroend\n");
    Ok(text)
}

/// What is installed and what is removed again, file by file: nothing else in the folder is touched.
fn files(tree: &Tree) -> String {
    let (mut placed, mut removed) = (String::new(), String::new());
    let mut size = 0;
    for (path, entry) in tree.entries() {
        if let (Some(name), Entry::File { bytes, .. }) = (path.strip_prefix("program/"), entry) {
            // One that runs can't be replaced, but it can be renamed.
            let _ = writeln!(placed, "  !insertmacro PLACE {}", quoted(name));
            let _ = writeln!(removed, "  !insertmacro REMOVE {}", quoted(name));
            size += (bytes.len() as u64).div_ceil(1024);
        }
    }
    format!(
        "!define SIZE {size}\n!macro PLACE_FILES\n{placed}!macroend\n!macro REMOVE_FILES\n{removed}!macroend\n"
    )
}

/// A word of NSIS' language: `$` begins a variable and a backslash before a quote is none of its own.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('$', "$$").replace('"', "$\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_configuration_stay_words() {
        assert_eq!(quoted("Moult"), "\"Moult\"");
        assert_eq!(quoted("a \"b\" $INSTDIR"), "\"a $\\\"b$\\\" $$INSTDIR\"");
    }
}
