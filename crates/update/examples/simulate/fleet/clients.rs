//! Who is simulated: where they live, when their computers are on, how fast their lines are. All of it comes from a number.

use moult_update::select::InstallId;

use super::script::{DAY, HOUR, WEEK};

/// One computer. Small, because there are a million of it.
#[derive(Clone)]
pub(crate) struct Client {
    random: u64,
    /// Its own number in everything random, so that its days don't depend on what it did before.
    seed: u64,
    /// Until when it is on.
    pub(crate) until: u32,
    /// How far its clock is off, in seconds.
    pub(crate) skew: i32,
    /// Its line, in bytes a second.
    pub(crate) rate: u32,
    /// What it has seen: how many publications, and which era.
    pub(crate) publications: u16,
    pub(crate) era: u8,
    pub(crate) version: u8,
    /// What it had before.
    pub(crate) before: u8,
    /// What it downloads or has downloaded.
    pub(crate) pending: u8,
    /// Checks in a row that the server failed.
    pub(crate) failures: u8,
    /// Tries of a download that failed.
    pub(crate) tries: u8,
    habit: Habit,
    /// Half hours from UTC.
    zone: i8,
    /// Whether the application is started when the computer is on again; else the lid is opened, and it goes on.
    pub(crate) starts: bool,
}

/// When a computer is on.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// In the office, on weekdays.
    Office,
    /// At home, in the evening.
    Home,
    /// On the lap, with the lid shut in between.
    Lap,
    Always,
}

pub(crate) const NOTHING: u8 = u8::MAX;
pub(crate) const NEVER: u32 = u32::MAX;
/// How far a clock may be ahead, in seconds.
pub(crate) const AHEAD: u32 = 5 * 60;

/// Half hours from UTC, and how many of a hundred live there.
const ZONES: [(i8, u8); 12] = [
    (-16, 6),
    (-14, 2),
    (-12, 7),
    (-10, 12),
    (-6, 6),
    (0, 8),
    (2, 22),
    (4, 8),
    (6, 6),
    (11, 9),
    (16, 9),
    (18, 5),
];

/// SplitMix64.
fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Uniform from 0 on and below `end`.
fn below(random: &mut u64, end: u32) -> u32 {
    ((u128::from(mix(random)) * u128::from(end)) >> 64) as u32
}

impl Client {
    /// The computer with this number.
    pub(crate) fn new(seed: u64, number: u32) -> Self {
        let mut random = seed ^ (u64::from(number) << 20);
        let own = mix(&mut random);
        let habit = match below(&mut random, 100) {
            0..35 => Habit::Office,
            35..75 => Habit::Home,
            75..90 => Habit::Lap,
            _ => Habit::Always,
        };
        let mut place = below(&mut random, 100) as u8;
        let zone = ZONES.iter().find(|(_, share)| {
            let found = place < *share;
            place = place.saturating_sub(*share);
            found
        });
        // From 1 to 32 Mbit/s, each doubling as likely.
        let rate = 125_000_u32 << below(&mut random, 6);
        let skew = match below(&mut random, 100) {
            0 => below(&mut random, AHEAD).cast_signed(),
            1 => -below(&mut random, HOUR).cast_signed(),
            _ => 0,
        };
        Self {
            seed: own,
            until: 0,
            skew,
            rate,
            publications: 0,
            era: NOTHING,
            // One of ten is a version behind.
            version: u8::from(below(&mut random, 10) > 0),
            before: NOTHING,
            pending: NOTHING,
            failures: 0,
            tries: 0,
            habit,
            zone: zone.map_or(0, |(zone, _)| *zone),
            starts: below(&mut random, 2) == 0,
            random,
        }
    }

    pub(crate) fn id(&self) -> InstallId {
        let mut state = self.seed ^ 0x0123_4567_89ab_cdef;
        let (one, other) = (mix(&mut state), mix(&mut state));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&one.to_le_bytes());
        bytes[8..].copy_from_slice(&other.to_le_bytes());
        InstallId::of(bytes)
    }

    pub(crate) fn random(&mut self) -> u32 {
        (mix(&mut self.random) >> 32) as u32
    }

    /// Uniform from 0 on and below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        below(&mut self.random, end)
    }

    /// The first moment from `at` on at which it is on, and until when it is then. [`NEVER`]: not in this week any more.
    pub(crate) fn next_on(&self, at: u32) -> (u32, u32) {
        if self.habit == Habit::Always {
            return (at, NEVER);
        }
        let local = i64::from(self.zone) * 1_800;
        let today = (i64::from(at) + local).div_euclid(DAY.into());
        // What began yesterday may last until today.
        for day in today - 1..=7 {
            for (from, to) in self.day(day).into_iter().flatten() {
                let base = day * i64::from(DAY) - local;
                let (from, to) = (base + i64::from(from), base + i64::from(to));
                if to > i64::from(at) {
                    let from = from.max(i64::from(at)).max(0) as u32;
                    return (from, (to.max(0) as u32).min(WEEK + DAY));
                }
            }
        }
        (NEVER, NEVER)
    }

    /// When it is on, on a day in local time, in seconds from midnight. In order, and apart from each other.
    fn day(&self, day: i64) -> [Option<(u32, u32)>; 3] {
        let mut random = self.seed ^ (day.cast_unsigned().wrapping_mul(0xd6e8_feb8_6659_fd93));
        let mut minutes = |most: u32| below(&mut random, most * 60);
        // Day 0 is a Monday.
        let is_workday = day.rem_euclid(7) < 5;
        match self.habit {
            Habit::Office if is_workday => {
                let from = 8 * HOUR + minutes(90);
                [Some((from, from + 8 * HOUR + minutes(120))), None, None]
            }
            Habit::Lap if is_workday => {
                let from = 8 * HOUR + minutes(120);
                let noon = 12 * HOUR + minutes(60);
                let evening = 19 * HOUR + minutes(120);
                [
                    Some((from, 12 * HOUR)),
                    Some((noon, noon + 3 * HOUR + minutes(120))),
                    Some((evening, evening + HOUR + minutes(60))),
                ]
            }
            Habit::Home | Habit::Lap => {
                let from = if is_workday { 17 * HOUR } else { 10 * HOUR } + minutes(180);
                [Some((from, from + HOUR + minutes(240))), None, None]
            }
            _ => [None; 3],
        }
    }
}
