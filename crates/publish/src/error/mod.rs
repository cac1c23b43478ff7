//! What can go wrong while publishing. What to do about it is said in `advice`.

mod advice;

use std::io;
use std::path::PathBuf;

use moult_delta::{ApplyError, DiffError};
use moult_durable::DurableError;
use moult_model::{BundleError, Channel, Digest, Subject, Version, WidgetId};
use moult_trust::sign::SignError;

use crate::doctor::Examined;
use crate::gate::GateError;
use crate::installer::InstallerError;
use crate::offer::OfferError;
use crate::patch_file::PatchError;
use crate::sbom::SbomError;
use crate::setup::SetupError;
use crate::store::StoreError;
use crate::verify::VerifyError;
use crate::widget::check::{Checked, count};
use crate::widget::component::ComponentError;
use crate::widget::dev::DevError;

/// Why the command did not do what it was asked to. Nothing that clients read has changed then:
/// the timestamp, which makes a release visible, is written last.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The configuration can't be read.
    #[error("the configuration `{path}` can't be read")]
    ConfigRead {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The configuration is not JSON of the right shape.
    #[error("the configuration `{path}` is not valid")]
    ConfigParse {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A field of the configuration has a value that can't work.
    #[error("the configuration `{path}` is not valid: `{field}` {problem}")]
    ConfigValue {
        /// The file.
        path: PathBuf,
        /// The field, with dots between its parts.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A channel that the configuration does not have.
    #[error("there is no channel `{channel}`")]
    UnknownChannel {
        /// The channel asked for.
        channel: Channel,
        /// Those that there are.
        known: Vec<Channel>,
    },
    /// A target triple that the configuration does not have.
    #[error("the app is not released for `{triple}`")]
    UnknownTarget {
        /// The triple asked for.
        triple: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A widget without a folder.
    #[error("the configuration has no folder for the widget `{id}`")]
    UnknownWidget {
        /// The widget asked for.
        id: WidgetId,
        /// Those that have one.
        known: Vec<WidgetId>,
    },
    /// The release notes can't be read.
    #[error("the release notes `{path}` can't be read")]
    NotesRead {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The executable can't be read.
    #[error("the executable `{path}` can't be read")]
    ExecutableRead {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The executable has no bytes.
    #[error("the executable `{path}` is empty")]
    ExecutableEmpty {
        /// The file.
        path: PathBuf,
    },
    /// A bundle's folder or a file in it can't be read.
    #[error("`{path}` can't be read")]
    FolderRead {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A bundle's folder without a manifest.
    #[error("`{folder}` has no moult.json")]
    ManifestMissing {
        /// The folder.
        folder: PathBuf,
    },
    /// A manifest that is not JSON of the right shape.
    #[error("the manifest `{path}` is not valid")]
    ManifestParse {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A manifest of something else than what the command names.
    #[error("the manifest `{path}` is about `{found}`, but `{wanted}` is to be published")]
    ManifestId {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        found: Subject,
        /// What was asked for.
        wanted: Subject,
    },
    /// A field of a manifest has a value that can't work.
    #[error("the manifest `{path}` is not valid: {problem}")]
    ManifestValue {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A link or a device in a bundle's folder.
    #[error("`{path}` is neither a file nor a folder")]
    NotAFile {
        /// The entry.
        path: PathBuf,
    },
    /// A file name in a bundle's folder that is not UTF-8.
    #[error("the name of `{path}` is not UTF-8")]
    FileName {
        /// The entry.
        path: PathBuf,
    },
    /// Files that can't become a bundle.
    #[error("`{folder}` can't be packed")]
    Pack {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// Logic that can't become a component.
    #[error("the logic `{path}` can't be packed")]
    Logic {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ComponentError,
    },
    /// A project that was never built.
    #[error("`{folder}` is not built: it has no dist/moult.json")]
    NotBuilt {
        /// The project's folder.
        folder: PathBuf,
    },
    /// A widget in which faults were found.
    #[error("{} in `{folder}`", count(checked.faults, "fault"))]
    Faulty {
        /// The widget's folder.
        folder: PathBuf,
        /// What was found.
        checked: Box<Checked>,
    },
    /// A widget can't be shown while it is written.
    #[error(transparent)]
    Dev(#[from] DevError),
    /// A folder that is to be new and is not.
    #[error("`{folder}` is there already, and not empty")]
    FolderTaken {
        /// The folder.
        folder: PathBuf,
    },
    /// A bundle that would be written into the very folder that it is made of.
    #[error("`{path}` would lie in the folder that is packed, and be part of the next bundle")]
    PackedInside {
        /// Where it was to be written.
        path: PathBuf,
    },
    /// A version that is out already, with other bytes.
    #[error("{subject} {version} is published already, with other bytes: {published} and not {packed}")]
    VersionTaken {
        /// What it is.
        subject: Box<Subject>,
        /// Its version.
        version: Version,
        /// What is out, by the first digits of its digest.
        published: String,
        /// What was to be published.
        packed: String,
    },
    /// Bytes that are out already, as another version.
    #[error("{subject} {version} has the very bytes of {out}, which is published")]
    BytesTaken {
        /// What it is.
        subject: Box<Subject>,
        /// The version that was to be published.
        version: Version,
        /// The version that has them.
        out: Version,
    },
    /// An index that does not fit, with every patch left out.
    #[error("the index of {subject} would have {bytes} bytes; {max} are allowed", max = moult_model::Index::MAX_BYTES)]
    IndexTooLarge {
        /// What it is about.
        subject: Subject,
        /// Its size.
        bytes: u64,
    },
    /// No keys.
    #[error("there are no keys in `{folder}`")]
    KeysMissing {
        /// The key folder.
        folder: PathBuf,
    },
    /// No repository.
    #[error("there is no repository in `{folder}`")]
    RepositoryMissing {
        /// The repository's folder.
        folder: PathBuf,
    },
    /// Keys are gone that signed a repository which is still there.
    #[error("the keys of the repository `{repository}` are not in `{folder}`")]
    KeysLost {
        /// The key folder.
        folder: PathBuf,
        /// The repository's folder.
        repository: PathBuf,
    },
    /// A repository is gone that the keys have signed.
    #[error("the keys in `{folder}` have signed a repository that is not in `{repository}`")]
    RepositoryLost {
        /// The key folder.
        folder: PathBuf,
        /// The repository's folder.
        repository: PathBuf,
    },
    /// A publisher without a key.
    #[error("`{publisher}` has no key in the repository")]
    PublisherMissing {
        /// The publisher.
        publisher: String,
    },
    /// No passphrase was said.
    #[error("there is no passphrase")]
    NoPassphrase,
    /// Two passphrases that should be one.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// No key of a role begins so, or several do.
    #[error("{role} has no one key whose id begins with `{start}`")]
    KeyUnknown {
        /// The role.
        role: String,
        /// The first digits.
        start: String,
        /// The ids that it has.
        known: Vec<String>,
    },
    /// Where a key is was said of none, or of several.
    #[error("--command and --environment say where the key of one --public is")]
    OnePublicKey,
    /// A public key can't be read.
    #[error("the public key `{path}` can't be read")]
    PublicKeyRead {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something waits for signatures already.
    #[error("`{path}` waits for signatures, and one change can wait at a time")]
    StagedThere {
        /// The file.
        path: PathBuf,
    },
    /// An executable waits that minisign has not signed.
    #[error("the executable {version} lacks its minisign signature")]
    MinisignFirst {
        /// Its version.
        version: Version,
    },
    /// Nothing waits for signatures.
    #[error("nothing waits for signatures: there is no `{path}`")]
    NothingStaged {
        /// The file.
        path: PathBuf,
    },
    /// The token of the service can't be used.
    #[error("the token `{path}` can't be used")]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another command is at work on the same repository.
    #[error("another moult command is at work with the keys in `{folder}`")]
    Busy {
        /// The key folder.
        folder: PathBuf,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// Signing or reading the signed repository failed.
    #[error("{action}")]
    Sign {
        /// What failed.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<SignError>,
    },
    /// Compressing failed.
    #[error("the artifact can't be compressed")]
    Compress {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of an older release is not there.
    #[error("the repository lacks `{path}`, a file of an older release")]
    StoredMissing {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of an older release is not what was signed.
    #[error("`{path}`, a file of an older release, is damaged: it is not {expected}")]
    StoredDamaged {
        /// The file.
        path: PathBuf,
        /// The digest that was signed.
        expected: Digest,
    },
    /// A patch could not be made.
    #[error("the patch from {from} to {to} can't be made")]
    Diff {
        /// The older version.
        from: Version,
        /// The newer one.
        to: Version,
        /// Why.
        #[source]
        source: DiffError,
    },
    /// A patch that was made can't be applied.
    #[error("the patch from {from} to {to} was made, but can't be applied")]
    PatchRefused {
        /// The older version.
        from: Version,
        /// The newer one.
        to: Version,
        /// Why.
        #[source]
        source: Box<ApplyError>,
    },
    /// A patch that was made leads to other bytes.
    #[error("the patch from {from} to {to} was made, but leads to other bytes")]
    PatchWrong {
        /// The older version.
        from: Version,
        /// The newer one.
        to: Version,
    },
    /// JSON could not be written.
    #[error("{what} can't be written as JSON")]
    Encode {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The port is taken, or may not be used.
    #[error("the server can't listen on port {port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder to serve is not there.
    #[error("the folder `{path}` can't be served")]
    ServeFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The access log can't be written.
    #[error("the access log `{path}` can't be written")]
    AccessLog {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What an engine noted of its reasons can't be read.
    #[error("what was noted in `{path}` can't be read")]
    ExplainRead {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<DurableError>,
    },
    /// A data folder in which no engine has noted its reasons.
    #[error("no Moult has checked for updates in `{path}` yet")]
    NothingExplained {
        /// The folder.
        path: PathBuf,
    },
    /// Something that an installation does not have.
    #[error("`{subject}` is not installed there, or was never checked")]
    NotExplained {
        /// What was asked for.
        subject: Subject,
        /// What there is.
        known: Vec<Subject>,
    },
    /// What is to be inspected can't be read.
    #[error("`{path}` can't be read")]
    InspectRead {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or folder of no known kind.
    #[error("`{path}` is nothing that Moult makes")]
    InspectUnknown {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file that begins like a bundle and is none.
    #[error("`{path}` is not a bundle")]
    InspectBundle {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// A file that begins like a patch and is none.
    #[error("`{path}` is not a patch")]
    InspectPatch {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ApplyError,
    },
    /// Metadata that is not JSON of the right shape.
    #[error("the metadata `{path}` is not valid")]
    InspectMetadata {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A patch of one's own was not made, applied or looked into.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// A release can't be offered as it was asked for.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The rules of the configuration forbid the release.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A bill of materials was not made, or tells of faults.
    #[error(transparent)]
    Sbom(#[from] SbomError),
    /// Files were not brought to the store or back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A way to a release is wrong.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The configuration was not written.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Two artifacts of one subject in one step.
    #[error("{subject} is to be published twice in one step")]
    Twice {
        /// What it is.
        subject: Box<Subject>,
    },
    /// The publisher's place has faults.
    #[error("{} here", count(examined.faults(), "fault"))]
    Unwell {
        /// What was looked at.
        examined: Box<Examined>,
    },
    /// An installer was not made.
    #[error(transparent)]
    Installer(#[from] InstallerError),
    /// The results can't be printed.
    #[error("the result can't be printed")]
    Print {
        /// Why.
        #[source]
        source: io::Error,
    },
}
