//! Embeds what `moult widget new` lays into a new folder: the templates, the kit, the guest crate and its WIT package.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders below `sdk`, and the name that their files get.
const FOLDERS: [(&str, &str); 4] = [
    ("templates", "templates"),
    ("src", "kit/src"),
    ("rust/src", "rust/src"),
    ("wit/v0.2", "wit/v0.2"),
];
/// Single files, likewise.
const FILES: [(&str, &str); 2] = [
    ("package.json", "kit/package.json"),
    ("rust/Cargo.toml", "rust/Cargo.toml"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sdk = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../sdk");
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for (folder, name) in FOLDERS {
        let folder = sdk.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        collect(&folder, name, &mut found)?;
    }
    for (file, name) in FILES {
        println!("cargo::rerun-if-changed={}", sdk.join(file).display());
        found.push((name.to_owned(), sdk.join(file)));
    }
    found.sort();
    let mut table = format!("static EMBEDDED: [Embedded; {}] = [\n", found.len());
    for (name, path) in found {
        let path = fs::canonicalize(path)?;
        writeln!(
            table,
            "    ({name:?}, include_bytes!({:?})),",
            path.display().to_string()
        )?;
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), table)?;
    Ok(())
}

/// All files below a folder. What was built or installed there by somebody who tried a template is left out.
fn collect(folder: &Path, name: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let (path, name) = (entry.path(), format!("{name}/{file_name}"));
        if path.is_file() {
            found.push((name, path));
        } else if !["node_modules", "dist", "target"].contains(&file_name.as_str()) {
            collect(&path, &name, found)?;
        }
    }
    Ok(())
}
