//! Embeds what a build is born with: the shell it can always fall back to, and whom it trusts.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use moult_model::{Bundle, BundleManifest, Version};

#[path = "src/info_plist.rs"]
mod info_plist;

const COMMANDS: &[&str] = &[
    "stage_open",
    "stage_report",
    "state_save",
    "capability",
    "shell_command",
];
const SHELL: &str = "../ui/dist/shell";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    embed_shell(&out)?;
    embed_trust(&out)?;
    embed_companions(&out)?;
    embed_identity(&out)?;
    println!("cargo:rustc-env=MOULT_TARGET={}", env::var("TARGET")?);
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}

/// Packs the built shell, so that the application can show something before it has fetched anything.
fn embed_shell(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SHELL}");
    let folder = Path::new(SHELL);
    let manifest = fs::read(folder.join("moult.json"))
        .map_err(|error| format!("{SHELL}/moult.json: {error}. Run `cargo xtask build-ui` first."))?;
    let manifest: BundleManifest = serde_json::from_slice(&manifest)?;
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    files.remove("moult.json");
    write_if_changed(&out.join("shell.bundle"), &Bundle::pack(&manifest, &files)?)?;
    Ok(())
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Copies the public trust files. A build without them runs, and says that it can't update.
fn embed_trust(out: &Path) -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=MOULT_TRUST");
    let folder = env::var_os("MOULT_TRUST").map(PathBuf::from);
    for name in ["root.json", "floor.json", "minisign.pub"] {
        let bytes = match &folder {
            Some(folder) => {
                println!("cargo:rerun-if-changed={}", folder.join(name).display());
                fs::read(folder.join(name))?
            }
            None => Vec::new(),
        };
        write_if_changed(&out.join(name), &bytes)?;
    }
    Ok(())
}

/// Takes the programs along that this build is released with: launcher, rescue, and what runs widget logic. A build
/// without them, as of a developer, leaves those that are installed alone, and finds the last one beside itself.
fn embed_companions(out: &Path) -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=MOULT_COMPANIONS");
    let folder = env::var_os("MOULT_COMPANIONS").map(PathBuf::from);
    let extension = if env::var_os("CARGO_CFG_WINDOWS").is_some() {
        ".exe"
    } else {
        ""
    };
    for name in ["moult-launcher", "moult-rescue", "moult-sandbox"] {
        let bytes = match &folder {
            Some(folder) => {
                let path = folder.join(format!("{name}{extension}"));
                println!("cargo:rerun-if-changed={}", path.display());
                fs::read(path)?
            }
            None => Vec::new(),
        };
        write_if_changed(&out.join(name), &bytes)?;
    }
    Ok(())
}

/// Tells macOS who the executable is: a slot is one file, with no bundle around it that could.
fn embed_identity(out: &Path) -> Result<(), Box<dyn Error>> {
    if env::var("CARGO_CFG_TARGET_OS")? != "macos" {
        return Ok(());
    }
    println!("cargo:rerun-if-env-changed=MOULT_APP_VERSION");
    let version: Version = env::var("MOULT_APP_VERSION")
        .or_else(|_| env::var("CARGO_PKG_VERSION"))?
        .parse()?;
    let list = out.join("Info.plist");
    write_if_changed(&list, info_plist::of(&version).as_bytes())?;
    let section = "-Wl,-sectcreate,__TEXT,__info_plist";
    println!("cargo:rustc-link-arg-bins={section},{}", list.display());
    Ok(())
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        Ok(())
    } else {
        fs::write(path, bytes)
    }
}
