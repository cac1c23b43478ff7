//! The week itself: a queue of one event for each computer, second by second.

use std::collections::BTreeMap;

use moult_model::{Channel, Stage, StagePolicy, Stages};
use moult_update::between_checks;
use moult_update::plan::{Base, Edge, Ways};
use moult_update::schedule;
use moult_update::select::{Data, Situation, moment, select};

use super::clients::{AHEAD, Client, NEVER, NOTHING};
use super::figures::{Figures, Watch};
use super::load::Load;
use super::script::{Era, HOUR, OUTAGE, VERSIONS, WEEK, clock, digest, eras};

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) clients: u32,
    pub(crate) seed: u64,
    /// Whether each check asks `select`, also where nothing can have changed since the last one. The result is the same.
    pub(crate) asks_always: bool,
}

/// A check that finds nothing: the next root, which is not there, and the timestamp.
const REQUESTS: u32 = 2;
/// Bytes of their bodies, as `moult serve` answers them.
const BYTES: u64 = 369;
/// What a publication adds: snapshot, the roles `app` and `rollout`, and the index, whose size is that of the era.
const MORE_REQUESTS: u32 = 4;
const MORE_BYTES: u64 = 2_900;
/// Seconds between two checks, and how much they vary, as the application has it.
const EVERY: u32 = 300;
const JITTER: u8 = 10;
/// One of so many downloads breaks off.
const BREAKS: u32 = 200;

/// Of what there is one in the queue for each computer: what it does next. A download that is complete takes over.
struct Week {
    clients: Vec<Client>,
    /// For each second the first computer of it, and for each computer the next of the same second.
    first: Vec<u32>,
    next: Vec<u32>,
    eras: Vec<Era>,
    bases: Vec<Base>,
    plans: BTreeMap<(u8, u8, u8), u64>,
    channel: Channel,
    load: Load,
    options: Options,
    stages: Stages,
    watch: Watch,
}

/// Lets the week pass.
pub(crate) fn simulate(options: Options) -> Figures {
    let mut week = Week::new(options);
    let mut era = 0;
    for second in 0..WEEK {
        let ends = week.eras.get(era + 1).map_or(WEEK, |next| next.from);
        // Clocks that are ahead belong to the next wave already.
        if second + AHEAD == ends {
            week.watch.count_wave(&week.clients, &week.eras[era], era as u8);
        }
        if second == ends {
            era += 1;
            week.watch.era_begins(second);
        }
        if second % HOUR == 0 {
            week.watch.hour();
        }
        let mut number = std::mem::replace(&mut week.first[second as usize], NEVER);
        while number != NEVER {
            let following = week.next[number as usize];
            week.happen(number, second, era);
            number = following;
        }
    }
    Figures::of(week.watch, week.load, &week.clients, options)
}

impl Week {
    fn new(options: Options) -> Self {
        let clients: Vec<Client> = (0..options.clients)
            .map(|number| Client::new(options.seed, number))
            .collect();
        let bases = (0..VERSIONS.len())
            .filter_map(|at| {
                Some(Base {
                    version: VERSIONS[at].parse().ok()?,
                    digest: digest(at as u8),
                })
            })
            .collect();
        let mut week = Self {
            first: vec![NEVER; WEEK as usize],
            next: vec![NEVER; clients.len()],
            watch: Watch::new(clients.len()),
            clients,
            eras: eras(),
            bases,
            plans: BTreeMap::new(),
            channel: Channel::stable(),
            load: Load::new(),
            options,
            stages: Stages::default(),
        };
        // Who is on when the week begins is somewhere between two checks.
        for number in 0..options.clients {
            let client = &mut week.clients[number as usize];
            let (on, until) = client.next_on(0);
            client.until = until;
            client.publications = week.eras[0].publications;
            if on == 0 {
                client.version = 1;
            }
            let wait = client.below(EVERY);
            week.put(number, on.saturating_add(wait));
        }
        week.watch.begin(&week.clients);
        week
    }

    fn put(&mut self, number: u32, at: u32) {
        if let Some(first) = self.first.get_mut(at as usize) {
            self.next[number as usize] = std::mem::replace(first, number);
        }
    }

    /// What a computer has planned for this second.
    fn happen(&mut self, number: u32, second: u32, era: usize) {
        let client = &mut self.clients[number as usize];
        if second >= client.until {
            // It was off meanwhile. Started anew it checks at once. One that was asleep goes on with what was left of the wait,
            // but notices within a minute that it slept, and checks 2 to 30 s after that.
            let left = second - client.until;
            let (on, until) = client.next_on(second);
            client.until = until;
            let wait = if client.starts {
                client.below(5)
            } else {
                left.min(2 + client.below(60) + client.below(29))
            };
            let at = on.saturating_add(wait);
            // What it knew may be old by then.
            client.era = NOTHING;
            if at > second {
                self.put(number, at);
                return;
            }
        }
        if self.clients[number as usize].pending != NOTHING {
            self.take_over(number, second, era);
        }
        self.check(number, second, era);
    }

