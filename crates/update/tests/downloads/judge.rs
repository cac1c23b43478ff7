//! What must hold, and the figures.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moult_model::ErrorCode;
use moult_update::UpdateError;
use moult_update::fetch::Fetched;
use serde_json::json;

use crate::fault::Fault;
use crate::plan::{Mirror, Plan};
use crate::server::Download;

/// What a break may cost.
const LOST: u64 = 64 * 1024;

#[derive(Default)]
pub(crate) struct Judge {
    figures: Mutex<Figures>,
}

#[derive(Default)]
struct Figures {
    failures: Vec<String>,
    /// Of each fault: how often it was done, and how often a download ended with its error.
    faults: BTreeMap<&'static str, (u64, u64)>,
    ends: BTreeMap<String, u64>,
    kills: u64,
    breaks: u64,
    file_bytes: u64,
    sent_bytes: u64,
    /// Of those that no server made waste.
    exact: u64,
    exact_breaks: u64,
    exact_file_bytes: u64,
    exact_sent_bytes: u64,
    worst: u64,
}

impl Judge {
    pub(crate) fn fail(&self, plan: &Plan, what: &str) {
        let text = format!("{}: {what}: {plan:?}", plan.seed);
        self.figures.lock().unwrap().failures.push(text);
    }

    /// How the fetcher came to an end by itself.
    pub(crate) fn end(&self, plan: &Plan, download: &Download, ended: &Result<Fetched, UpdateError>) {
        let served = download.served_last();
        {
            let mut figures = self.figures.lock().unwrap();
            let name = ended
                .as_ref()
                .err()
                .map_or("complete".to_owned(), |error| format!("{:?}", error.code()));
            *figures.ends.entry(name).or_default() += 1;
        }
        let Err(error) = ended else {
            return;
        };
        let code = error.code();
        let is_well = |mirror: &Mirror| matches!(mirror, Mirror::Server(place) if plan.scripts[*place] == (VecDeque::new(), Fault::None));
        if plan.mirrors.iter().any(is_well) {
            self.fail(
                plan,
                &format!("ended with {error:?} beside a mirror in good health, after {served:?}"),
            );
        }
        let dead = plan
            .mirrors
            .iter()
            .any(|mirror| !matches!(mirror, Mirror::Server(_)));
        let is_its_own = served.iter().any(|fault| fault.error() == Some(code));
        // Bytes from two mirrors, of which one lied, can't be told apart: the file as a whole is wrong.
        let is_mixed = code == ErrorCode::FileCorrupt && download.served().contains(&Fault::Flip);
        if !(is_its_own || is_mixed || dead && code == ErrorCode::Offline) {
            self.fail(plan, &format!("ended with {error:?} after {served:?}"));
        }
        let mut figures = self.figures.lock().unwrap();
        for fault in served.iter().filter(|fault| fault.error() == Some(code)) {
            figures.faults.entry(fault.name()).or_default().1 += 1;
        }
    }

    /// How much was sent for a file that is complete.
    pub(crate) fn bytes(&self, plan: &Plan, download: &Download, kills: u64) {
        let served = download.served();
        let sent = download.sent.load(Ordering::Relaxed);
        let size = plan.size as u64;
        let breaks = served.iter().filter(|fault| fault.breaks_off()).count() as u64;
        let is_exact = !served.iter().any(|fault| fault.is_waste());
        let twice = sent.saturating_sub(size);
        if is_exact && twice > breaks * LOST {
            self.fail(
                plan,
                &format!("{twice} bytes came twice, with {breaks} breaks: {served:?}"),
            );
        }
        let mut figures = self.figures.lock().unwrap();
        figures.kills += kills;
        figures.breaks += breaks;
        figures.file_bytes += size;
        figures.sent_bytes += sent;
        if is_exact {
            figures.exact += 1;
            figures.exact_breaks += breaks;
            figures.exact_file_bytes += size;
            figures.exact_sent_bytes += sent;
            figures.worst = figures.worst.max(twice.checked_div(breaks).unwrap_or(0));
        }
        for fault in served {
            figures.faults.entry(fault.name()).or_default().0 += 1;
        }
    }

    /// Writes the figures down, and fails if there were failures.
    pub(crate) fn report(self, count: usize, took: Duration) {
        let figures = self.figures.into_inner().unwrap();
        let faults: Vec<_> = figures
            .faults
            .iter()
            .map(|(name, (times, ended))| json!({ "what": name, "times": times, "ended": ended }))
            .collect();
        let report = json!({
            "downloads": count,
            "seconds": took.as_secs(),
            "failures": figures.failures,
            "ends": figures.ends,
            "faults": faults,
            "kills": figures.kills,
            "breaks": figures.breaks,
            "file_bytes": figures.file_bytes,
            "sent_bytes": figures.sent_bytes,
            "exact": figures.exact,
            "exact_breaks": figures.exact_breaks,
            "exact_file_bytes": figures.exact_file_bytes,
            "exact_sent_bytes": figures.exact_sent_bytes,
            "worst_twice_per_break": figures.worst,
        });
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("report.json"),
            serde_json::to_vec_pretty(&report).unwrap(),
        )
        .unwrap();
        let first: Vec<_> = figures.failures.iter().take(10).map(String::as_str).collect();
        assert!(
            figures.failures.is_empty(),
            "{} of {count} failed, of which the first are:\n{}",
            figures.failures.len(),
            first.join("\n")
        );
    }
}

/// `downloads` in the target folder.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program
        .ancestors()
        .find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    target
        .and_then(|folder| folder.parent())
        .unwrap()
        .join("downloads")
}
