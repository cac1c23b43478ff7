//! Problems in words: what happened, what was kept, what to do. One place for every sentence that a
//! person reads; it refuses to know how a problem came about.

use moult_model::{ErrorCode, PlanStep, Problem, Subject, Version};

/// What a problem is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// What is updated.
    pub subject: &'a Subject,
    /// The version that runs, if any.
    pub from: Option<&'a Version>,
    /// The version that was wanted.
    pub to: &'a Version,
}

/// What follows a problem.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// Another way is taken.
    OtherWay {
        /// The download that failed.
        failed: &'a PlanStep,
        /// The first download of the other way.
        instead: &'a PlanStep,
    },
    /// Nothing was changed.
    Stands,
    /// The new version had begun to take over, and the old one is back.
    Back,
}

/// Bytes that are missing on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are needed.
    pub needed: u64,
    /// Bytes that are free, if the system says so.
    pub free: Option<u64>,
}

/// A problem of one update.
pub fn problem(
    code: ErrorCode,
    about: About<'_>,
    next: Next<'_>,
    room: Option<Room>,
    detail: impl Into<String>,
) -> Problem {
    let goes_on = match about.from {
        Some(version) => format!("{version} goes on."),
        None => "Nothing was installed.".to_owned(),
    };
    let to = about.to;
    let (happened, kept, advice) = match (code, next) {
        (_, Next::OtherWay { failed, instead }) => {
            let what = match failed {
                PlanStep::Patch { from, to, .. } => format!("the patch from {from} to {to}"),
                PlanStep::Full { to, .. } => format!("the full file of {to}"),
            };
            let instead = match instead {
                PlanStep::Patch { from, to, .. } => {
                    format!("A patch from {from} to {to} is fetched instead.")
                }
                PlanStep::Full { .. } => "The full file is fetched instead.".to_owned(),
            };
            let happened = match code {
                ErrorCode::FileCorrupt => {
                    format!("{} does not match its digest and was deleted.", capital(&what))
                }
                ErrorCode::ServerRefused => format!("The server does not hand out {what}."),
                ErrorCode::ServerFailed => format!("The server failed to send {what}."),
                ErrorCode::FileHeld => {
                    format!("Another program, most likely a virus scanner, took {what} away.")
                }
                _ => format!("{} could not be applied.", capital(&what)),
            };
            (happened, format!("{instead} {goes_on}"), None)
        }
        (ErrorCode::DiskFull, _) => {
            let happened = match room {
                Some(Room {
                    needed,
                    free: Some(free),
                }) => {
                    format!(
                        "{} needed, {} free.",
                        megabytes(needed, true),
                        megabytes(free, false)
                    )
                }
                Some(Room { needed, free: None }) => {
                    format!("{} needed, and the disk has less.", megabytes(needed, true))
                }
                None => "The disk is full.".to_owned(),
            };
            (
                happened,
                "Nothing was changed.".to_owned(),
                Some("Free some space and it goes on."),
            )
        }
        (ErrorCode::ConsentNeeded, _) => {
            let happened = format!("{to} asks for more than the version before.");
            let kept = match about.from {
                Some(version) => format!("{version} goes on until you decide."),
                None => goes_on,
            };
            (happened, kept, Some("Decide on what it asks for."))
        }
        (ErrorCode::Cancelled, Next::Back) => (
            format!("{to} did not take over: something newer came in between."),
            goes_on,
            None,
        ),
        (ErrorCode::Cancelled, _) => (format!("{to} was not installed. It was stopped."), goes_on, None),
        (_, Next::Back) => {
            let kept = match about.from {
                Some(_) => "What you had was kept.".to_owned(),
                None => "It was taken off again.".to_owned(),
            };
            (format!("{to} {}", verb(code)), kept, None)
        }
        _ => {
            let (cause, advice) = cause(code);
            (format!("{to} was not installed. {cause}"), goes_on, advice)
        }
    };
    Problem {
        code,
        happened,
        kept,
        advice: advice.map(str::to_owned),
        detail: detail.into(),
    }
}

/// A problem of a check.
pub fn check(code: ErrorCode, about: Option<&Subject>, detail: impl Into<String>) -> Problem {
    let (cause, advice) = match (code, about) {
        (ErrorCode::Offline, _) => ("No network.", None),
        _ => cause(code),
    };
    let happened = match about {
        Some(subject) => format!("The releases of {} could not be read. {cause}", name(subject)),
        None => cause.to_owned(),
    };
    Problem {
        code,
        happened,
        kept: "Everything goes on as it is.".to_owned(),
        advice: advice.map(str::to_owned),
        detail: detail.into(),
    }
}

