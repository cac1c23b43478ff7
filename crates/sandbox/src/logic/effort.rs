//! What a child process is for, and what it may take. For compiling that goes by the size of the component, and both processes keep to
//! it: the child by limits that it sets on itself, the application by a clock.
//!
//! Good components of very different sizes are compiled: 76 kB of Rust, or 12 MB of JavaScript with the engine that runs it. A
//! bomb is small as a rule, so what is lent grows with the component, and a small one ends soon.

use std::time::Duration;

/// Processor time of the smallest, and what each MiB adds. A good one of 11 MiB takes 10 s on a fast computer and
/// 21 s on a slow one.
const PROCESSOR: u64 = 15;
const PROCESSOR_MIB: u64 = 5;
/// Address space of the smallest, and what each MiB adds. A good one of 11 MiB takes some 500 MiB.
const MEMORY: u64 = 512 << 20;
const MEMORY_MIB: u64 = 64 << 20;
/// A process that is not alone gets its processor time in so many times that.
const WALL_TIMES: u64 = 2;

/// What compiling one component may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Processor time in seconds.
    pub processor_seconds: u64,
    /// Address space in bytes.
    pub address_space: u64,
}

impl Effort {
    /// That of a component of so many bytes.
    pub const fn of(bytes: usize) -> Self {
        let mib = (bytes >> 20) as u64;
        Self {
            processor_seconds: PROCESSOR + PROCESSOR_MIB * mib,
            address_space: MEMORY + MEMORY_MIB * mib,
        }
    }

    /// What is waited for its end.
    pub const fn wall(self) -> Duration {
        Duration::from_secs(WALL_TIMES * self.processor_seconds)
    }
}

/// What a child process is for: its limits differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Runs the logic of one publisher.
    Run,
    /// Compiles one component.
    Compile {
        /// Its size.
        bytes: usize,
    },
}

impl Task {
    /// Address space in bytes: code, stacks, and all linear memories with their reservations.
    pub const fn address_space(self) -> u64 {
        match self {
            Self::Run => 4 << 30,
            Self::Compile { bytes } => Effort::of(bytes).address_space,
        }
    }

    /// Processor time in seconds, if it is bounded.
    pub const fn processor_seconds(self) -> Option<u64> {
        match self {
            Self::Run => None,
            Self::Compile { bytes } => Some(Effort::of(bytes).processor_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::wire::COMPONENT_BYTES;

    #[test]
    fn it_grows_with_the_component_and_has_an_end() {
        let cases = [
            ("nothing", 0, 15, 512),
            ("Rust", 76 << 10, 15, 512),
            ("JavaScript", 12_000_000, 70, 1216),
            ("the largest", COMPONENT_BYTES, 95, 1536),
        ];
        for (what, bytes, seconds, mib) in cases {
            let effort = Effort::of(bytes);
            let expected = Effort {
                processor_seconds: seconds,
                address_space: mib << 20,
            };
            assert_eq!(effort, expected, "{what}");
            assert!(effort.wall() > Duration::from_secs(seconds), "{what}");
        }
    }
}
