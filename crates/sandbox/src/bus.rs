//! Events and requests between widgets: what may still be handed to whom, and which requests wait for an answer. Pure:
//! the time is told, and nothing is delivered here.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use crate::ears::{Ear, Side};
use crate::rate::Bucket;

/// A request without an answer is over after this long.
pub const ANSWER: Duration = Duration::from_secs(5);
/// Requests that wait for one who answers.
const OPEN: usize = 64;
/// Events that wait for one logic.
const BACKLOG: usize = 64;
/// Events for one page: so many at once, and so many a second on average.
const PAGE: (f64, f64) = (2_000.0, 1_000.0);

/// Names a request until it is over.
pub type RequestNumber = u64;

/// Who is asked has as many requests as it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{OPEN} requests wait for it already")]
pub struct Busy;

/// Requests that wait, and how much each has been handed.
#[derive(Debug, Default)]
pub struct Bus {
    last: RequestNumber,
    open: BTreeMap<RequestNumber, Open>,
    backlog: HashMap<String, usize>,
    pages: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Open {
    asked: Ear,
    until: Instant,
}

impl Bus {
    /// Whether one more event may be handed to an ear: one that does not keep up misses events, and holds nobody up.
    /// For logic, [`handled`](Self::handled) is to be called when it is through with it.
    pub fn admits(&mut self, ear: &Ear, now: Instant) -> bool {
        match ear.side {
            Side::Page => self
                .pages
                .entry(ear.load.clone())
                .or_insert_with(|| Bucket::new(PAGE.0, PAGE.1, now))
                .take(now),
            Side::Logic => {
                let waiting = self.backlog.entry(ear.load.clone()).or_default();
                let admits = *waiting < BACKLOG;
                if admits {
                    *waiting += 1;
                }
                admits
            }
        }
    }

    /// Logic is through with an event.
    pub fn handled(&mut self, load: &str) {
        if let Some(waiting) = self.backlog.get_mut(load) {
            *waiting = waiting.saturating_sub(1);
        }
    }

    /// Begins a request to one who answers.
    pub fn ask(&mut self, asked: Ear, now: Instant) -> Result<RequestNumber, Busy> {
        if self.open.values().filter(|open| open.asked == asked).count() >= OPEN {
            return Err(Busy);
        }
        self.last += 1;
        let until = now + ANSWER;
        self.open.insert(self.last, Open { asked, until });
        Ok(self.last)
    }

    /// Who was asked, while the answer is waited for.
    #[must_use]
    pub fn asked(&self, number: RequestNumber) -> Option<&Ear> {
        self.open.get(&number).map(|open| &open.asked)
    }

    /// Whether this answer counts: the first one, from who was asked, in time.
    pub fn answer(&mut self, number: RequestNumber, by: &Ear, now: Instant) -> bool {
        let counts = self
            .open
            .get(&number)
            .is_some_and(|open| open.asked == *by && now <= open.until);
        counts && self.open.remove(&number).is_some()
    }

    /// Nobody waits for an answer any more.
    pub fn give_up(&mut self, number: RequestNumber) {
        self.open.remove(&number);
    }

    /// A load is gone. The requests that waited for it are over: these.
    pub fn close(&mut self, load: &str) -> Vec<RequestNumber> {
        self.backlog.remove(load);
        self.pages.remove(load);
        let of_it = |(number, open): (&RequestNumber, &Open)| (open.asked.load == load).then_some(*number);
        let over: Vec<_> = self.open.iter().filter_map(of_it).collect();
        for number in &over {
            self.open.remove(number);
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_answer_of_who_was_asked_counts_and_only_in_time() {
        let (asked, other) = (Ear::new("one", Side::Page), Ear::new("one", Side::Logic));
        let begin = Instant::now();
        let cases = [
            ("who was asked", &asked, 0, true),
            ("at the last moment", &asked, 5_000, true),
            ("too late", &asked, 5_001, false),
            ("another", &other, 0, false),
        ];
        for (what, by, after, counts) in cases {
            let mut bus = Bus::default();
            let number = bus.ask(asked.clone(), begin).unwrap_or_default();
            let now = begin + Duration::from_millis(after);
            assert_eq!(bus.answer(number, by, now), counts, "{what}");
            assert!(!bus.answer(number + 1, by, now), "{what}: no such request");
            if counts {
                assert!(!bus.answer(number, by, now), "{what}: a second time");
            }
        }
    }

    #[test]
    fn requests_to_one_that_is_gone_are_over() {
        let (mut bus, now) = (Bus::default(), Instant::now());
        let one = bus.ask(Ear::new("one", Side::Page), now).unwrap_or_default();
        let two = bus.ask(Ear::new("two", Side::Page), now).unwrap_or_default();
        assert_eq!(bus.close("one"), [one]);
        assert!(!bus.answer(one, &Ear::new("one", Side::Page), now));
        assert!(bus.answer(two, &Ear::new("two", Side::Page), now));
    }

    #[test]
    fn who_does_not_answer_is_not_asked_for_ever() {
        let (mut bus, now) = (Bus::default(), Instant::now());
        let asked = Ear::new("one", Side::Page);
        let numbers: Vec<_> = (0..OPEN)
            .filter_map(|_| bus.ask(asked.clone(), now).ok())
            .collect();
        assert_eq!(numbers.len(), OPEN);
        assert_eq!(bus.ask(asked.clone(), now), Err(Busy));
        assert!(bus.ask(Ear::new("two", Side::Page), now).is_ok());
        bus.give_up(numbers[0]);
        assert!(bus.ask(asked, now).is_ok());
    }

    #[test]
    fn one_that_does_not_keep_up_misses_events_and_no_other_does() {
        let (mut bus, begin) = (Bus::default(), Instant::now());
        let (slow, other, page) = (
            Ear::new("one", Side::Logic),
            Ear::new("two", Side::Logic),
            Ear::new("one", Side::Page),
        );
        let admitted = |bus: &mut Bus, ear: &Ear, at| (0..3_000).filter(|_| bus.admits(ear, at)).count();
        assert_eq!(admitted(&mut bus, &slow, begin), BACKLOG);
        assert!(bus.admits(&other, begin));
        bus.handled("one");
        assert_eq!(admitted(&mut bus, &slow, begin), 1);
        assert_eq!(admitted(&mut bus, &page, begin), 2_000);
        assert_eq!(admitted(&mut bus, &page, begin + Duration::from_millis(500)), 500);
    }
}
