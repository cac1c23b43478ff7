//! Bills of materials, CycloneDX 1.5 as JSON: what a release is made of. One lies beside each release, named by the digest of its
//! artifact, and can be checked again whenever more is known.

mod cargo;
mod check;
mod npm;

use std::path::PathBuf;

use cyclonedx_bom::models::component::Classification;
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{
    Bom, Component, Components, DateTime, Metadata, NormalizedString, Purl, SpdxExpression, SpecVersion,
};
use jiff::Timestamp;
use moult_model::{Digest, Subject};

use crate::PublishError;
use crate::config::Workspace;
use crate::release::Artifact;

pub use check::{Rechecked, check};

/// Why a bill of materials could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SbomError {
    /// What it is made from can't be read.
    #[error("`{path}`, which the bill of materials is made from, can't be read")]
    Source {
        /// The manifest or lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The configuration says of nothing what it is made from.
    #[error("the configuration does not say what releases are made from")]
    NotConfigured,
    /// It can't be written.
    #[error("the bill of materials can't be written")]
    Write {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored one can't be read.
    #[error("the bill of materials `{path}` can't be read")]
    Stored {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Releases that are out have known vulnerabilities, or licences that may not be.
    #[error("{} in what is out", crate::widget::check::count(rechecked.faults(), "fault"))]
    Found {
        /// What was found.
        rechecked: Box<Rechecked>,
    },
}

impl SbomError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Source { .. } => {
                    "correct the path in `publish.sbom`; the lock file beside it must be up to date"
                }
                Self::NotConfigured => {
                    "name the Cargo.toml or the package-lock.json in `publish.sbom` of the configuration"
                }
                Self::Stored { .. } => "copy the file from where the repository is published",
                Self::Found { .. } => {
                    "publish a version without them, with --min-secure, and recall what is worst"
                }
                Self::Write { .. } => return None,
            }
            .to_owned(),
        )
    }
}

/// A package that something is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// `cargo` or `npm`.
    kind: &'static str,
    name: String,
    version: String,
    license: Option<String>,
    /// SHA-256 as the lock file has it.
    sha256: Option<String>,
    /// What it depends on, by `reference`.
    needs: Vec<String>,
}

impl Part {
    fn reference(&self) -> String {
        reference(self.kind, &self.name, &self.version)
    }
}

fn reference(kind: &str, name: &str, version: &str) -> String {
    Purl::new(kind, name, version)
        .map_or_else(|_| format!("{kind}/{name}@{version}"), |purl| purl.to_string())
}

/// Where the bill of a release lies, below `targets`.
pub(crate) fn path(folder: &str, digest: &Digest) -> String {
    format!("{folder}/files/{digest}.cdx.json")
}

/// The bills of what is about to be released. None where nothing says what it is made from.
pub(crate) fn of_artifacts(
    workspace: &Workspace,
    artifacts: &[Artifact],
    now: Timestamp,
) -> Result<Vec<Option<Vec<u8>>>, PublishError> {
    artifacts
        .iter()
        .map(|artifact| {
            let parts = parts(workspace, &artifact.subject, artifact.triple.as_deref())?;
            let about = About {
                name: artifact.subject.to_string(),
                version: artifact.version.to_string(),
                digest: Some(Digest::of(&artifact.bytes)),
            };
            Ok(match parts {
                Some(parts) => Some(written(&about, &parts, now)?),
                None => None,
            })
        })
        .collect()
}

/// The bill of what is in the folder now, all of it.
pub fn of_workspace(workspace: &Workspace, now: Timestamp) -> Result<Vec<u8>, PublishError> {
    let mut all = Vec::new();
    let mut is_configured = false;
    for subject in [Subject::Executable, Subject::Shell] {
        if let Some(parts) = parts(workspace, &subject, None)? {
            is_configured = true;
            all.extend(parts);
        }
    }
    if !is_configured {
        return Err(SbomError::NotConfigured.into());
    }
    let about = About {
        name: workspace.config().product.identifier.clone(),
        version: "0.0.0".to_owned(),
        digest: None,
    };
    Ok(written(&about, &all, now)?)
}

fn parts(
    workspace: &Workspace,
    subject: &Subject,
    triple: Option<&str>,
) -> Result<Option<Vec<Part>>, SbomError> {
    let Some(sources) = &workspace.config().publish.sbom else {
        return Ok(None);
    };
    match subject {
        Subject::Executable => sources
            .cargo
            .as_ref()
            .map(|path| cargo::parts(&workspace.resolve(path), triple))
            .transpose(),
        Subject::Shell | Subject::Widget(_) => sources
            .npm
            .as_ref()
            .map(|path| npm::parts(&workspace.resolve(path)))
            .transpose(),
    }
}

/// What a bill is about.
struct About {
    name: String,
    version: String,
    digest: Option<Digest>,
}

/// The bill as JSON. It has no number of its own, so that the same release always gives the same bytes.
fn written(about: &About, parts: &[Part], now: Timestamp) -> Result<Vec<u8>, SbomError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SbomError::Write { source };
    let mut main = Component::new(
        Classification::Application,
        &about.name,
        &about.version,
        Some("main".to_owned()),
    );
    main.hashes = about.digest.map(|digest| sha256(&digest.to_string()));
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|part| part.reference());
    parts.dedup_by_key(|part| part.reference());
    let time = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
    let tool = Tool {
        name: Some(NormalizedString::new("moult")),
        version: Some(NormalizedString::new(env!("CARGO_PKG_VERSION"))),
        ..Tool::default()
    };
    let metadata = Metadata {
        timestamp: Some(DateTime::try_from(time).map_err(|error| failed(error.into()))?),
        tools: Some(Tools::List(vec![tool])),
        component: Some(main),
        ..Metadata::default()
    };
    let dependencies = parts.iter().map(|part| Dependency {
        dependency_ref: part.reference(),
        dependencies: part.needs.clone(),
    });
    let bom = Bom {
        serial_number: None,
        metadata: Some(metadata),
        components: Some(Components(parts.iter().map(|part| component(part)).collect())),
        dependencies: Some(Dependencies(dependencies.collect())),
        spec_version: SpecVersion::V1_5,
        ..Bom::default()
    };
    let mut text = Vec::new();
    bom.output_as_json(&mut text, SpecVersion::V1_5)
        .map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    Ok(text)
}

fn component(part: &Part) -> Component {
    let mut component = Component::new(
        Classification::Library,
        &part.name,
        &part.version,
        Some(part.reference()),
    );
    component.purl = Purl::new(part.kind, &part.name, &part.version).ok();
    component.hashes = part.sha256.as_deref().map(sha256);
    component.licenses = part.license.as_ref().map(|license| {
        let expression =
            SpdxExpression::parse_lax(license.clone()).unwrap_or_else(|_| SpdxExpression::new(license));
        Licenses(vec![LicenseChoice::Expression(expression)])
    });
    component
}

fn sha256(content: &str) -> Hashes {
    Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(content.to_owned()),
    }])
}
