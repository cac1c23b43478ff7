//! Who has a release now, as its waves say. Pure; the time is handed in.

use jiff::Timestamp;
use moult_model::explanation::NextWave;
use moult_model::rollout::Rollout;
use moult_model::{Index, Share};

/// A rollout that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    /// What places are mixed with.
    pub salt: [u8; 16],
    waves: Vec<(Timestamp, Share)>,
}

impl Waves {
    /// Reads a rollout. None if any of it can't be understood: then nobody gets the release.
    pub fn read(rollout: &Rollout) -> Option<Self> {
        let mut salt = [0; 16];
        let is_hexadecimal = rollout.salt.len() == 32 && rollout.salt.is_ascii();
        for (place, byte) in salt.iter_mut().enumerate() {
            let digits = is_hexadecimal.then(|| rollout.salt.get(2 * place..2 * place + 2))??;
            // `from_str_radix` would take a sign.
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        let waves = rollout
            .waves
            .iter()
            .map(|wave| Some((wave.from.parse().ok()?, wave.share)))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { salt, waves })
    }

    /// Who has it now. A wave that has begun never takes from those before it, so time only adds.
    pub fn share(&self, now: Timestamp) -> Share {
        let begun = self.waves.iter().filter(|(from, _)| *from <= now);
        begun.map(|(_, share)| *share).max().unwrap_or(Share::NONE)
    }

    /// The next wave that adds somebody.
    pub fn next(&self, now: Timestamp) -> Option<NextWave> {
        let share = self.share(now);
        let adds = self
            .waves
            .iter()
            .filter(|(from, next)| *from > now && *next > share);
        adds.min_by_key(|(from, next)| (*from, std::cmp::Reverse(*next)))
            .map(|(from, share)| NextWave {
                from: from.to_string(),
                share: *share,
            })
    }
}

/// The time that waves are measured by: the clock's, but not before the newest moment that what is signed names. So a clock
/// that is behind does not keep a computer out of waves that have long begun. One that is ahead is bounded from above:
/// what is signed would have expired by it, and nothing would be installed at all.
pub fn moment(clock: Timestamp, index: &Index) -> Timestamp {
    let published = index
        .releases
        .iter()
        .filter_map(|release| release.published.parse().ok());
    published.fold(clock, Timestamp::max)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use moult_model::rollout::Wave;
    use proptest::prelude::*;

    use super::*;

    fn rollout(waves: &[(&str, u16)]) -> Rollout {
        Rollout {
            salt: "00112233445566778899aabbccddeeff".into(),
            waves: waves
                .iter()
                .map(|(from, share)| Wave {
                    from: (*from).into(),
                    share: Share::of_ten_thousand(*share).unwrap(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_wave_begins_at_its_second_and_stays() {
        let waves = Waves::read(&rollout(&[
            ("2026-12-01T10:00:00Z", 100),
            ("2026-12-01T12:00:00Z", 1_000),
            ("2026-12-02T10:00:00+02:00", 10_000),
        ]))
        .unwrap();
        assert_eq!(waves.salt[..3], [0x00, 0x11, 0x22]);
        for (now, share, next) in [
            ("2026-12-01T09:59:59Z", 0, Some(100)),
            ("2026-12-01T10:00:00Z", 100, Some(1_000)),
            ("2026-12-01T12:00:01Z", 1_000, Some(10_000)),
            ("2026-12-02T08:00:00Z", 10_000, None),
            ("2030-01-01T00:00:00Z", 10_000, None),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(waves.share(now).ten_thousandths(), share, "{now}");
            let found = waves.next(now).map(|next| next.share.ten_thousandths());
            assert_eq!(found, next, "{now}");
        }
    }

    #[test]
    fn before_the_first_wave_and_without_any_nobody_has_it() {
        let waves = Waves::read(&rollout(&[])).unwrap();
        assert_eq!(waves.share(Timestamp::MAX), Share::NONE);
        assert_eq!(waves.next(Timestamp::MIN), None);
    }

    #[test]
    fn what_is_not_understood_gives_it_to_nobody() {
        for salt in [
            "",
            "00",
            "0g112233445566778899aabbccddeeff",
            "+0112233445566778899aabbccddeeff",
            "ä0112233445566778899aabbccddeef",
        ] {
            let rollout = Rollout {
                salt: salt.into(),
                ..rollout(&[])
            };
            assert_eq!(Waves::read(&rollout), None, "{salt}");
        }
        assert_eq!(Waves::read(&rollout(&[("tomorrow", 1)])), None);
    }

    proptest! {
        #[test]
        fn time_only_adds(
            waves in prop::collection::vec((0_i64..1_000, 0_u16..=10_000), 0..6),
            one in 0_i64..1_100,
            later in 0_i64..1_100,
        ) {
            let at = |second: i64| Timestamp::from_second(second).unwrap();
            let named: Vec<(String, u16)> = waves.iter().map(|(from, share)| (at(*from).to_string(), *share)).collect();
            let named: Vec<(&str, u16)> = named.iter().map(|(from, share)| (from.as_str(), *share)).collect();
            let waves = Waves::read(&rollout(&named)).unwrap();
            let (early, late) = (one.min(later), one.max(later));
            prop_assert!(waves.share(at(early)) <= waves.share(at(late)));
            if let Some(next) = waves.next(at(early)) {
                let from: Timestamp = next.from.parse().unwrap();
                prop_assert!(from > at(early) && waves.share(from) >= next.share);
                prop_assert_eq!(waves.share(from - jiff::SignedDuration::from_secs(1)).max(waves.share(at(early))), waves.share(at(early)));
            }
        }
    }
}
