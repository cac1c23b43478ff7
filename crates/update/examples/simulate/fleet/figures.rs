//! What is seen of the week.

use super::clients::{Client, NOTHING};
use super::load::{Load, mean, peak};
use super::script::{BAD, Era, GOOD, HOLD_AT, HOUR, OUTAGE, RECALL_AT, VERSIONS, WEEK, waves};
use super::week::Options;

/// What is noted while the week passes.
pub(crate) struct Watch {
    /// How many have each version.
    count: [u32; VERSIONS.len()],
    hourly: Vec<[u32; VERSIONS.len()]>,
    /// The era of each computer's last look at what is published.
    looked: Vec<u8>,
    waves: Vec<WaveFigure>,
    /// Installations of the bad release from its hold on, and when the last one was.
    after_hold: (u32, u32),
    had_at_hold: u32,
    had_when_recalled: u32,
    /// When so many of those who had it were away from it.
    away: [Option<u32>; 3],
}

/// A wave, and who got it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WaveFigure {
    pub(crate) version: &'static str,
    pub(crate) from: u32,
    /// In ten-thousandths.
    pub(crate) asked: u16,
    /// Computers that looked since it began.
    pub(crate) looked: u32,
    /// Those of them that got it.
    pub(crate) got: u32,
}

impl WaveFigure {
    /// What was reached, in percent.
    pub(crate) fn percent(&self) -> f64 {
        100.0 * f64::from(self.got) / f64::from(self.looked.max(1))
    }

    /// How far that is from what was asked, in percentage points.
    pub(crate) fn off(&self) -> f64 {
        self.percent() - f64::from(self.asked) / 100.0
    }

    /// One standard error of a share of so many computers, in percentage points.
    pub(crate) fn standard_error(&self) -> f64 {
        let share = f64::from(self.asked) / 10_000.0;
        100.0 * (share * (1.0 - share) / f64::from(self.looked.max(1))).sqrt()
    }
}

/// How a release spreads: hours after its last wave until so many have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reach {
    pub(crate) version: &'static str,
    /// How many have it at the end of each hour of the week, in percent.
    pub(crate) hourly: Vec<f64>,
}

/// The hold and the recall.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recall {
    pub(crate) had_at_hold: u32,
    pub(crate) installed_after_hold: u32,
    /// Seconds from the hold to the last installation.
    pub(crate) last_after: u32,
    pub(crate) had_when_recalled: u32,
    /// Seconds from the recall until a half, nine of ten and 99 of a hundred were away from it.
    pub(crate) away: [Option<u32>; 3],
    pub(crate) left_at_end: u32,
}

/// The hour without answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outage {
    /// Requests a second in the hour before: mean and peak.
    pub(crate) before: (f64, u32),
    pub(crate) during: (f64, u32),
    /// In the first 10 minutes after, and in the hour after.
    pub(crate) after: (f64, u32),
    pub(crate) hour_after: (f64, u32),
    /// The highest second of the whole week but for these hours.
    pub(crate) usual_peak: u32,
}

/// All figures.
#[derive(Clone, PartialEq)]
pub(crate) struct Figures {
    pub(crate) clients: u32,
    pub(crate) seed: u64,
    pub(crate) load: Load,
    pub(crate) waves: Vec<WaveFigure>,
    pub(crate) spread: Vec<Reach>,
    pub(crate) recall: Recall,
    pub(crate) outage: Outage,
    /// How many have each version at the end.
    pub(crate) end: Vec<(&'static str, u32)>,
}

impl Watch {
    pub(crate) fn new(clients: usize) -> Self {
        Self {
            count: [0; VERSIONS.len()],
            hourly: Vec::new(),
            looked: vec![NOTHING; clients],
            waves: Vec::new(),
            after_hold: (0, 0),
            had_at_hold: 0,
            had_when_recalled: 0,
            away: [None; 3],
        }
    }

