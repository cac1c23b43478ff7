//! What the system's numbers mean: why a file did not start, and how a process ended. Pure tables.

use super::super::{End, Stop};

/// What a failed start says of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The system, a policy or a virus scanner does not allow it.
    Forbidden,
    /// The file is missing, or nothing that the system can run.
    Unfit,
    /// Somebody has the file open for a moment. Worth another try.
    Held,
    /// The system is short of something.
    Trouble,
}

/// What the code of a failed start means. The numbers are those of `winerror.h`.
pub(crate) fn classify(code: Option<i32>) -> Kind {
    match code {
        // Denied; infected, or removed as infected; wants an administrator; forbidden by a policy for
        // software, by the policy for signatures, or by the reputation of its name.
        Some(5 | 225 | 226 | 740 | 1260 | 4551 | 4556) => Kind::Forbidden,
        // No file, no folder, not a program (193 and 11), of another machine (216), not a folder, a name
        // that is none (123, 161, 206), a part of it is missing (126, 127), its description is damaged (14001).
        Some(2 | 3 | 11 | 123 | 126 | 127 | 161 | 193 | 206 | 216 | 267 | 14001) => Kind::Unfit,
        // Shared with somebody who does not share, or locked in part.
        Some(32 | 33) => Kind::Held,
        _ => Kind::Trouble,
    }
}

/// Whether a system's error says that no further file may be open.
pub(crate) fn is_out_of_files(code: i32) -> bool {
    code == 4
}

impl End {
    /// How a process ended that left this status. A program may end with any number, but these two
    /// are what the system sets for one that it ended at a wish.
    pub(crate) fn of_status(status: u32) -> Self {
        match status {
            // By the keyboard, or the window of its console was closed.
            0xC000_013A => Self::Signal(Stop::Interrupt.number()),
            // Ended with its session.
            0x4001_0004 => Self::Signal(Stop::Terminate.number()),
            status => Self::Code(status.cast_signed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_start_says_something_of_the_file_or_nothing() {
        let table = [
            (2, Kind::Unfit, "no such file"),
            (3, Kind::Unfit, "no such folder"),
            (5, Kind::Forbidden, "denied"),
            (8, Kind::Trouble, "no memory"),
            (32, Kind::Held, "a scanner has it open"),
            (33, Kind::Held, "a scanner has locked a part of it"),
            (112, Kind::Trouble, "the disk is full"),
            (193, Kind::Unfit, "not a program"),
            (216, Kind::Unfit, "a program for another machine"),
            (225, Kind::Forbidden, "a scanner found something in it"),
            (740, Kind::Forbidden, "it wants an administrator"),
            (1260, Kind::Forbidden, "a policy forbids it"),
            (1455, Kind::Trouble, "the paging file is too small"),
            (14001, Kind::Unfit, "its description is damaged"),
        ];
        for (code, kind, what) in table {
            assert_eq!(classify(Some(code)), kind, "{what}");
        }
        assert_eq!(classify(None), Kind::Trouble);
    }

    #[test]
    fn an_end_is_a_crash_a_wish_or_a_code() {
        let table = [
            (0, End::Code(0), false),
            (7, End::Code(7), false),
            // An access violation, a stack that ran over, an abort, a missing library.
            (0xC000_0005, End::Code(-1_073_741_819), false),
            (0xC000_00FD, End::Code(-1_073_741_571), false),
            (0xC000_0409, End::Code(-1_073_740_791), false),
            (0xC000_0135, End::Code(-1_073_741_515), false),
            (0xC000_013A, End::Signal(2), true),
            (0x4001_0004, End::Signal(15), true),
        ];
        for (status, end, is_wish) in table {
            assert_eq!(End::of_status(status), end, "{status:#x}");
            let told = matches!(end, End::Signal(number) if Stop::is_stop(number));
            assert_eq!(told, is_wish, "{status:#x}");
            assert_ne!(End::of_status(status).code() == 0, status != 0, "{status:#x}");
        }
    }
}
