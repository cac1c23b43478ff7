//! The files that are compared: consecutive releases inside packages of public registries, each known by
//! its size and SHA-256. It knows no host: `pip` and `npm` ask whatever registry they are set up for.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use super::tar;
use crate::command::{command, npm, quiet, root};

/// Pairs that the format is built and tuned on, and pairs that nobody tunes on.
pub(crate) const LISTS: [(&str, bool); 2] = [
    ("benchmarks/delta-corpus.tsv", false),
    ("benchmarks/delta-unseen.tsv", true),
];

/// Two consecutive releases of one file.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) package: String,
    pub(crate) old: Side,
    pub(crate) new: Side,
    /// Whether it is of the list that nobody tunes on.
    pub(crate) unseen: bool,
    registry: Registry,
    tag: String,
    member: String,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Side {
    pub(crate) version: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Registry {
    Pypi,
    Npm,
}

impl Pair {
    /// Web files; executables are measured against other targets.
    pub(crate) fn is_bundle(&self) -> bool {
        self.member.ends_with('/')
    }

    /// Where its old and its new file are once they were fetched.
    pub(crate) fn paths(&self) -> [PathBuf; 2] {
        ["old", "new"].map(|side| folder().join(format!("{}.{side}", self.id)))
    }

    /// Downloads what is not there. What is there is hashed each time.
    pub(crate) fn fetch(&self) -> Result<String> {
        let mut fetched = 0;
        for (side, path) in [&self.old, &self.new].into_iter().zip(self.paths()) {
            if fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == side.sha256) {
                continue;
            }
            let bytes = self.download(side)?;
            let (length, found) = (bytes.len(), sha256(&bytes));
            ensure!(
                found == side.sha256 && length as u64 == side.bytes,
                "{} {} should have {} bytes and the SHA-256 {}, and has {length} and {found}",
                self.package,
                side.version,
                side.bytes,
                side.sha256
            );
            fs::create_dir_all(folder())?;
            // A file with its name is whole.
            let part = path.with_extension("part");
            fs::write(&part, bytes).and_then(|()| fs::rename(&part, &path))?;
            fetched += 1;
        }
        Ok(format!("{fetched} downloaded, both have their SHA-256"))
    }

    fn download(&self, side: &Side) -> Result<Vec<u8>> {
        let scratch = folder().join("download");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        fs::create_dir_all(&scratch)?;
        let place = scratch.to_string_lossy();
        let unpacked = match self.registry {
            Registry::Pypi => self.unpack_wheel(&side.version, &place)?,
            Registry::Npm => {
                let package = format!("{}@{}", self.package, side.version);
                let pack = ["pack", "--silent", "--pack-destination", &*place, &*package];
                quiet(&mut command(npm(), &pack))?;
                let archive = only_file(&scratch)?;
                quiet(&mut command("tar", &["-xzf", &*archive, "-C", &*place]))?;
                scratch.join("package")
            }
        };
        let member = self.member.replace("{v}", &side.version);
        let bytes = match member.strip_suffix('/') {
            Some(folder) => tar::archive(files_below(&unpacked.join(folder), &format!("package/{folder}"))?)?,
            None => fs::read(unpacked.join(&member))
                .with_context(|| format!("{} {} has no `{member}`", self.package, side.version))?,
        };
        fs::remove_dir_all(&scratch)?;
        Ok(bytes)
    }

    fn unpack_wheel(&self, version: &str, place: &str) -> Result<PathBuf> {
        let package = format!("{}=={version}", self.package);
        let download = [
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--python-version",
            "3.12",
            "--platform",
            &*self.tag,
            "--dest",
            place,
            &*package,
        ];
        quiet(&mut command("pip", &download))?;
        let wheel = only_file(Path::new(place))?;
        let unpacked = Path::new(place).join("wheel");
        let target = unpacked.to_string_lossy();
        // pip is there, so Python is; a wheel is a zip.
        quiet(&mut command(
            "python3",
            &["-m", "zipfile", "--extract", &*wheel, &*target],
        ))?;
        Ok(unpacked)
    }
}