    /// What was downloaded takes over. Who was off meanwhile looks first whether it is still wanted.
    fn take_over(&mut self, number: u32, second: u32, era: usize) {
        let was_off = self.clients[number as usize].era == NOTHING && !OUTAGE.contains(&second);
        let wanted = if was_off {
            self.wanted(number, second, era)
        } else {
            None
        };
        let client = &mut self.clients[number as usize];
        let pending = std::mem::replace(&mut client.pending, NOTHING);
        if !was_off || wanted == Some(pending) {
            self.watch.install(client.version, pending, second);
            client.before = std::mem::replace(&mut client.version, pending);
        }
        client.era = NOTHING;
    }

    /// A check, with what follows from it.
    fn check(&mut self, number: u32, second: u32, era: usize) {
        let mut at = second;
        let mut has_answer = false;
        for failed in 1..=self.stages.detect.tries {
            if !OUTAGE.contains(&at) {
                has_answer = true;
                break;
            }
            self.load.request(at, 1, 0);
            let random = self.clients[number as usize].random();
            at += pause_seconds(self.stages.of(Stage::Detect), failed, random);
        }
        let client = &mut self.clients[number as usize];
        if !has_answer {
            client.failures = client.failures.saturating_add(1);
            self.wait(number, at);
            return;
        }
        client.failures = 0;
        let found = &self.eras[era];
        if client.publications == found.publications {
            self.load.request(at, REQUESTS, BYTES);
        } else {
            client.publications = found.publications;
            let bytes = BYTES + MORE_BYTES + u64::from(found.index_bytes);
            self.load.request(at, REQUESTS + MORE_REQUESTS, bytes);
        }
        let is_asked = self.options.asks_always || client.skew != 0 || client.era != era as u8;
        let wanted = if is_asked {
            self.wanted(number, second, era)
        } else {
            None
        };
        match wanted {
            Some(to) => self.fetch(number, to, at, era),
            None => self.wait(number, at),
        }
    }

    /// What a computer wants: the real selection.
    fn wanted(&mut self, number: u32, second: u32, era: usize) -> Option<u8> {
        let client = &mut self.clients[number as usize];
        client.era = era as u8;
        self.watch.reach(number, era as u8);
        let era = &self.eras[era];
        let now = clock(i64::from(second) + i64::from(client.skew));
        let situation = Situation {
            channel: &self.channel,
            channel_changed: false,
            pin: None,
            running: self.bases.get(usize::from(client.version)),
            host_api: 1,
            refused: &(),
            install: Some(client.id()),
            now: moment(now, &era.index),
            orders: &era.standing,
            data: Data::default(),
        };
        let (place, _) = select(&era.index, &situation);
        let wanted = &era.index.releases[place?].digest;
        let of = |version: &u8| digest(*version) == *wanted;
        (0..VERSIONS.len() as u8).find(of)
    }

    /// Downloads what is wanted, over the cheapest way, and lets it take over when nobody types.
    fn fetch(&mut self, number: u32, to: u8, at: u32, era: usize) {
        let client = &self.clients[number as usize];
        let (from, rate) = (client.version, client.rate);
        // What ran before is still on the disk.
        let is_kept = client.before == to;
        let whole = if is_kept { 0 } else { self.bytes(from, to, era) };
        let client = &mut self.clients[number as usize];
        // What broke off goes on from where it stood: in the middle.
        let bytes = if client.tries > 0 { whole / 2 } else { whole };
        let seconds = (bytes / u64::from(rate)) as u32 + 1;
        if !is_kept && client.below(BREAKS) == 0 {
            self.load.download(at, seconds / 2, bytes / 2);
            client.tries += 1;
            client.era = NOTHING;
            let (failed, random) = (u32::from(client.tries), client.random());
            let at = at + seconds / 2;
            if failed < self.stages.download.tries {
                let policy = self.stages.of(Stage::Download);
                self.put(number, at + pause_seconds(policy, failed, random));
            } else {
                client.tries = 0;
                self.wait(number, at);
            }
            return;
        }
        if !is_kept {
            self.load.download(at, seconds, bytes);
        }
        client.tries = 0;
        client.pending = to;
        let quiet = 20 + client.below(280);
        self.put(number, at + seconds + quiet);
    }

    fn bytes(&mut self, from: u8, to: u8, era: usize) -> u64 {
        let (index, base) = (&self.eras[era].index, &self.bases[usize::from(from)]);
        *self.plans.entry((from, to, era as u8)).or_insert_with(|| {
            let Some(release) = index.release_of(&digest(to)) else {
                return 0;
            };
            let ways = Ways::to(release, index, Some(base), &[1, 2]);
            let plan = ways.cheapest(Some(&base.digest), &std::collections::BTreeSet::new());
            plan.iter().flatten().map(Edge::bytes).sum()
        })
    }

    /// Waits for the next check.
    fn wait(&mut self, number: u32, at: u32) {
        let client = &mut self.clients[number as usize];
        let (failures, random) = (u32::from(client.failures), client.random());
        let pause = between_checks(EVERY, JITTER, failures, random);
        let seconds = (pause.as_millis() as u32 + 500) / 1_000;
        self.put(number, at + seconds);
    }
}

fn pause_seconds(policy: StagePolicy, failed: u32, random: u32) -> u32 {
    let pause = schedule::pause(policy, failed, random).as_millis();
    (pause as u32).div_ceil(1_000)
}
