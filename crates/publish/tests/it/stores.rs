//! The repository in a store: a folder, a bucket behind a real server, a program of one's own. What clients read there is whole at
//! every moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use moult_trust::sign::{Editor, Keys};
use serde_json::{Value, json};

use crate::s3::Server;
use crate::support::{Desk, NOW, TRIPLE, executable};

const WIDGET: [&str; 3] = ["publish", "widget", "moult/clock"];

/// A desk with keys whose repository goes to a store.
fn desk(store: Value) -> Result<Desk> {
    let desk = Desk::with_keys()?;
    desk.configure("/repository/store", store)?;
    Ok(desk)
}

/// A second machine of the same publisher: the same keys and sources, and nothing else.
fn second(first: &Desk) -> Result<Desk> {
    let desk = Desk::new()?;
    desk.write("release.config.json", first.read("release.config.json")?)?;
    for (name, bytes) in first.files("keys")? {
        desk.write(&format!("keys/{name}"), bytes)?;
    }
    Ok(desk)
}

/// The files of a store that are the repository's.
fn stored(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).with_context(|| at.display().to_string())? {
            let entry = entry?;
            let path = entry.path();
            let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
            // What begins with a dot is on its way to a name of its own.
            let is_part = ["metadata/", "targets/", "latest/"]
                .iter()
                .any(|part| name.starts_with(part));
            if path.is_dir() {
                folders.push(path);
            } else if is_part && !entry.file_name().to_string_lossy().starts_with('.') {
                found.insert(name, std::fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// The same of a desk's own folder.
fn own(desk: &Desk) -> Result<BTreeMap<String, Vec<u8>>> {
    stored(&desk.path("dist/repository"))
}

#[test]
fn a_folder_gets_the_repository_and_what_a_web_server_has_to_know() -> Result<()> {
    let desk = desk(json!({ "kind": "folder", "path": "www" }))?;
    desk.snapshot("push_dry_run", &desk.moult(&["push", "--dry-run"])?);
    ensure!(!desk.path("www/metadata").exists(), "a dry run brought files");
    desk.snapshot("push_first", &desk.moult(&["push"])?);
    desk.snapshot("publish_and_push", &desk.moult(&WIDGET)?);
    desk.snapshot("push_again", &desk.moult(&["push"])?);
    ensure!(stored(&desk.path("www"))? == own(&desk)?, "the files differ");
    let headers = String::from_utf8(desk.read("www/_headers")?)?;
    ensure!(
        headers.contains("/metadata/timestamp.json\n  Cache-Control: public, max-age=60"),
        "{headers}"
    );
    let nginx = String::from_utf8(desk.read("www/nginx.conf.example")?)?;
    ensure!(nginx.contains("immutable"), "{nginx}");
    ensure!(!desk.path("www/publishing.json").exists(), "the claim was left");

    desk.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    desk.moult(&[&WIDGET[..], &["--no-push"]].concat())?.done()?;
    ensure!(
        stored(&desk.path("www"))? != own(&desk)?,
        "it was brought there unasked"
    );
    desk.moult(&["push"])?.done()?;
    ensure!(stored(&desk.path("www"))? == own(&desk)?, "the files differ");
    let pushed = desk.json(&["resign"])?["pushed"]["files"].clone();
    assert_eq!(
        pushed.as_array().map(Vec::len),
        Some(1),
        "only the timestamp changed"
    );
    Ok(())
}

#[test]
fn what_was_damaged_in_the_store_is_mended_by_the_next_push() -> Result<()> {
    let desk = desk(json!({ "kind": "folder", "path": "www" }))?;
    desk.moult(&WIDGET)?.done()?;
    let file = own(&desk)?
        .into_keys()
        .find(|name| name.strip_suffix(".zst").is_some())
        .context("a file")?;
    desk.write(&format!("www/{file}"), "short")?;
    let role = own(&desk)?
        .into_keys()
        .find(|name| name.ends_with(".app.json"))
        .context("a role")?;
    std::fs::remove_file(desk.path(&format!("www/{role}")))?;
    desk.moult(&["push"])?.done()?;
    ensure!(stored(&desk.path("www"))? == own(&desk)?, "the files differ");
    Ok(())
}

#[test]
fn a_second_machine_goes_on_where_the_first_stopped() -> Result<()> {
    let server = Server::start()?;
    let first = desk(server.store())?;
    first.moult(&WIDGET)?.done()?;
    let second = second(&first)?;
    second.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    second.snapshot("pull_dry_run", &second.moult(&["pull", "--dry-run"])?);
    let ran = second.moult(&WIDGET)?.done()?;
    ensure!(
        ran.stdout.contains("from 1.0.0"),
        "a patch from what the first published: {ran}"
    );
    ensure!(stored(&server.repository())? == own(&second)?, "the files differ");

    // The first is behind, and is brought up by its next command.
    first.bundle("widgets/clock", "w/moult/clock", "1.2.0", 2)?;
    first.moult(&WIDGET)?.done()?;
    ensure!(stored(&server.repository())? == own(&first)?, "the files differ");
    first.moult(&["verify"])?.done()?;
    second.snapshot("pull", &second.moult(&["pull"])?);
    second.snapshot("pull_again", &second.moult(&["pull"])?);
    Ok(())
}

#[test]
fn two_that_went_different_ways_are_told_and_can_go_on() -> Result<()> {
    let first = desk(json!({ "kind": "folder", "path": "www" }))?;
    first.moult(&["push"])?.done()?;
    let www = first.path("www").display().to_string();
    first.configure("/repository/store", json!({ "kind": "folder", "path": www }))?;
    let second = second(&first)?;
    second.moult(&["pull"])?.done()?;
    // The first signs and does not push; the second takes over and publishes.
    first.moult(&[&WIDGET[..], &["--no-push"]].concat())?.done()?;
    let busy = second.moult(&WIDGET)?;
    first.snapshot("error_store_busy", &busy);
    second.moult(&["push", "--take-over"])?.done()?;
    second.bundle("widgets/clock", "w/moult/clock", "1.0.1", 5)?;
    second.moult_at("2026-11-21T10:01:00Z", &WIDGET)?.done()?;
    let there = stored(&first.path("www"))?;

    first.snapshot("error_store_parted", &first.moult(&["push"])?);
    ensure!(stored(&first.path("www"))? == there, "the store changed");
    first.snapshot("error_pull_parted", &first.moult(&["pull"])?);
    first.moult(&["pull", "--discard"])?.done()?;
    assert_eq!(
        own(&first)?.get("metadata/timestamp.json"),
        there.get("metadata/timestamp.json")
    );
    first.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    first.moult(&WIDGET)?.done()?;
    first.moult(&["verify"])?.done()?;
    Ok(())
}

#[test]
fn a_role_that_somebody_else_signed_under_the_same_number_is_never_replaced() -> Result<()> {
    let first = desk(json!({ "kind": "folder", "path": "www" }))?;
    first.moult(&["push"])?.done()?;
    let www = first.path("www").display().to_string();
    first.configure("/repository/store", json!({ "kind": "folder", "path": www }))?;
    let second = second(&first)?;
    second.moult(&["pull"])?.done()?;
    // In the same second: timestamp and snapshot have the very same bytes, only the role between differs.
    first.moult(&[&WIDGET[..], &["--no-push"]].concat())?.done()?;
    second.moult(&["push", "--take-over"])?.done()?;
    second.bundle("widgets/clock", "w/moult/clock", "1.0.1", 5)?;
    second.moult(&WIDGET)?.done()?;
    ensure!(
        own(&first)?.get("metadata/timestamp.json") == own(&second)?.get("metadata/timestamp.json"),
        "the timestamps differ"
    );
    let role = |desk: &Desk| {
        Ok::<_, anyhow::Error>(stored(&desk.path("www"))?.remove("metadata/2.publisher-moult.json"))
    };
    let before = role(&first)?;
    first.snapshot("error_store_rival", &first.moult(&["push"])?);
    ensure!(role(&first)? == before, "the role was replaced");
    first.moult(&["pull", "--discard"])?.done()?;
    first.bundle("widgets/clock", "w/moult/clock", "1.1.0", 1)?;
    first.moult(&WIDGET)?.done()?;
    Ok(())
}

#[test]
fn without_a_store_or_with_an_unknown_one_that_is_said() -> Result<()> {
    let desk = Desk::with_keys()?;
    desk.snapshot("error_no_store", &desk.moult(&["push"])?);
    desk.configure(
        "/repository/store",
        json!({ "kind": "bucket", "url": "ftp://here/there" }),
    )?;
    desk.snapshot("error_unknown_store", &desk.moult(&["push"])?);
    desk.configure(
        "/repository/store",
        json!({ "kind": "script", "command": ["./missing.sh"] }),
    )?;
    desk.snapshot("error_script_missing", &desk.moult(&["push"])?);
    Ok(())
}

#[test]
fn a_bucket_gets_versioned_files_first_and_the_timestamp_by_comparing() -> Result<()> {
    let server = Server::start()?;
    let desk = desk(server.store())?;
    desk.moult(&["push"])?.done()?;
    server.requests();
    desk.snapshot("publish_to_a_bucket", &desk.moult(&WIDGET)?);
    let requests = server.requests();
    let reads = requests
        .iter()
        .filter(|request| request.starts_with("GET "))
        .count();
    let puts: Vec<_> = requests
        .into_iter()
        .filter_map(|request| Some(request.strip_prefix("PUT /updates/app/")?.to_owned()))
        .collect();
    let kinds: Vec<_> = puts
        .iter()
        .map(|put| {
            let path = put.split(' ').next().unwrap_or_default();
            match path {
                "publishing.json" => "claim",
                "metadata/timestamp.json" => "timestamp",
                _ if path.starts_with("metadata/") => "role",
                _ if path.ends_with(".index.json") => "index",
                _ if path.starts_with("targets/") => "artifact",
                _ => "other",
            }
        })
        .collect();
    assert_eq!(
        kinds,
        ["claim", "artifact", "index", "role", "role", "timestamp"],
        "{puts:?}"
    );
    for put in &puts {
        let expected = match put.split(' ').next().unwrap_or_default() {
            "publishing.json" => "no-store",
            "metadata/timestamp.json" => "public, max-age=60",
            _ => "public, max-age=31536000, immutable",
        };
        ensure!(put.ends_with(expected), "{put}");
    }
    ensure!(stored(&server.repository())? == own(&desk)?, "the files differ");
    // The list, the timestamp and the claim before and after, and what may change in place.
    ensure!(reads <= 9, "{reads} reads");
    Ok(())
}

#[test]
fn an_interrupted_upload_goes_on_with_the_next_part() -> Result<()> {
    let server = Server::start()?;
    let desk = desk(server.store())?;
    desk.moult(&["push"])?.done()?;
    // Two parts of 8 MiB each, and a bit; it can't be compressed, so both its files are as large.
    desk.write(
        &format!("target/{TRIPLE}/app"),
        executable(1, (16 << 20) + 1000, 0),
    )?;
    server.take_parts(2);
    let publish = ["publish", "app", "--version", "0.1.0", "--target", TRIPLE];
    let ran = desk.moult(&publish)?;
    ensure!(
        ran.code == Some(2) && ran.stderr.contains("failed to write"),
        "{ran}"
    );
    let parts = |server: &Server| {
        let requests = server.requests();
        let is_part = |request: &&String| request.contains("partNumber=");
        let begun = requests
            .iter()
            .filter(|request| request.contains("?uploads"))
            .count();
        (requests.iter().filter(is_part).count(), begun)
    };
    let (tried, begun) = parts(&server);
    ensure!(
        (2..=6).contains(&tried) && begun <= 2,
        "{tried} parts of {begun} uploads"
    );
    ensure!(
        !stored(&server.repository())?
            .keys()
            .any(|name| name.starts_with("targets/app/")),
        "half a file is there"
    );

    server.take_parts(usize::MAX);
    desk.moult(&["push"])?.done()?;
    let (went, begun_again) = parts(&server);
    // Six parts in all, of which two were there.
    assert_eq!((went, begun + begun_again), (4, 2));
    ensure!(stored(&server.repository())? == own(&desk)?, "the files differ");
    Ok(())
}

/// Publishes versions one after the other, and tries again when somebody else is at work.
fn publish_often(desk: &Desk, widget: &str, versions: std::ops::Range<u64>) -> Result<()> {
    let folder = format!("widgets/{widget}");
    let id = format!("moult/{widget}");
    for number in versions {
        desk.bundle(&folder, &format!("w/{id}"), &format!("1.{number}.0"), number)?;
        let mut tries = 0;
        loop {
            let ran = desk.moult(&["publish", "widget", &id])?;
            if ran.code == Some(0) {
                break;
            }
            ensure!(ran.stderr.contains("another publisher is at work"), "{ran}");
            tries += 1;
            if tries > 500 {
                bail!("never got a turn");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    Ok(())
}

/// Reads what clients read, over and over, as one would that verifies everything. Gives how often it was whole.
fn watch(folder: &Path, keys: &Path, over: &AtomicBool) -> Result<usize> {
    let mut whole = 0;
    let scratch = tempfile::tempdir()?;
    while !over.load(Ordering::Relaxed) || whole == 0 {
        // The timestamp first: what it names must be there from then on.
        let timestamp = std::fs::read(folder.join("metadata/timestamp.json"))?;
        let mut files = stored(folder)?;
        files.insert("metadata/timestamp.json".to_owned(), timestamp);
        let copy = scratch.path().join(whole.to_string());
        for (name, bytes) in files {
            let path = copy.join(name);
            std::fs::create_dir_all(path.parent().context("a folder")?)?;
            std::fs::write(path, bytes)?;
        }
        let keys = Keys::open(keys)?;
        Editor::open(&copy, &keys).with_context(|| format!("the {whole}th state is not whole"))?;
        std::fs::remove_dir_all(copy)?;
        whole += 1;
    }
    Ok(whole)
}

/// Two machines publish at the same time, each its own widget, six times; a reader verifies every state it sees.
fn two_publishers(store: Value, folder: &Path) -> Result<()> {
    let first = desk(store)?;
    first.configure(
        "/widgets",
        json!({ "moult/clock": "widgets/clock", "moult/tide": "widgets/tide" }),
    )?;
    first.moult(&["push"])?.done()?;
    let second = second(&first)?;
    // The reader has the floor of the beginning, as an app has that was shipped then.
    let reader = Desk::new()?;
    for (name, bytes) in first.files("keys")? {
        reader.write(&format!("keys/{name}"), bytes)?;
    }
    let over = Arc::new(AtomicBool::new(false));
    let whole = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(folder, &reader.path("keys"), &over));
        let one = scope.spawn(|| publish_often(&first, "clock", 0..6));
        let other = scope.spawn(|| publish_often(&second, "tide", 0..6));
        let ended = [one.join(), other.join()];
        over.store(true, Ordering::Relaxed);
        for end in ended {
            end.map_err(|_| anyhow::anyhow!("a publisher panicked"))??;
        }
        watching
            .join()
            .map_err(|_| anyhow::anyhow!("the reader panicked"))?
    })?;
    ensure!(whole > 0, "nothing was read");
    first.moult(&["pull"])?.done()?;
    let seen = first.json(&["verify"])?;
    let subjects = seen["subjects"].as_array().context("subjects")?;
    let counts: Vec<_> = subjects
        .iter()
        .map(|subject| subject["full_files"].clone())
        .collect();
    assert_eq!(counts, [6, 6], "every release of both is there");
    Ok(())
}

#[test]
fn two_publishers_at_once_do_not_tear_a_bucket() -> Result<()> {
    let server = Server::start()?;
    two_publishers(server.store(), &server.repository())
}

#[test]
fn two_publishers_at_once_do_not_tear_a_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("www");
    two_publishers(json!({ "kind": "folder", "path": path }), &path)
}

#[cfg(unix)]
#[test]
fn a_program_of_ones_own_can_be_the_store() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = desk(json!({ "kind": "script", "command": ["./bring.sh", "there"] }))?;
    desk.write("bring.sh", SCRIPT)?;
    std::fs::set_permissions(desk.path("bring.sh"), std::fs::Permissions::from_mode(0o755))?;
    desk.snapshot("push_by_script", &desk.moult(&["push"])?);
    desk.moult(&WIDGET)?.done()?;
    ensure!(stored(&desk.path("there"))? == own(&desk)?, "the files differ");
    let second = second(&desk)?;
    second.write(
        "bring.sh",
        SCRIPT.replace("place=$1", &format!("place={}", desk.path("there").display())),
    )?;
    std::fs::set_permissions(second.path("bring.sh"), std::fs::Permissions::from_mode(0o755))?;
    second.moult(&["pull"])?.done()?;
    ensure!(own(&second)? == own(&desk)?, "the files differ");
    desk.write("bring.sh", "#!/bin/sh\necho 'the line is dead' >&2\nexit 9\n")?;
    desk.snapshot("error_script_failed", &desk.moult(&["push"])?);
    Ok(())
}

#[cfg(unix)]
const SCRIPT: &str = r#"#!/bin/sh
place=$1; shift
case $1 in
list) [ -d "$place" ] && cd "$place" && find . -type f -printf '%s %P\n'; exit 0 ;;
get) [ -f "$place/$2" ] || exit 3; cp "$place/$2" "$3" ;;
put) mkdir -p "$(dirname "$place/$2")" && cp "$3" "$place/$2" ;;
delete) rm -f "$place/$2" ;;
esac
"#;

#[test]
fn what_was_pruned_here_goes_from_the_store_too() -> Result<()> {
    let server = Server::start()?;
    let desk = desk(server.store())?;
    for number in 0..4 {
        desk.bundle("widgets/clock", "w/moult/clock", &format!("1.{number}.0"), number)?;
        desk.moult(&WIDGET)?.done()?;
    }
    let prune = ["prune", "--versions", "1", "--days", "0", "--grace-days", "0"];
    desk.moult_at("2026-11-22T10:00:00Z", &prune)?.done()?;
    ensure!(stored(&server.repository())? == own(&desk)?, "the files differ");
    desk.moult_at(NOW, &["verify"])?.done()?;
    Ok(())
}