/// The orders about releases could not be read.
pub fn orders(code: ErrorCode, detail: impl Into<String>) -> Problem {
    let (cause, advice) = cause(code);
    Problem {
        code,
        happened: format!("The orders that stop or recall versions could not be read. {cause}"),
        kept: "Those that were read before stay in force.".to_owned(),
        advice: advice.map(str::to_owned),
        detail: detail.into(),
    }
}

fn name(subject: &Subject) -> String {
    match subject {
        Subject::Executable => "Moult".to_owned(),
        Subject::Shell => "the shell".to_owned(),
        Subject::Widget(id) => id.to_string(),
    }
}

/// What stopped an installation, and what to do about it.
fn cause(code: ErrorCode) -> (&'static str, Option<&'static str>) {
    match code {
        ErrorCode::Offline => ("No connection could be made.", None),
        ErrorCode::ServerRefused => ("The server does not hand out a file that should be there.", None),
        ErrorCode::ServerFailed => ("The server failed or did not answer in time.", None),
        ErrorCode::CaptivePortal => (
            "A page came in place of the file: this network wants you to sign in first.",
            Some("Open any page in your browser, sign in, and check again."),
        ),
        ErrorCode::FileHeld => (
            "Another program, most likely a virus scanner, holds the file or took it away.",
            Some("Let it spare Moult's data folder, and check again."),
        ),
        ErrorCode::MetadataInvalid => (
            "The repository's signed data is broken or signed by the wrong key.",
            None,
        ),
        ErrorCode::MetadataExpired => (
            "The repository's signed data is too old to be believed.",
            Some("Check the date of this computer. If it is right, the publisher has to sign again."),
        ),
        ErrorCode::MetadataReplayed => ("The repository shows older data than it did before.", None),
        ErrorCode::FloorNotWritten => (
            "What is believed could not be written to the disk.",
            Some("Check that the disk has space and that the data folder may be written."),
        ),
        ErrorCode::IndexInvalid => ("The list of releases is broken or missing.", None),
        ErrorCode::FileCorrupt => ("The file does not match its digest and was deleted.", None),
        ErrorCode::SignatureInvalid => ("The file does not match its signature and was deleted.", None),
        ErrorCode::PatchFailed => ("The patch could not be applied.", None),
        ErrorCode::DiskFull => ("The disk is full.", Some("Free some space and it goes on.")),
        ErrorCode::DiskFailed => (
            "The disk refused a read or a write.",
            Some("Check that the data folder may be read and written."),
        ),
        ErrorCode::BundleInvalid => ("The bundle is malformed or not what its release says.", None),
        ErrorCode::SwitchFailed => ("It could not take over.", None),
        ErrorCode::StateRefused => ("It did not accept the old version's state.", None),
        ErrorCode::Crashed => ("It failed here before and is not tried again.", None),
        ErrorCode::Hung => ("It stopped answering.", None),
        ErrorCode::TooManyErrors => ("Too much of what it did failed.", None),
        ErrorCode::AnswersDiffer => (
            "Its logic answered otherwise than that of the version that runs.",
            None,
        ),
        ErrorCode::ConsentNeeded => ("It asks for more than was granted.", None),
        ErrorCode::Cancelled => ("It was stopped.", None),
        // Those of calls of widgets stop no installation.
        ErrorCode::NotDeclared
        | ErrorCode::InvalidRequest
        | ErrorCode::RateLimited
        | ErrorCode::TooLarge
        | ErrorCode::QuotaExceeded
        | ErrorCode::TooMany
        | ErrorCode::TimedOut
        | ErrorCode::Internal => (
            "Moult made a mistake.",
            Some("Save a report and send it to the makers of Moult."),
        ),
    }
}