    pub(crate) fn begin(&mut self, clients: &[Client]) {
        for client in clients {
            self.count[usize::from(client.version)] += 1;
        }
    }

    pub(crate) fn hour(&mut self) {
        self.hourly.push(self.count);
    }

    pub(crate) fn reach(&mut self, number: u32, era: u8) {
        self.looked[number as usize] = era;
    }

    pub(crate) fn install(&mut self, from: u8, to: u8, second: u32) {
        self.count[usize::from(from)] -= 1;
        self.count[usize::from(to)] += 1;
        if to == BAD && second >= HOLD_AT {
            self.after_hold = (self.after_hold.0 + 1, second - HOLD_AT);
        }
        let left = self.count[usize::from(BAD)];
        if from == BAD && second >= RECALL_AT {
            for (place, part) in [(0, 2), (1, 10), (2, 100)] {
                if left * part <= self.had_when_recalled && self.away[place].is_none() {
                    self.away[place] = Some(second - RECALL_AT);
                }
            }
        }
    }

    /// Something new is published, ordered, or begins.
    pub(crate) fn era_begins(&mut self, second: u32) {
        if second == HOLD_AT {
            self.had_at_hold = self.count[usize::from(BAD)];
        }
        if second == RECALL_AT {
            self.had_when_recalled = self.count[usize::from(BAD)];
        }
    }

    /// Counts who got the release whose wave is about to end, of those who looked while it lasted.
    pub(crate) fn count_wave(&mut self, clients: &[Client], of: &Era, era: u8) {
        for version in 0..VERSIONS.len() as u8 {
            let Some((from, asked)) = waves(version).iter().find(|(from, _)| *from == of.from) else {
                continue;
            };
            // Held by then: it is not the wave that is measured.
            if version == BAD && of.from >= HOLD_AT {
                continue;
            }
            let looked = |at: &usize| self.looked[*at] == era;
            let got = |at: &usize| clients[*at].version == version || clients[*at].pending == version;
            self.waves.push(WaveFigure {
                version: VERSIONS[usize::from(version)],
                from: *from,
                asked: *asked,
                looked: (0..clients.len()).filter(looked).count() as u32,
                got: (0..clients.len()).filter(looked).filter(got).count() as u32,
            });
        }
    }
}

impl Figures {
    pub(crate) fn of(watch: Watch, load: Load, clients: &[Client], options: Options) -> Self {
        let hours = |from: u32, to: u32| &load.requests[from as usize..to as usize];
        let both = |seconds: &[u32]| (mean(seconds), peak(seconds));
        let (begins, ends) = (OUTAGE.start, OUTAGE.end);
        let outage = Outage {
            before: both(hours(begins - HOUR, begins)),
            during: both(hours(begins, ends)),
            after: both(hours(ends, ends + HOUR / 6)),
            hour_after: both(hours(ends, ends + HOUR)),
            usual_peak: peak(hours(0, begins)).max(peak(hours(ends + 2 * HOUR, WEEK))),
        };
        let all = f64::from(options.clients) / 100.0;
        let spread = (GOOD..VERSIONS.len() as u8).map(|version| Reach {
            version: VERSIONS[usize::from(version)],
            hourly: watch
                .hourly
                .iter()
                .map(|count| f64::from(count[usize::from(version)]) / all)
                .collect(),
        });
        let end = VERSIONS
            .iter()
            .zip(watch.count)
            .map(|(version, count)| (*version, count));
        let left = clients.iter().filter(|client| client.version == BAD).count();
        Self {
            clients: options.clients,
            seed: options.seed,
            spread: spread.collect(),
            recall: Recall {
                had_at_hold: watch.had_at_hold,
                installed_after_hold: watch.after_hold.0,
                last_after: watch.after_hold.1,
                had_when_recalled: watch.had_when_recalled,
                away: watch.away,
                left_at_end: left as u32,
            },
            end: end.collect(),
            waves: watch.waves,
            outage,
            load,
        }
    }
}
