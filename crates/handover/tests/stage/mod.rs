//! The processes of one hand-over, and the launcher and the user between them.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use moult_boot::WriteRight;

/// After this a test is lost. No test passes or fails by being quick or slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// What goes wrong: who, and at which point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Dies(&'static str, &'static str),
    Hangs(&'static str, &'static str),
}

struct Side {
    child: Child,
    input: ChildStdin,
}

/// A hand-over, from the first start to the moment at which one application stands.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    fault: Option<Fault>,
    sides: BTreeMap<String, Side>,
    said: Receiver<(String, Option<String>)>,
    /// Said while the test waited for something else.
    unheard: VecDeque<(String, Option<String>)>,
    tell: Sender<(String, Option<String>)>,
    points: BTreeMap<String, Vec<String>>,
    offer: Option<String>,
    starts: u32,
    /// Whose window is on top.
    window: String,
    /// All keys.
    typed: String,
    /// Those that a window has shown, and saved.
    shown: String,
    /// Those that a window has taken, to be shown later.
    kept: String,
    recalled: bool,
    taken_over: bool,
    port: u16,
    stands: Option<String>,
}

impl Stage {
    /// Plays it until one application stands and the others have ended.
    pub(crate) fn play(fault: Option<Fault>) -> Self {
        let (tell, said) = channel();
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            fault,
            sides: BTreeMap::new(),
            said,
            unheard: VecDeque::new(),
            tell,
            points: BTreeMap::new(),
            offer: None,
            starts: 0,
            window: "old".to_owned(),
            typed: String::new(),
            shown: String::new(),
            kept: String::new(),
            recalled: false,
            taken_over: false,
            port: 0,
            stands: None,
        };
        stage.spawn("old", None);
        stage.wait_for("old", "stands");
        stage.port = stage.found().0;
        stage.type_key();
        stage.send("old", "offer");
        while !stage.is_over() {
            let (who, what) = stage.next();
            stage.heard(&who, what);
        }
        stage
    }

    fn next(&mut self) -> (String, Option<String>) {
        if let Some(unheard) = self.unheard.pop_front() {
            return unheard;
        }
        let Ok(said) = self.said.recv_timeout(PATIENCE) else {
            panic!("{:?}: it does not end: {:?}", self.fault, self.points)
        };
        said
    }

    fn is_over(&self) -> bool {
        self.sides.len() == 1
            && self
                .stands
                .as_ref()
                .is_some_and(|who| self.sides.contains_key(who))
    }

    /// What the launcher does about what it hears.
    fn heard(&mut self, who: &str, what: Option<String>) {
        let Some(what) = what else {
            return self.ended(who);
        };
        let (verb, rest) = what.split_once(' ').unwrap_or((&what, ""));
        match verb {
            "at" => {
                self.points
                    .entry(who.to_owned())
                    .or_default()
                    .push(rest.to_owned());
                // The user types all the time.
                if !matches!(rest, "said keys" | "heard keys") {
                    self.type_key();
                }
            }
            "offer" => {
                self.offer = Some(rest.to_owned());
                self.start_successor();
            }
            "recall" => {
                if !self.taken_over && !self.recalled {
                    self.recalled = true;
                    self.kill_successors();
                    if self.sides.len() == 1 {
                        self.send("old", "ended old");
                    }
                }
            }
            "took" => self.taken_over |= !self.recalled,
            "on" => who.clone_into(&mut self.window),
            "stands" => {
                who.clone_into(&mut self.window);
                self.stands = Some(who.to_owned());
                // The launcher gives the old one five seconds; one that hangs uses them up.
                if matches!(self.fault, Some(Fault::Hangs("old", _)))
                    && who != "old"
                    && let Some(old) = self.sides.get_mut("old")
                {
                    old.child.kill().unwrap();
                }
            }
            "stays:" => {
                who.clone_into(&mut self.window);
                self.stands = Some(who.to_owned());
            }
            "left" | "leaves:" => {}
            _ => panic!("{who} says {what}"),
        }
    }

    fn ended(&mut self, who: &str) {
        if let Some(mut side) = self.sides.remove(who) {
            side.child.wait().unwrap();
        }
        if who.starts_with("new") && self.sides.contains_key("old") {
            if self.recalled {
                self.send("old", "ended old");
            } else if !self.taken_over && self.starts < 2 {
                self.start_successor();
            } else {
                self.recalled = true;
                self.send("old", "ended old");
            }
        } else if self.sides.is_empty() {
            // What is due is started; here it is another one like the first.
            self.spawn("old-again", None);
        }
    }

    fn start_successor(&mut self) {
        self.starts += 1;
        let name = format!("new-{}", self.starts);
        let offer = self.offer.clone();
        self.spawn(&name, offer);
        self.send("old", &format!("begun {name}"));
    }

    fn kill_successors(&mut self) {
        for (name, side) in &mut self.sides {
            if name.starts_with("new") {
                side.child.kill().unwrap();
            }
        }
    }

    fn spawn(&mut self, name: &str, offer: Option<String>) {
        let mut command = Command::new(side());
        command
            .arg(self.folder.path())
            .arg(name)
            .env_remove("MOULT_HAND_OVER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(offer) = offer {
            command
                .env("MOULT_HAND_OVER", offer)
                .env("MOULT_START_TOKEN", name);
        }
        match self.fault {
            Some(Fault::Dies(who, point)) if who == name => drop(command.env("SIDE_DIES", point)),
            Some(Fault::Hangs(who, point)) if who == name => drop(command.env("SIDE_HANGS", point)),
            _ => {}
        }
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let input = child.stdin.take().unwrap();
        let (tell, who) = (self.tell.clone(), name.to_owned());
        std::thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { break };
                let _ = tell.send((who.clone(), Some(line)));
            }
            let _ = tell.send((who, None));
        });
        self.sides.insert(name.to_owned(), Side { child, input });
    }

    /// Says something to a process; one that has died does not hear it.
    fn send(&mut self, who: &str, what: &str) {
        if let Some(side) = self.sides.get_mut(who) {
            let _ = writeln!(side.input, "{what}");
        }
    }

    fn wait_for(&mut self, who: &str, what: &str) {
        loop {
            let (from, said) = self.next();
            if from == who && said.as_deref() == Some(what) {
                return;
            }
            self.heard(&from, said);
        }
    }

    /// The user types the next letter where the window is, and sees what becomes of it.
    fn type_key(&mut self) {
        let window = self.window.clone();
        let ended = self.unheard.contains(&(window.clone(), None));
        if ended || !self.sides.contains_key(&window) {
            return;
        }
        // Each key but once, so that one too many is seen.
        let key = char::from(b'A' + u8::try_from(self.typed.len()).unwrap());
        assert!(key <= 'z', "{:?}: more keys than letters", self.fault);
        self.typed.push(key);
        self.send(&window, &format!("type {key}"));
        loop {
            let Ok((from, what)) = self.said.recv_timeout(PATIENCE) else {
                panic!("{:?}: no answer to a key: {:?}", self.fault, self.points)
            };
            match what.as_deref() {
                Some("shown") if from == window => return self.shown.push(key),
                Some("kept") if from == window => return self.kept.push(key),
                Some("elsewhere") if from == window => return,
                // It may have saved the key before it died.
                None if from == window => return self.unheard.push_back((from, what)),
                _ => self.unheard.push_back((from, what)),
            }
        }
    }

    fn found(&self) -> (u16, String) {
        let bytes = fs::read(self.folder.path().join("run/api.json")).unwrap();
        let found: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        (
            u16::try_from(found["port"].as_u64().unwrap()).unwrap(),
            found["token"].as_str().unwrap().to_owned(),
        )
    }

    /// Who answers at the local interface.
    fn status(&self) -> String {
        let (port, token) = self.found();
        assert_eq!(port, self.port, "{:?}: another port", self.fault);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!(
            "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.rsplit("\r\n").next().unwrap().to_owned()
    }

    /// What a process said that it was at.
    pub(crate) fn points(&self, who: &str) -> Vec<&str> {
        let points = self.points.get(who).map(Vec::as_slice).unwrap_or_default();
        let keys = ["said keys", "heard keys"];
        points
            .iter()
            .map(String::as_str)
            .filter(|point| !keys.contains(point))
            .collect()
    }

    /// Whether it ended as it must, with one of these.
    pub(crate) fn judge(mut self, survivors: &[&str]) {
        let fault = self.fault;
        let stands = self.stands.clone().unwrap();
        assert!(survivors.contains(&stands.as_str()), "{fault:?}: {stands} stands");

        // It takes keys, and what it shows is saved.
        self.window.clone_from(&stands);
        self.send(&stands, "type !");
        self.wait_for(&stands, "shown");
        let text = fs::read_to_string(self.folder.path().join("text")).unwrap();
        assert!(text.ends_with('!'), "{fault:?}: {text}");

        // Only the one that stands may write, and it answers at the port of the first.
        let right = WriteRight::take(self.folder.path(), Duration::ZERO).unwrap();
        assert!(right.is_none(), "{fault:?}: nobody has the right");
        assert_eq!(self.status(), format!("{{\"name\":\"{stands}\"}}"), "{fault:?}");

        // One right, one writer; and each writer goes on from where the one before was.
        let journal = fs::read_to_string(self.folder.path().join("journal")).unwrap();
        let mut saved = (0, "", "");
        for line in journal.lines() {
            let mut words = line.splitn(3, ' ');
            let generation: u64 = words.next().unwrap().parse().unwrap();
            let name = words.next().unwrap();
            let text = words.next().unwrap_or_default();
            assert!(generation >= saved.0, "{fault:?}: {journal}");
            assert!(generation > saved.0 || name == saved.1, "{fault:?}: {journal}");
            assert!(
                text.starts_with(saved.2),
                "{fault:?}: a saved key is lost\n{journal}"
            );
            saved = (generation, name, text);
        }
        // Each key once and in order, and all that were ever shown; without a fault all that were taken.
        let letters: String = text.trim_end_matches('!').to_owned();
        assert!(
            is_part(&letters, &self.typed),
            "{fault:?}: {letters} of {}",
            self.typed
        );
        let here = |key: char| letters.contains(key);
        assert!(
            self.shown.chars().all(here),
            "{fault:?}: {letters} lacks some of {}",
            self.shown
        );
        assert!(
            fault.is_some() || self.kept.chars().all(here),
            "{letters} lacks some of {}",
            self.kept
        );
        let left: Vec<_> = fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sock"))
            .collect();
        let crashed = matches!(fault, Some(Fault::Dies("old", _) | Fault::Hangs("old", _)));
        assert!(left.is_empty() || crashed, "{fault:?}: {left:?}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for side in self.sides.values_mut() {
            let _ = side.child.kill();
            let _ = side.child.wait();
        }
    }
}

/// Whether all of `part` is in `whole`, in this order.
fn is_part(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|letter| whole.any(|other| other == letter))
}

/// The example, beside this test's own executable.
fn side() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().parent().unwrap().join("examples/side")
}
