//! Looks the publisher's whole place over, and says what is wrong or soon will be.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use moult_model::Digest;
use moult_trust::sign::Keys;
use serde::Serialize;

use crate::config::Workspace;
use crate::inspect::repository::Repository;
use crate::store::{self, Standing, reach};
use crate::{PublishError, full_file};

/// How long before a role expires somebody has to be told, by how long it lives: long enough for a key that lies in a safe.
const WARNINGS: [(&str, i64); 3] = [("timestamp", 2), ("snapshot", 10), ("root", 60)];
const WARNING_DAYS: i64 = 30;
/// How far clocks may differ.
const CLOCK: SignedDuration = SignedDuration::from_mins(5);
/// The longest that a timestamp is signed for.
const TIMESTAMP_LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Soon it won't be.
    Warning,
    /// Something does not work.
    Fault,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    severity: Severity,
    /// What it is about.
    about: &'static str,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Default, Serialize)]
pub struct Examined {
    findings: Vec<Finding>,
}

impl Examined {
    fn good(&mut self, about: &'static str, what: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Good,
            about,
            what: what.into(),
            hint: None,
        });
    }

    fn bad(&mut self, severity: Severity, about: &'static str, what: impl Into<String>, hint: &str) {
        self.findings.push(Finding {
            severity,
            about,
            what: what.into(),
            hint: Some(hint.to_owned()),
        });
    }

    fn failed(&mut self, about: &'static str, error: &PublishError) {
        self.findings.push(Finding {
            severity: Severity::Fault,
            about,
            what: error.message(),
            hint: error.hint(),
        });
    }

    /// How many faults there are.
    pub fn faults(&self) -> usize {
        let faults = self.findings.iter();
        faults
            .filter(|finding| finding.severity == Severity::Fault)
            .count()
    }
}

/// Looks everything over. Nothing is changed; no secret key is read.
pub fn examine(workspace: &Workspace, now: Timestamp, is_deep: bool, is_offline: bool) -> Examined {
    let mut examined = Examined::default();
    examined.good("configuration", "it can be read and fits together");
    built(workspace, &mut examined);
    keys(workspace, &mut examined);
    let repository = workspace.repository();
    match Repository::read(&repository) {
        Ok(read) => {
            expiry(&read, now, &mut examined);
            clock(&read, now, &mut examined);
            files(&read, &repository, is_deep, &mut examined);
        }
        Err(_) if !repository.join("metadata/timestamp.json").exists() => examined.bad(
            Severity::Fault,
            "repository",
            format!("there is none in `{}`", repository.display()),
            "run `moult keys init`, or `moult pull` if it is in the store",
        ),
        Err(error) => examined.failed("repository", &error),
    }
    if !is_offline {
        reached(workspace, &mut examined);
    }
    examined
}

fn built(workspace: &Workspace, examined: &mut Examined) {
    let config = workspace.config();
    let mut missing = Vec::new();
    let mut look = |name: String, path: &Path| {
        if !path.exists() {
            missing.push(name);
        }
    };
    look("shell".to_owned(), &workspace.shell().join("moult.json"));
    for id in config.widgets.keys() {
        if let Ok(folder) = workspace.widget(id) {
            look(id.to_string(), &folder.join("moult.json"));
        }
    }
    if missing.is_empty() {
        examined.good("built", "the shell and all widgets are");
    } else {
        examined.bad(
            Severity::Warning,
            "built",
            format!("not built: {}", missing.join(", ")),
            "build them before they are published",
        );
    }
}

fn keys(workspace: &Workspace, examined: &mut Examined) {
    let folder = workspace.keys();
    if !crate::repository::has_keys(&folder) {
        examined.bad(
            Severity::Fault,
            "keys",
            format!("there are none in `{}`", folder.display()),
            "run `moult keys init`, or copy the key folder from where it is kept",
        );
        return;
    }
    match Keys::open(&folder) {
        Err(error) => examined.failed(
            "keys",
            &PublishError::Sign {
                action: "the keys can't be read",
                source: Box::new(error),
            },
        ),
        Ok(_) if others_may_read(&folder) => examined.bad(
            Severity::Fault,
            "keys",
            format!("others may look into `{}`", folder.display()),
            "take their rights away: chmod 700 of the folder, 600 of its files",
        ),
        Ok(_) => examined.good("keys", "they are there, for their owner alone"),
    }
}

#[cfg(unix)]
fn others_may_read(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_folder: &Path) -> bool {
    false
}

fn expiry(repository: &Repository, now: Timestamp, examined: &mut Examined) {
    // Roles that were signed together expire together, and are one finding.
    let mut due: BTreeMap<(Timestamp, bool), Vec<&str>> = BTreeMap::new();
    let mut first: Option<(Timestamp, &str)> = None;
    for role in repository.roles() {
        let Ok(expires) = role.expires.parse::<Timestamp>() else {
            continue;
        };
        if first.is_none_or(|(time, _)| expires < time) {
            first = Some((expires, &role.name));
        }
        let days = WARNINGS
            .iter()
            .find(|(name, _)| *name == role.name)
            .map_or(WARNING_DAYS, |(_, days)| *days);
        if expires.duration_since(now) < SignedDuration::from_hours(24 * days) {
            let is_online = matches!(role.name.as_str(), "timestamp" | "snapshot");
            due.entry((expires, is_online)).or_default().push(&role.name);
        }
    }
    if let (Some((time, name)), true) = (first, due.is_empty()) {
        examined.good(
            "expiry",
            format!("nothing expires soon; first `{name}` at {time}"),
        );
    }
    for ((expires, is_online), roles) in due {
        let named = match &roles[..] {
            [one] => format!("`{one}`"),
            [first, .., last] => format!("{} roles from `{first}` to `{last}`", roles.len()),
            [] => continue,
        };
        let hint = if is_online {
            "run `moult resign`, and see why it does not run every few days by itself"
        } else {
            "run `moult resign` where the keys are"
        };
        let left = expires.duration_since(now);
        if left.is_negative() {
            let what = format!("{named}: expired at {expires}; clients install nothing of it");
            examined.bad(Severity::Fault, "expiry", what, hint);
        } else {
            let left = match left.as_hours() {
                hours @ 0..48 => format!("{hours} hours"),
                hours => format!("{} days", hours / 24),
            };
            let what = format!("{named}: expires in {left}, at {expires}");
            examined.bad(Severity::Warning, "expiry", what, hint);
        }
    }
}

