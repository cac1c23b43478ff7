//! An application for the tests of the hand-over: a page of text, saved to a file, in a real process.
//!
//! Its first argument is the data folder. What the launcher would say and what the user types comes on
//! standard input, a line each; what it would tell the launcher, and what happens, goes to standard output.
//! `SIDE_DIES` names the note at which it kills itself, and `SIDE_HANGS` the one at which it stops.
#![expect(clippy::unwrap_used, reason = "it is a test")]

mod page;

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moult_boot::WriteRight;
use moult_handover::{
    Caller, Endpoint, Giver, Handed, Last, Leaving, Limits, LocalApi, Met, New, Offer, Old, Staying,
    Successor, Taken, Taker, Thawed, Welcome,
};
use page::Page;
use serde_json::{Value, json};

/// Says something to the test.
fn say(what: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // The test may be gone.
    let _ = writeln!(out, "{what}").and_then(|()| out.flush());
}

/// Dies or hangs here, if that is what it was started for.
fn point(what: &str) {
    say(&format!("at {what}"));
    let is_here = |name: &str| std::env::var(name).is_ok_and(|here| here == what);
    if is_here("SIDE_DIES") {
        kill_self();
    }
    if is_here("SIDE_HANGS") {
        loop {
            std::thread::park();
        }
    }
}

/// As abruptly as the system can: nothing is closed, flushed or dropped by this process.
fn kill_self() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[derive(Clone)]
struct App {
    page: Arc<Mutex<Page>>,
    api: Arc<Mutex<Option<LocalApi>>>,
    successor: Arc<Mutex<Option<Successor>>>,
}

impl App {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, endpoint: Option<Endpoint>) {
        let name = self.page().name.clone();
        if let Some(endpoint) = endpoint {
            let api = LocalApi::serve(endpoint, move || json!({ "name": name })).unwrap();
            *self.api.lock().unwrap() = Some(api);
        }
    }

    fn open(&self, right: WriteRight) {
        let data = self.page().data.clone();
        self.page().open(right);
        self.serve(Some(Endpoint::open(&data).unwrap()));
    }
}

struct OldSide(App);

impl Old for OldSide {
    fn welcome(&mut self) -> Result<Welcome, String> {
        point("welcome");
        self.0.page().save();
        Ok(Welcome {
            version: "1".into(),
            ..Welcome::default()
        })
    }

    fn calm_for(&mut self) -> Option<Duration> {
        Some(Duration::MAX)
    }

    fn freeze(&mut self) -> Result<Handed, String> {
        point("freeze");
        let endpoint = self
            .0
            .api
            .lock()
            .unwrap()
            .take()
            .and_then(LocalApi::into_endpoint);
        let mut page = self.0.page();
        page.save();
        page.frozen = true;
        let handed = Handed {
            last: Last {
                snapshots: json!(page.text),
                ..Last::default()
            },
            right: page.right.take().unwrap(),
            endpoint,
        };
        drop(page);
        point("frozen");
        Ok(handed)
    }

    fn keys(&mut self, all: bool) -> Vec<Value> {
        if all {
            point("parting");
        }
        let mut page = self.0.page();
        // From here on the other window has the keyboard.
        page.parted = all;
        std::mem::take(&mut page.kept)
            .into_iter()
            .map(Value::from)
            .collect()
    }

    fn thaw(&mut self, thawed: Thawed) {
        let mut page = self.0.page();
        page.right = Some(thawed.right);
        page.frozen = false;
        page.parted = false;
        page.add(&thawed.keys);
        let kept = std::mem::take(&mut page.kept);
        page.text.push_str(&kept.concat());
        page.save();
        drop(page);
        self.0.serve(thawed.endpoint);
    }

    fn recall(&mut self) {
        say("recall");
    }

    fn leave(&mut self) {
        point("leaving");
        say("left");
        std::process::exit(0);
    }

    fn stays(&mut self, why: Staying) {
        say(&format!("stays: {why}"));
    }

    fn note(&mut self, what: &str) {
        point(what);
    }
}

struct NewSide(App);

impl New for NewSide {
    fn take(&mut self, taken: Taken) {
        point("taking");
        let mut page = self.0.page();
        match taken.last {
            Some(last) => {
                last.snapshots.as_str().unwrap().clone_into(&mut page.text);
                page.right = Some(taken.right);
                page.add(&last.keys);
                page.save();
            }
            None => page.open(taken.right),
        }
        let data = page.data.clone();
        drop(page);
        point("opened");
        let endpoint = taken.endpoint.unwrap_or_else(|| Endpoint::open(&data).unwrap());
        self.0.serve(Some(endpoint));
        say("on top");
        self.0.successor.lock().unwrap().as_ref().unwrap().raised();
    }

    fn keys(&mut self, keys: Vec<Value>) {
        let mut page = self.0.page();
        page.add(&keys);
        page.save();
    }

    fn claim(&mut self) {
        say("took over");
        point("claimed");
    }

    fn alone(&mut self) {
        let mut page = self.0.page();
        page.frozen = false;
        let kept = std::mem::take(&mut page.kept);
        page.text.push_str(&kept.concat());
        page.save();
        drop(page);
        point("alone");
        say("stands");
    }

    fn leave(&mut self, why: Leaving) {
        point("leaving");
        say(&format!("leaves: {why}"));
        std::process::exit(0);
    }

    fn note(&mut self, what: &str) {
        point(what);
    }
}

fn main() {
    let data = PathBuf::from(std::env::args_os().nth(1).unwrap());
    let name = std::env::args().nth(2).unwrap();
    let limits = Limits {
        switch: Duration::from_secs(4),
        bye: Duration::from_secs(8),
        claim: Duration::from_secs(2),
        ..Limits::default()
    };
    let app = App {
        page: Arc::new(Mutex::new(Page::new(&data, &name))),
        api: Arc::default(),
        successor: Arc::default(),
    };
    let mut giver = None;
    match Offer::from_environment() {
        None => {
            app.open(WriteRight::take(&data, Duration::from_secs(20)).unwrap().unwrap());
            say("stands");
        }
        Some(offer) => {
            point("start");
            let me = Caller {
                version: "2".into(),
                start: std::env::var("MOULT_START_TOKEN").unwrap(),
            };
            // Held in the window of the new one, until it is alone.
            app.page().frozen = true;
            match Taker::connect(&data, &offer.unwrap(), me, limits.clone()) {
                Ok(Met::Welcomed(taker, _)) => {
                    point("welcomed");
                    let mut slot = app.successor.lock().unwrap();
                    let successor = taker.run(NewSide(app.clone())).unwrap();
                    *slot = Some(successor.clone());
                    drop(slot);
                    successor.progress("built");
                    successor.ready();
                }
                Ok(Met::Alone(right)) => {
                    app.open(right);
                    app.page().frozen = false;
                    say("took over");
                    say("stands");
                }
                Err(error) => {
                    say(&format!("leaves: {error}"));
                    return;
                }
            }
        }
    }
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "offer" => {
                let started = Giver::start(&data, limits.clone(), OldSide(app.clone())).unwrap();
                say(&format!("offer {}", started.offer()));
                giver = Some(started);
            }
            "begun" => giver.as_ref().unwrap().begun(rest),
            "ended" => giver.as_ref().unwrap().ended(rest == "new"),
            "type" => {
                let what = app.page().type_key(rest);
                say(what);
            }
            _ => say("what?"),
        }
    }
}