/// How a version failed that had begun to take over.
fn verb(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Crashed => "crashed.",
        ErrorCode::Hung => "stopped answering.",
        ErrorCode::TooManyErrors => "failed in too much of what it did.",
        ErrorCode::StateRefused => "did not accept the old version's state.",
        ErrorCode::AnswersDiffer => "was tried beside it, and its logic answered otherwise.",
        ErrorCode::DiskFull | ErrorCode::DiskFailed => "could not be kept: the disk refused a write.",
        _ => "could not take over.",
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Bytes in the unit that fits, rounded up for what is needed and down for what is there.
fn megabytes(bytes: u64, up: bool) -> String {
    let (unit, name) = if bytes < 1_000_000 {
        (1_000, "kB")
    } else {
        (1_000_000, "MB")
    };
    let count = if up { bytes.div_ceil(unit) } else { bytes / unit };
    format!("{count} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ErrorCode; 21] = [
        ErrorCode::Offline,
        ErrorCode::ServerRefused,
        ErrorCode::ServerFailed,
        ErrorCode::MetadataInvalid,
        ErrorCode::MetadataExpired,
        ErrorCode::MetadataReplayed,
        ErrorCode::FloorNotWritten,
        ErrorCode::IndexInvalid,
        ErrorCode::FileCorrupt,
        ErrorCode::SignatureInvalid,
        ErrorCode::PatchFailed,
        ErrorCode::DiskFull,
        ErrorCode::DiskFailed,
        ErrorCode::BundleInvalid,
        ErrorCode::SwitchFailed,
        ErrorCode::StateRefused,
        ErrorCode::Crashed,
        ErrorCode::Hung,
        ErrorCode::ConsentNeeded,
        ErrorCode::Cancelled,
        ErrorCode::Internal,
    ];

    fn said(problem: &Problem) -> String {
        let advice = problem
            .advice
            .as_deref()
            .map(|advice| format!(" {advice}"))
            .unwrap_or_default();
        format!("{} {}{advice}", problem.happened, problem.kept)
    }

    #[test]
    fn the_sentences_are_those_of_the_voice() {
        let (from, to) = (Version::new(3, 2, 0), Version::new(3, 3, 0));
        let about = About {
            subject: &Subject::Shell,
            from: Some(&from),
            to: &to,
        };
        let fresh = About { from: None, ..about };
        let patch = PlanStep::Patch {
            from: from.clone(),
            to: to.clone(),
            bytes: 7,
        };
        let full = PlanStep::Full {
            to: to.clone(),
            bytes: 70,
        };
        let room = |free| {
            Some(Room {
                needed: 73_100_000,
                free,
            })
        };
        let other_way = Next::OtherWay {
            failed: &patch,
            instead: &full,
        };
        let cases = [
            (
                problem(ErrorCode::SignatureInvalid, about, Next::Stands, None, ""),
                "3.3.0 was not installed. The file does not match its signature and was deleted. 3.2.0 goes on.",
            ),
            (
                problem(
                    ErrorCode::DiskFull,
                    about,
                    Next::Stands,
                    room(Some(20_999_999)),
                    "",
                ),
                "74 MB needed, 20 MB free. Nothing was changed. Free some space and it goes on.",
            ),
            (
                problem(ErrorCode::DiskFull, about, Next::Stands, room(None), ""),
                "74 MB needed, and the disk has less. Nothing was changed. Free some space and it goes on.",
            ),
            (
                problem(ErrorCode::FileCorrupt, about, other_way, None, ""),
                "The patch from 3.2.0 to 3.3.0 does not match its digest and was deleted. \
                 The full file is fetched instead. 3.2.0 goes on.",
            ),
            (
                problem(ErrorCode::Hung, about, Next::Back, None, ""),
                "3.3.0 stopped answering. What you had was kept.",
            ),
            (
                problem(ErrorCode::ConsentNeeded, about, Next::Stands, None, ""),
                "3.3.0 asks for more than the version before. 3.2.0 goes on until you decide. \
                 Decide on what it asks for.",
            ),
            (
                problem(ErrorCode::ServerRefused, fresh, Next::Stands, None, ""),
                "3.3.0 was not installed. The server does not hand out a file that should be there. \
                 Nothing was installed.",
            ),
            (
                check(ErrorCode::Offline, None, ""),
                "No network. Everything goes on as it is.",
            ),
            (
                orders(ErrorCode::MetadataInvalid, ""),
                "The orders that stop or recall versions could not be read. The repository's signed data is broken \
                 or signed by the wrong key. Those that were read before stay in force.",
            ),
        ];
        for (problem, expected) in cases {
            assert_eq!(said(&problem), expected);
        }
    }

    #[test]
    fn every_problem_says_what_happened_and_what_was_kept() {
        let (from, to) = (Version::new(1, 0, 0), Version::new(1, 1, 0));
        let full = PlanStep::Full {
            to: to.clone(),
            bytes: 70,
        };
        let ways = [
            Next::Stands,
            Next::Back,
            Next::OtherWay {
                failed: &full,
                instead: &full,
            },
        ];
        for code in ALL {
            let mut problems = vec![check(code, None, ""), check(code, Some(&Subject::Shell), "")];
            for from in [Some(&from), None] {
                let about = About {
                    subject: &Subject::Shell,
                    from,
                    to: &to,
                };
                problems.extend(ways.map(|next| problem(code, about, next, None, "")));
            }
            for problem in problems {
                for sentence in [&problem.happened, &problem.kept] {
                    assert!(
                        sentence.ends_with('.') && sentence.len() > 5,
                        "{code:?}: {problem:?}"
                    );
                    assert!(!sentence.contains("  "), "{code:?}: {sentence}");
                }
            }
        }
    }
}
