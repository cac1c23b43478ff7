//! Which mirror is asked next. Pure: it is told what each try came to, and how long each host wants to be
//! left alone. It refuses to know addresses and times.

use std::time::Duration;

/// Where the mirrors of one request stand.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    mirrors: Vec<Standing>,
    /// The one that was good last.
    first: usize,
    /// How often each is tried.
    tries: u32,
}

/// Where one mirror stands.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    failed: u32,
    is_out: bool,
    /// It was left since it was slow: bytes per second.
    slow: Option<u64>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// Ask this one.
    Take {
        /// Its place.
        place: usize,
        /// How often it has failed before: then there is a pause first.
        failed: u32,
        /// Whether there is another to go to if it is slow.
        hurry: bool,
    },
    /// All want to be left alone; the first of them for so long.
    Wait(Duration),
    /// None is left.
    Nothing,
}

impl Choice {
    /// So many mirrors, of which `first` was good last, each to be tried `tries` times.
    pub(super) fn new(count: usize, first: usize, tries: u32) -> Self {
        Self {
            mirrors: vec![Standing::default(); count],
            first,
            tries: tries.max(1),
        }
    }

    /// A try failed, and another may not.
    pub(super) fn failed(&mut self, place: usize) {
        if let Some(mirror) = self.mirrors.get_mut(place) {
            mirror.failed += 1;
        }
    }

    /// This one is not asked any more.
    pub(super) fn leave(&mut self, place: usize) {
        if let Some(mirror) = self.mirrors.get_mut(place) {
            mirror.is_out = true;
        }
    }

    /// This one sent so many bytes per second, and others may do better.
    pub(super) fn was_slow(&mut self, place: usize, per_second: u64) {
        if let Some(mirror) = self.mirrors.get_mut(place) {
            mirror.slow = Some(per_second);
        }
    }

    /// Chooses. `wait` says for how long a mirror's host is to be left alone.
    pub(super) fn pick(&self, wait: impl Fn(usize) -> Duration) -> Pick {
        let count = self.mirrors.len();
        let open: Vec<usize> = (0..count)
            .map(|step| (self.first + step) % count)
            .filter(|place| !self.mirrors[*place].is_out && self.mirrors[*place].failed < self.tries)
            .collect();
        let is_quick = |place: &&usize| self.mirrors[**place].slow.is_none();
        let is_free = |place: &&usize| wait(**place).is_zero();
        let least = open
            .iter()
            .filter(|place| is_quick(place) && is_free(place))
            .min_by_key(|place| self.mirrors[**place].failed);
        if let Some(place) = least {
            return Pick::Take {
                place: *place,
                failed: self.mirrors[*place].failed,
                hurry: open.iter().any(|other| other != place && is_quick(&other)),
            };
        }
        // All that could be asked are slow: then it is the line, and the best of them has all the time.
        let best = open
            .iter()
            .filter(is_free)
            .max_by_key(|place| self.mirrors[**place].slow);
        if let Some(place) = best {
            return Pick::Take {
                place: *place,
                failed: self.mirrors[*place].failed,
                hurry: false,
            };
        }
        match open.into_iter().map(wait).min() {
            Some(wait) => Pick::Wait(wait),
            None => Pick::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(place: usize, failed: u32, hurry: bool) -> Pick {
        Pick::Take { place, failed, hurry }
    }

    fn free(_: usize) -> Duration {
        Duration::ZERO
    }

    #[test]
    fn each_is_tried_in_turn_three_times_and_no_more() {
        let mut choice = Choice::new(2, 1, 3);
        for (place, failed, hurry) in [
            (1, 0, true),
            (0, 0, true),
            (1, 1, true),
            (0, 1, true),
            (1, 2, true),
            (0, 2, false),
        ] {
            assert_eq!(choice.pick(free), take(place, failed, hurry));
            choice.failed(place);
        }
        assert_eq!(choice.pick(free), Pick::Nothing);
    }

    #[test]
    fn who_is_out_is_not_asked_again() {
        let mut choice = Choice::new(3, 0, 3);
        choice.leave(0);
        assert_eq!(choice.pick(free), take(1, 0, true));
        choice.leave(1);
        assert_eq!(choice.pick(free), take(2, 0, false));
        choice.leave(2);
        assert_eq!(choice.pick(free), Pick::Nothing);
    }

    #[test]
    fn a_slow_one_is_left_once_and_the_best_of_the_slow_ones_is_kept() {
        let mut choice = Choice::new(3, 0, 3);
        choice.was_slow(0, 100);
        assert_eq!(choice.pick(free), take(1, 0, true));
        choice.was_slow(1, 300);
        assert_eq!(
            choice.pick(free),
            take(2, 0, false),
            "the last that is left has time"
        );
        choice.leave(2);
        assert_eq!(choice.pick(free), take(1, 0, false));
        choice.leave(1);
        assert_eq!(choice.pick(free), take(0, 0, false));
    }

    #[test]
    fn who_wants_to_be_left_alone_is_until_all_do() {
        let mut choice = Choice::new(2, 0, 3);
        let second_rests = |place| Duration::from_secs(if place == 1 { 7 } else { 0 });
        choice.failed(0);
        assert_eq!(choice.pick(second_rests), take(0, 1, true));
        assert_eq!(
            choice.pick(|place| Duration::from_secs(9 - place as u64)),
            Pick::Wait(Duration::from_secs(8))
        );
        choice.was_slow(0, 5);
        assert_eq!(
            choice.pick(second_rests),
            take(0, 1, false),
            "slow is better than waiting"
        );
    }

    #[test]
    fn there_may_be_none_at_all() {
        assert_eq!(Choice::new(0, 0, 3).pick(free), Pick::Nothing);
    }
}
