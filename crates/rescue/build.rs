//! Embeds whom a build trusts and where it asks first, as the application's own build does.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).map_err(io::Error::other);
    let out = PathBuf::from(variable("OUT_DIR")?);
    embed_trust(&out)?;
    println!("cargo:rerun-if-env-changed=MOULT_REPOSITORY");
    let repository = env::var("MOULT_REPOSITORY").unwrap_or_default();
    println!("cargo:rustc-env=MOULT_REPOSITORY={repository}");
    println!("cargo:rustc-env=MOULT_TARGET={}", variable("TARGET")?);
    Ok(())
}

/// Copies the public trust files. A build without them says that it can't help.
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
        fs::write(out.join(name), bytes)?;
    }
    Ok(())
}
