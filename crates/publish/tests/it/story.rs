//! A publisher's first weeks, and what a client makes of them.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use moult_model::index::Encoding;
use moult_model::{Bundle, Digest, ErrorCode, Index, Release, Subject};
use moult_trust::sign::Keys;
use moult_trust::{Client, GetFuture, Reply, Transport, TransportError, verify_signature};

use crate::support::{Desk, NOW, TRIPLE, executable};

/// The repository as a client sees it that reads the folder itself.
struct Folder(PathBuf);

impl Transport for Folder {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64, _etag: Option<&'a str>) -> GetFuture<'a> {
        let reply = match std::fs::read(self.0.join(path)) {
            Ok(bytes) if bytes.len() as u64 <= max_bytes => Ok(Reply::Body { bytes, etag: None }),
            Ok(_) => Err(TransportError {
                code: ErrorCode::ServerRefused,
                url: path.to_owned(),
                source: "the file is too large".into(),
            }),
            Err(_) => Ok(Reply::Missing),
        };
        Box::pin(std::future::ready(reply))
    }
}

fn tell(desk: &Desk) -> Result<()> {
    let app = format!("target/{TRIPLE}/app");
    let publish_widget = ["publish", "widget", "moult/clock"];
    let publish_app = |version| desk.json(&["publish", "app", "--version", version, "--target", TRIPLE]);

    desk.json(&publish_widget)?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let widget = desk.json(&publish_widget)?;
    let patch = &widget["patches"][0];
    assert_eq!(patch["from_version"], "1.0.0");
    let (patch_size, full_size) = (patch["size"].as_u64(), widget["full"]["size"].as_u64());
    ensure!(patch_size < full_size && patch_size > Some(0), "{widget}");

    desk.json(&["publish", "shell", "--notes", "The first shell."])?;
    desk.write(&app, executable(1, 300_000, 0))?;
    publish_app("0.1.0")?;
    desk.write(&app, executable(1, 300_000, 1))?;
    let app = publish_app("0.1.1")?;
    assert_eq!(app["patches"][0]["from_version"], "0.1.0");
    ensure!(app["patches"][0]["ratio"].as_f64() < Some(0.1), "{app}");
    Ok(())
}

/// The artifact of a release, through its full file.
fn artifact(desk: &Desk, release: &Release) -> Result<Vec<u8>> {
    let stored = desk.read(&format!("dist/repository/targets/{}", release.full.path))?;
    assert_eq!(Digest::of(&stored), release.full.digest);
    assert_eq!(
        (stored.len() as u64, release.full.encoding),
        (release.full.size, Encoding::Zstd)
    );
    let artifact = zstd::decode_all(&stored[..])?;
    assert_eq!(
        (Digest::of(&artifact), artifact.len() as u64),
        (release.digest, release.size)
    );
    Ok(artifact)
}

/// Every listed patch leads from the one artifact to the other.
fn apply_patches(desk: &Desk, index: &Index) -> Result<usize> {
    for patch in &index.patches {
        let bytes = desk.read(&format!("dist/repository/targets/{}", patch.path))?;
        assert_eq!(
            (Digest::of(&bytes), bytes.len() as u64),
            (patch.digest, patch.size)
        );
        let to = index.release_of(&patch.to).context("the release it leads to")?;
        let old = artifact(
            desk,
            index
                .release_of(&patch.from)
                .context("the release it starts from")?,
        )?;
        let mut new = Vec::new();
        assert_eq!(moult_delta::inspect(&bytes[..])?.format, patch.format);
        let limits = moult_delta::Limits::exactly(to.size);
        moult_delta::apply(&mut Cursor::new(old), &bytes[..], &mut new, limits)?;
        assert_eq!(Digest::of(&new), patch.to);
    }
    Ok(index.patches.len())
}

