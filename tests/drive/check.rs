//! Whether an installation is in order: recovery runs in the real launcher, as a process of its own, and then
//! one more update does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use moult_boot::{BundleStore, SlotName, Store};
use moult_model::{Channel, Digest, Outcome, Subject};
use moult_tests::tree;
use moult_update::Picture;
use serde_json::Value;

use crate::application::Life;
use crate::installation::Installation;
use crate::update::update;

/// Where the further release is.
const NEXT: &str = "beta";
/// The version there.
const NEXT_VERSION: &str = "1.2.0";
/// The versions that may start before.
const OLD_OR_NEW: [&str; 2] = ["1.0.0", "1.1.0"];
/// A launcher ends long before this. Only a guard.
const PATIENCE: Duration = Duration::from_mins(2);

/// Checks, and says what is wrong if something is.
pub(crate) fn check(installation: &Installation) -> anyhow::Result<()> {
    let outside = outside(installation)?;
    let started = start(installation).context("the version that is due")?;
    ensure!(
        OLD_OR_NEW.contains(&started.as_str()),
        "version {started} started, which is neither the old nor the new one"
    );
    readable(installation).context("after the recovery")?;

    let next = installation.following(NEXT.parse::<Channel>()?);
    let driven = update(&next, Life::Good);
    ensure!(
        driven.code == 0 && driven.troubles.is_empty(),
        "the next update ended with code {}: {}",
        driven.code,
        driven.troubles.join("; ")
    );
    taken_over(installation, &driven.picture).context("the next update")?;
    let started = start(installation).context("the next version")?;
    ensure!(
        started == NEXT_VERSION,
        "version {started} started after the next update"
    );
    readable(installation).context("after the next update")?;

    let after = self::outside(installation)?;
    ensure!(outside == after, "something changed outside of the data folder");
    Ok(())
}

/// All of the installation but its data.
fn outside(installation: &Installation) -> anyhow::Result<BTreeMap<String, Option<Digest>>> {
    let mut listing = tree::listing(installation.install())?;
    listing.retain(|name, _| name != "data" && !name.starts_with("data/"));
    Ok(listing)
}

/// Lets the real launcher start what is due, and says which version was the last to start.
fn start(installation: &Installation) -> anyhow::Result<String> {
    let mut child = Command::new(installation.install().join("moult"))
        .env_remove("MOULT_LAUNCHER_FD")
        .env_remove("MOULT_FAULT")
        .env("MOULT_DATA", installation.data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("the launcher could not be started")?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("the launcher did not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut words = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut words)?;
    }
    ensure!(
        status.success(),
        "the launcher ended with {status}: {}",
        words.trim()
    );
    let journal = fs::read_to_string(installation.data().join("journal")).context("nothing started")?;
    let last = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .rfind(|line| line.get("started").is_some())
        .context("nothing started")?;
    let slot: SlotName = last["slot"].as_str().context("a start without a slot")?.parse()?;
    let state = store(installation)?.state()?;
    let version = &state.slot(&slot).context("what started is not listed")?.version;
    Ok(version.to_string())
}

fn store(installation: &Installation) -> anyhow::Result<Store> {
    Ok(Store::open(&installation.data(), installation.base()?)?)
}

/// The state, what is installed, the history and the settings can be read, and all that is named is whole.
fn readable(installation: &Installation) -> anyhow::Result<()> {
    let store = store(installation)?;
    ensure!(!store.recovered(), "no copy of the state could be read");
    let state = store.state().context("the state")?;
    for slot in &state.slots {
        let intact = store
            .is_intact(&slot.name)
            .with_context(|| slot.name.to_string())?;
        ensure!(intact, "the file of slot {} is not what was installed", slot.name);
    }
    ensure!(
        state.slot(&state.current).is_some(),
        "the current slot is not listed"
    );
    let bundles = BundleStore::open(&installation.data())?;
    for (subject, slots) in bundles.all().context("the bundles")? {
        if let Some(current) = slots.current {
            let path = bundles.path(&current.digest);
            ensure!(
                digest(&path)? == current.digest,
                "the bundle of {subject} is not whole"
            );
        }
    }
    installation.settings()?;
    Ok(())
}

fn digest(path: &Path) -> anyhow::Result<Digest> {
    let mut file = fs::File::open(path).with_context(|| path.display().to_string())?;
    Ok(Digest::of_reader(&mut file)?.0)
}

/// The next version is current, and the history says so, once for each subject.
fn taken_over(installation: &Installation, picture: &Picture) -> anyhow::Result<()> {
    let state = store(installation)?.state()?;
    let current = state
        .slot(&state.current)
        .context("the current slot is not listed")?;
    ensure!(
        current.version.to_string() == NEXT_VERSION && state.trial.is_none(),
        "version {} is current, trial {:?}",
        current.version,
        state.trial
    );
    let bundles = BundleStore::open(&installation.data())?;
    let widget = bundles.subject(&Installation::widget()?)?.current;
    let widget = widget.map(|installed| installed.version.to_string());
    ensure!(
        widget.as_deref() == Some(NEXT_VERSION),
        "the widget is {widget:?}"
    );
    let (history, activities) = (&picture.history, &picture.activities);
    ensure!(
        activities.is_empty(),
        "{} updates are still on their way",
        activities.len()
    );
    for subject in [Subject::Executable, Installation::widget()?] {
        let lines = history.iter().filter(|line| {
            line.subject == subject
                && line.to.to_string() == NEXT_VERSION
                && matches!(line.outcome, Outcome::Updated | Outcome::Installed)
        });
        let lines = lines.count();
        ensure!(
            lines == 1,
            "{subject} {NEXT_VERSION} is {lines} times in the history"
        );
    }
    let mut ids: Vec<_> = history.iter().map(|line| &line.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    ensure!(ids.len() == all, "a task is in the history twice");
    Ok(())
}
