//! A repository folder: its roles, and what is released of each subject.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use moult_model::{Channel, Digest, Index, Subject, Version};
use serde::Serialize;

use super::metadata::{self, Signed};
use crate::PublishError;
use crate::output::Size;

/// A repository.
#[derive(Debug, Serialize)]
pub struct Repository {
    roles: Vec<Role>,
    subjects: Vec<Listing>,
    /// Files that an index lists and that are not there, or not of the size it says.
    missing: Vec<String>,
    #[serde(skip)]
    indexes: Vec<Index>,
    /// Files that the metadata refers to, by their paths in the repository.
    #[serde(skip)]
    referred: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    version: u64,
    pub(crate) expires: String,
}

#[derive(Debug, Serialize)]
struct Listing {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    triple: Option<String>,
    index_size: u64,
    releases: Vec<Line>,
    patches: usize,
}

#[derive(Debug, Serialize)]
struct Line {
    version: Version,
    channels: Vec<Channel>,
    published: String,
    size: u64,
    full_size: u64,
    digest: Digest,
    patches_from: Vec<Version>,
}

impl Repository {
    pub(crate) fn read(folder: &Path) -> Result<Self, PublishError> {
        let metadata = folder.join("metadata");
        let mut repository = Self {
            roles: Vec::new(),
            subjects: Vec::new(),
            missing: Vec::new(),
            indexes: Vec::new(),
            referred: BTreeSet::new(),
        };
        repository.add("root", &metadata::read(&metadata.join("root.json"))?);
        let timestamp = metadata::read(&metadata.join("timestamp.json"))?;
        repository.add("timestamp", &timestamp);
        let version = timestamp.meta.get("snapshot.json").map_or(0, |meta| meta.version);
        let snapshot = metadata::read(&metadata.join(format!("{version}.snapshot.json")))?;
        repository.add("snapshot", &snapshot);
        let refer = |repository: &mut Self, name: String| {
            repository.referred.insert(format!("metadata/{name}"));
        };
        refer(&mut repository, "timestamp.json".to_owned());
        refer(&mut repository, format!("{version}.snapshot.json"));
        for (file, meta) in &snapshot.meta {
            let role = metadata::read(&metadata.join(format!("{}.{file}", meta.version)))?;
            repository.add(file.strip_suffix(".json").unwrap_or(file), &role);
            refer(&mut repository, format!("{}.{file}", meta.version));
            for (path, target) in &role.targets {
                let hash = target.hashes.get("sha256").map_or("", String::as_str);
                if let Some(folder_name) = path.strip_suffix("/index.json") {
                    repository.list(folder, &format!("{folder_name}/{hash}.index.json"), hash)?;
                } else if let Some((folder_name, name)) = path.rsplit_once('/') {
                    let path = format!("targets/{folder_name}/{hash}.{name}");
                    repository.referred.insert(path);
                }
            }
        }
        repository
            .subjects
            .sort_by(|a, b| (&a.subject, &a.triple).cmp(&(&b.subject, &b.triple)));
        Ok(repository)
    }

    fn add(&mut self, name: &str, role: &Signed) {
        self.roles.push(Role {
            name: name.to_owned(),
            version: role.version,
            expires: role.expires.clone(),
        });
    }

    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }

    pub(crate) fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    pub(crate) fn referred(&self) -> &BTreeSet<String> {
        &self.referred
    }

    /// When each release was published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &str> {
        let releases = self.indexes.iter().flat_map(|index| &index.releases);
        releases.map(|release| release.published.as_str())
    }

    fn list(&mut self, folder: &Path, index_path: &str, hash: &str) -> Result<(), PublishError> {
        let targets = folder.join("targets");
        self.referred.insert(format!("targets/{index_path}"));
        let path = targets.join(index_path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes).to_string() == hash => bytes,
            Ok(_) | Err(_) => {
                self.missing.push(index_path.to_owned());
                return Ok(());
            }
        };
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|source| PublishError::InspectMetadata { path, source })?;
        let full = index
            .releases
            .iter()
            .map(|release| (&release.full.path, release.full.size));
        let patches = index.patches.iter().map(|patch| (&patch.path, patch.size));
        for (path, size) in full.chain(patches) {
            let is_there = std::fs::metadata(targets.join(path)).is_ok_and(|file| file.len() == size);
            if !is_there {
                self.missing.push(path.clone());
            }
        }
        self.subjects.push(Listing::of(&index, bytes.len() as u64));
        self.refer(&index);
        self.indexes.push(index);
        Ok(())
    }
}

impl Repository {
    /// Notes every file that goes with the releases of an index.
    fn refer(&mut self, index: &Index) {
        let triple = index.triple.as_deref().unwrap_or_default();
        let folder = index.subject.folder(triple);
        let mut paths: Vec<_> = index.patches.iter().map(|patch| patch.path.clone()).collect();
        for release in &index.releases {
            paths.push(release.full.path.clone());
            paths.push(crate::sbom::path(&folder, &release.digest));
            if index.subject == Subject::Executable {
                paths.push(crate::latest::raw_path(triple, &release.digest));
            }
        }
        let paths = paths.into_iter().map(|path| format!("targets/{path}"));
        self.referred.extend(paths);
    }
}

impl Listing {
    fn of(index: &Index, index_size: u64) -> Self {
        let line = |release: &moult_model::Release| {
            let leading_here = index.patches.iter().filter(|patch| patch.to == release.digest);
            let from = leading_here.filter_map(|patch| index.release_of(&patch.from));
            Line {
                version: release.version.clone(),
                channels: release.channels.clone(),
                published: release.published.clone(),
                size: release.size,
                full_size: release.full.size,
                digest: release.digest,
                patches_from: from.map(|release| release.version.clone()).collect(),
            }
        };
        Self {
            subject: index.subject.clone(),
            triple: index.triple.clone(),
            index_size,
            releases: index.releases.iter().map(line).collect(),
            patches: index.patches.len(),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "repository, its signatures not verified")?;
        writeln!(f)?;
        for role in &self.roles {
            writeln!(
                f,
                "role  {:<24} version {:<6} expires {}",
                role.name, role.version, role.expires
            )?;
        }
        for listing in &self.subjects {
            let triple = listing
                .triple
                .as_ref()
                .map(|triple| format!(" for {triple}"))
                .unwrap_or_default();
            writeln!(f)?;
            writeln!(
                f,
                "{}{triple}, index of {}",
                listing.subject,
                Size(listing.index_size)
            )?;
            for line in &listing.releases {
                writeln!(f, "  {line}")?;
            }
        }
        for path in &self.missing {
            writeln!(f, "missing or damaged: targets/{path}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |texts: Vec<String>| texts.join(", ");
        let channels = join(self.channels.iter().map(ToString::to_string).collect());
        let (size, full) = (Size(self.size), Size(self.full_size));
        let (version, published, short) = (&self.version, &self.published, self.digest.short());
        write!(
            f,
            "{version}  {published}  {short}  {size} ({full} packed)  on {channels}"
        )?;
        if !self.patches_from.is_empty() {
            write!(
                f,
                "  patches from {}",
                join(self.patches_from.iter().map(ToString::to_string).collect())
            )?;
        }
        Ok(())
    }
}