/// All pairs of both lists, or those that were asked for: by the whole name, or by what is before its
/// first dash.
pub(crate) fn pairs(only: &[String]) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (list, unseen) in LISTS {
        let text =
            fs::read_to_string(root().join(list)).with_context(|| format!("`{list}` could not be read"))?;
        pairs.extend(parse(&text, unseen).with_context(|| format!("in `{list}`"))?);
    }
    let named = |pair: &Pair, name: &str| pair.id == name || pair.id.split('-').next() == Some(name);
    if let Some(unknown) = only
        .iter()
        .find(|name| *name != super::LARGE && !pairs.iter().any(|pair| named(pair, name)))
    {
        bail!("no pair is called `{unknown}`");
    }
    pairs.retain(|pair| only.is_empty() || only.iter().any(|name| named(pair, name)));
    Ok(pairs)
}

fn parse(text: &str, unseen: bool) -> Result<Vec<Pair>> {
    let rows = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| pair(row, unseen).with_context(|| format!("this line can't be read: {row}")))
        .collect()
}

fn pair(row: &str, unseen: bool) -> Result<Pair> {
    let columns: Vec<&str> = row.split('\t').collect();
    let &[
        id,
        registry,
        package,
        old,
        new,
        tag,
        member,
        kind,
        old_bytes,
        old_hash,
        new_bytes,
        new_hash,
    ] = &*columns
    else {
        bail!("it has {} columns instead of 12", columns.len());
    };
    let side = |version: &str, bytes: &str, sha256: &str| -> Result<Side> {
        Ok(Side {
            version: version.to_owned(),
            bytes: bytes.parse().context("a size is no number")?,
            sha256: sha256.to_owned(),
        })
    };
    Ok(Pair {
        id: id.to_owned(),
        kind: kind.to_owned(),
        package: package.to_owned(),
        old: side(old, old_bytes, old_hash)?,
        new: side(new, new_bytes, new_hash)?,
        unseen,
        registry: match registry {
            "pypi" => Registry::Pypi,
            "npm" => Registry::Npm,
            other => bail!("`{other}` is no registry that this knows"),
        },
        tag: tag.to_owned(),
        member: member.to_owned(),
    })
}

/// The SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn folder() -> PathBuf {
    super::folder().join("corpus")
}

fn only_file(folder: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.path());
    }
    match &*names {
        [one] => Ok(one.to_string_lossy().into_owned()),
        others => bail!(
            "one package was to be downloaded, and {} files came",
            others.len()
        ),
    }
}

/// All files in a folder and the folders in it, with their names below `prefix`.
fn files_below(folder: &Path, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("`{}` could not be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let mut name = prefix.to_owned();
        write!(name, "/{}", entry.file_name().to_string_lossy())?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path(), &name)?);
        } else {
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(files)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const ROW: &str = "t1-a-elf\tpypi\ta\t1.0\t1.1\tmanylinux\ta-{v}/a\tELF\t7\taa\t8\tbb";

    #[test]
    fn a_row_is_a_pair() {
        let pairs = parse(&format!("# id\tregistry\n{ROW}\n"), true).unwrap();
        let [pair] = &*pairs else {
            panic!("one row is one pair");
        };
        assert_eq!(
            (&*pair.id, pair.registry, pair.unseen),
            ("t1-a-elf", Registry::Pypi, true)
        );
        let new = Side {
            version: "1.1".to_owned(),
            bytes: 8,
            sha256: "bb".to_owned(),
        };
        assert_eq!(pair.new, new);
        assert!(!pair.is_bundle());
    }

    #[test]
    fn a_row_that_can_t_be_read_says_why() {
        for (row, expected) in [
            ("a\tb", "2 columns"),
            (&ROW.replace("pypi", "elsewhere"), "`elsewhere`"),
            (&ROW.replace("\t7\t", "\tseven\t"), "no number"),
        ] {
            let error = format!("{:#}", parse(row, false).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn both_lists_can_be_read_and_no_name_is_there_twice() {
        let pairs = pairs(&[]).unwrap();
        let mut names: Vec<_> = pairs.iter().map(|pair| &pair.id).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), pairs.len());
        assert!(pairs.iter().any(|pair| pair.unseen));
    }
}