fn clock(repository: &Repository, now: Timestamp, examined: &mut Examined) {
    let latest = now.saturating_add(CLOCK).unwrap_or(now);
    let signed = repository
        .roles()
        .iter()
        .find(|role| role.name == "timestamp")
        .and_then(|role| role.expires.parse::<Timestamp>().ok())
        .and_then(|expires| expires.saturating_sub(TIMESTAMP_LIFE).ok());
    let published = repository.published().filter_map(|time| time.parse().ok());
    match signed.into_iter().chain(published).max() {
        Some(time) if time > latest => examined.bad(
            Severity::Fault,
            "clock",
            format!("something was signed at {time}, and the clock of this computer says {now}"),
            "set the clock: what is signed now may have expired already",
        ),
        _ => examined.good("clock", "it is not behind what was signed"),
    }
}

fn files(read: &Repository, repository: &Path, is_deep: bool, examined: &mut Examined) {
    let missing = read.missing();
    for path in missing.iter().take(20) {
        examined.bad(
            Severity::Fault,
            "files",
            format!("`targets/{path}` is missing, or has another size than was signed"),
            "copy it from where the repository is published, or run `moult pull`",
        );
    }
    if missing.len() > 20 {
        let what = format!("and {} more", missing.len() - 20);
        examined.bad(Severity::Fault, "files", what, "run `moult pull`");
    }
    let mut damaged = 0;
    if is_deep {
        for index in read.indexes() {
            for release in &index.releases {
                if let Err(error) = full_file::recover(repository, release) {
                    damaged += 1;
                    examined.failed("files", &error);
                }
            }
            for patch in &index.patches {
                let bytes = std::fs::read(repository.join("targets").join(&patch.path));
                if !bytes.is_ok_and(|bytes| Digest::of(&bytes) == patch.digest) {
                    damaged += 1;
                    examined.bad(
                        Severity::Fault,
                        "files",
                        format!("`targets/{}` is damaged", patch.path),
                        "copy it from where the repository is published",
                    );
                }
            }
        }
    }
    if missing.is_empty() && damaged == 0 {
        let what = if is_deep {
            "every listed file is there, with its digest"
        } else {
            "every listed file is there, with its size"
        };
        examined.good("files", what);
    }
}

fn reached(workspace: &Workspace, examined: &mut Examined) {
    match store::open(workspace) {
        Ok(None) => {}
        Ok(Some(store)) => match store::standing(store.as_ref(), &workspace.repository()) {
            Ok(Standing::Same) => {
                examined.good("store", format!("{} has what is here", store.name()));
            }
            Ok(Standing::FolderAhead) => examined.bad(
                Severity::Warning,
                "store",
                format!("{} does not have yet what is here", store.name()),
                "run `moult push`",
            ),
            Ok(Standing::StoreAhead) => examined.bad(
                Severity::Warning,
                "store",
                format!("{} has what is not here", store.name()),
                "run `moult pull`",
            ),
            Ok(Standing::Parted) => examined.bad(
                Severity::Fault,
                "store",
                format!("{} and this folder have gone different ways", store.name()),
                "`moult pull --discard` drops what was signed here and never pushed",
            ),
            Err(error) => examined.failed("store", &error.into()),
        },
        Err(error) => examined.failed("store", &error.into()),
    }
    let url = &workspace.config().repository.url;
    let here = std::fs::read(workspace.repository().join("metadata/timestamp.json")).ok();
    match reach::timestamp(url) {
        Ok(Some(there)) if Some(&there) == here.as_ref() => {
            examined.good("address", format!("clients read what is here from {url}"));
        }
        Ok(Some(_)) => examined.bad(
            Severity::Warning,
            "address",
            format!("clients read something else from {url} than what is here"),
            "a cache may be a minute behind; after that, look whether the files were brought there",
        ),
        Ok(None) => examined.bad(
            Severity::Fault,
            "address",
            format!("there is no repository at {url}"),
            "look at `repository.url` and at the web server",
        ),
        Err(error) => examined.bad(
            Severity::Fault,
            "address",
            PublishError::message_of(&error),
            "look at `repository.url`, the web server and the network",
        ),
    }
}

impl fmt::Display for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let mark = match finding.severity {
                Severity::Good => "good",
                Severity::Warning => "soon",
                Severity::Fault => "BAD",
            };
            writeln!(f, "{mark:<5} {:<14} {}", finding.about, finding.what)?;
            if let Some(hint) = &finding.hint {
                writeln!(f, "{:<20} hint: {hint}", "")?;
            }
        }
        Ok(())
    }
}