#[tokio::test]
async fn a_client_sees_what_was_published_and_can_install_it() -> Result<()> {
    let desk = Desk::with_keys()?;
    let anchor = Keys::open(&desk.path("keys"))?.anchor()?;
    tell(&desk)?;

    let now = NOW.parse()?;
    let transport = Arc::new(Folder(desk.path("dist/repository")));
    let mut client = Client::open(&anchor, transport, &desk.path("client"))?;
    client.refresh(now).await?;
    let versions = |index: &Index| {
        index
            .releases
            .iter()
            .map(|release| release.version.to_string())
            .collect::<Vec<_>>()
    };

    let widget: Subject = "w/moult/clock".parse()?;
    let index = client.index(&widget, TRIPLE, now).await?;
    assert_eq!(versions(&index), ["1.1.0", "1.0.0"]);
    assert_eq!(apply_patches(&desk, &index)?, 1);
    let newest = &index.releases[0];
    let bundle = Bundle::parse(artifact(&desk, newest)?)?;
    assert_eq!(
        (&bundle.manifest().id, &bundle.manifest().version),
        (&widget, &newest.version)
    );
    assert_eq!(bundle.file("index.html"), Some(&b"<p>1</p>"[..]));
    assert_eq!(bundle.file("moult.json"), None);
    assert_eq!(newest.permissions, bundle.manifest().permissions);
    assert_eq!(
        (newest.state_schema, newest.host_api),
        (Some(2), Some(bundle.manifest().host_api))
    );
    assert_eq!(
        newest
            .channels
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["stable", "beta", "nightly"]
    );

    let index = client.index(&Subject::Shell, TRIPLE, now).await?;
    assert_eq!(versions(&index), ["1.0.0"]);
    assert_eq!(
        index.releases[0].notes.get("en").map(String::as_str),
        Some("The first shell.")
    );

    let index = client.index(&Subject::Executable, TRIPLE, now).await?;
    assert_eq!(versions(&index), ["0.1.1", "0.1.0"]);
    assert_eq!(apply_patches(&desk, &index)?, 1);
    for release in &index.releases {
        let bytes = artifact(&desk, release)?;
        let signature = release.signature.as_deref().context("a signature")?;
        verify_signature(&anchor.minisign, signature, &bytes[..], &release.version)?;
    }
    Ok(())
}

/// The signature over an executable has a random part; all else must be the same, byte by byte.
#[test]
fn the_same_input_and_time_give_the_same_bytes() -> Result<()> {
    let (one, two) = (Desk::with_keys()?, Desk::new()?);
    for folder in ["keys", "dist/repository"] {
        for (name, bytes) in one.files(folder)? {
            two.write(&format!("{folder}/{name}"), bytes)?;
        }
    }
    for desk in [&one, &two] {
        desk.json(&["publish", "widget", "moult/clock", "--channel", "beta"])?;
        for (version, seed) in [("1.1.0", 1), ("1.2.0", 2), ("1.3.0", 3)] {
            desk.bundle("widgets/clock", "w/moult/clock", version, seed)?;
            desk.json(&["publish", "widget", "moult/clock", "--notes", version])?;
        }
        desk.json(&["publish", "shell"])?;
    }
    let (left, right) = (one.files("dist/repository")?, two.files("dist/repository")?);
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    ensure!(
        left.keys().filter(|name| name.ends_with(".mpatch")).count() == 6,
        "{:?}",
        left.keys()
    );
    for (name, bytes) in &left {
        ensure!(right.get(name) == Some(bytes), "{name} differs");
    }
    assert_eq!(one.files("patches/out")?, two.files("patches/out")?);

    for desk in [&one, &two] {
        for (version, edits) in [("0.1.0", 0), ("0.1.1", 1)] {
            desk.write(&format!("target/{TRIPLE}/app"), executable(1, 100_000, edits))?;
            desk.json(&["publish", "app", "--version", version, "--target", TRIPLE])?;
        }
    }
    let folder = format!("dist/repository/targets/app/{TRIPLE}/files");
    let (left, right) = (one.files(&folder)?, two.files(&folder)?);
    ensure!(
        left.len() == 5 && left == right,
        "{:?} and {:?}",
        left.keys(),
        right.keys()
    );
    Ok(())
}

/// The hazard: the power goes after the new files are written and before the metadata is.
#[test]
fn a_release_that_was_interrupted_goes_on_to_the_same_bytes() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.json(&["publish", "widget", "moult/clock"])?;
    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    let before = ["dist/repository/metadata", "keys/public"]
        .map(|folder| desk.files(folder).map(|files| (folder, files)));
    let released = desk.json(&["publish", "widget", "moult/clock"])?;
    let done = desk.files("dist/repository")?;
    for state in before {
        let (folder, files) = state?;
        std::fs::remove_dir_all(desk.path(folder))?;
        for (name, bytes) in files {
            desk.write(&format!("{folder}/{name}"), bytes)?;
        }
    }
    let patch = released["patches"][0]["path"].as_str().context("a patch")?;
    desk.write(&format!("dist/repository/targets/{patch}"), b"half a patch")?;
    ensure!(
        desk.files("dist/repository")? != done,
        "the state was not set back"
    );
    let again = desk.json(&["publish", "widget", "moult/clock"])?;
    assert_eq!(again["timestamp_version"], released["timestamp_version"]);
    ensure!(desk.files("dist/repository")? == done, "the repository differs");
    Ok(())
}
