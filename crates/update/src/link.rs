//! The line that this computer is connected by: whether it is metered, whether it is another one than before,
//! and whether the computer slept. It refuses to know what follows from that.

#[cfg(target_os = "linux")]
mod linux;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// What is known of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Whether it is metered. None: the system does not say.
    pub(crate) metered: Option<bool>,
    /// The address that this computer has on it. None: there is no way to the outside.
    pub(crate) address: Option<IpAddr>,
}

impl Link {
    /// Looks at the line of now. Sends nothing, and takes a second at most.
    pub(crate) async fn look() -> Self {
        const PATIENCE: Duration = Duration::from_secs(1);
        let metered = tokio::time::timeout(PATIENCE, metered()).await.ok().flatten();
        Self {
            metered,
            address: address(),
        }
    }

    /// Whether this is another line than `before`, and one that leads somewhere.
    pub(crate) fn is_new_since(&self, before: &Self) -> bool {
        self.address.is_some() && self.address != before.address
    }
}

/// Whether the system says that the line is metered. Only Linux with NetworkManager is asked: Windows (network
/// cost) and macOS (constrained and expensive paths) say it through interfaces that nobody has tried here yet.
async fn metered() -> Option<bool> {
    #[cfg(target_os = "linux")]
    return linux::metered().await;
    #[cfg(not(target_os = "linux"))]
    return None;
}

/// The address from which this computer would speak to the outside. A datagram socket that is connected sends
/// nothing; the system only looks up its routes. The far addresses are ones that belong to nobody (RFC 5737,
/// RFC 3849).
fn address() -> Option<IpAddr> {
    const NOBODY_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const NOBODY_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let ask = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_unspecified()).then_some(address)
    };
    ask(IpAddr::V4(Ipv4Addr::UNSPECIFIED), NOBODY_4)
        .or_else(|| ask(IpAddr::V6(Ipv6Addr::UNSPECIFIED), NOBODY_6))
}

/// Two clocks, of which one stands still while the computer sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    wall: Timestamp,
    awake: Instant,
}

impl Clocks {
    /// The two now.
    pub(crate) fn now() -> Self {
        Self {
            wall: Timestamp::now(),
            awake: Instant::now(),
        }
    }

    /// Whether the computer slept since `before`.
    pub(crate) fn slept_since(&self, before: &Self) -> bool {
        let wall = self.wall.duration_since(before.wall);
        slept(wall, self.awake.saturating_duration_since(before.awake))
    }
}

/// Whether a computer slept whose clock on the wall went so far while it was awake for so long. A clock that was
/// put right by a minute is no sleep, one that was put back is none either.
fn slept(wall: SignedDuration, awake: Duration) -> bool {
    const LEAST: SignedDuration = SignedDuration::from_secs(90);
    let awake = SignedDuration::try_from(awake).unwrap_or(SignedDuration::MAX);
    wall.saturating_sub(awake) > LEAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_told_from_a_clock_that_was_put_right() {
        for (wall, awake, expected) in [
            (60, 60, false),
            (150, 60, false),
            (151, 60, true),
            (28_800, 60, true),
            (-3_600, 60, false),
            (0, 0, false),
        ] {
            let found = slept(SignedDuration::from_secs(wall), Duration::from_secs(awake));
            assert_eq!(found, expected, "{wall} {awake}");
        }
    }

    #[test]
    fn a_line_is_new_when_it_leads_somewhere_from_another_address() {
        let from = |last: u8| Link {
            address: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))),
            metered: None,
        };
        for (before, now, expected) in [
            (from(1), from(1), false),
            (from(1), from(2), true),
            (Link::default(), from(1), true),
            (from(1), Link::default(), false),
            (Link::default(), Link::default(), false),
        ] {
            assert_eq!(now.is_new_since(&before), expected, "{before:?} {now:?}");
        }
    }

    #[tokio::test]
    async fn looking_never_fails_and_never_says_the_unspecified_address() {
        let link = Link::look().await;
        assert!(link.address.is_none_or(|address| !address.is_unspecified()));
    }
}
