//! What the session asks of windows, and what they answer. Pure; refuses to know how anything is saved.
//!
//! Each window of a process hears the same words, in no order that counts. So what was done is kept for all
//! of them: it is saved once, and ended once.

/// `WM_QUERYENDSESSION`: may the session end?
const MAY_END: u32 = 0x11;
/// `WM_ENDSESSION`: it ends, or it does not after all.
const ENDS: u32 = 0x16;

/// How far the end of the session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nobody spoke of it.
    #[default]
    Running,
    /// It was asked for, and may still be called off.
    Asked,
    /// It has come.
    Ending,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Save what there is, beside everything else.
    Save,
    /// Save and end. The system waits for the answer, and ends the process after it.
    End,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is nothing of the session: whoever had the window before answers.
    NotOurs,
    /// This, after what is to be done was done.
    With(isize),
}

/// What a message to a window leads to. What it brings along is as the system names it: for the end whether
/// it comes (not 0) or is called off.
pub(crate) fn hear(progress: Progress, message: u32, brings: usize) -> (Progress, Option<Word>, Answer) {
    match (message, progress) {
        // Nothing here is worth keeping a computer on for: all of it is saved in a moment.
        (MAY_END, Progress::Running) => (Progress::Asked, Some(Word::Save), Answer::With(1)),
        (MAY_END, _) => (progress, None, Answer::With(1)),
        (ENDS, Progress::Ending) => (Progress::Ending, None, Answer::With(0)),
        // Restart Manager and a forced end may come unasked.
        (ENDS, _) if brings != 0 => (Progress::Ending, Some(Word::End), Answer::With(0)),
        (ENDS, _) => (Progress::Running, None, Answer::With(0)),
        _ => (progress, None, Answer::NotOurs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_the_session_has_its_answer() {
        use Progress::{Asked, Ending, Running};
        let table = [
            ("may it end", Running, (MAY_END, 0), Asked, Some(Word::Save), 1),
            ("another window is asked", Asked, (MAY_END, 0), Asked, None, 1),
            ("it ends", Asked, (ENDS, 1), Ending, Some(Word::End), 0),
            ("another window is told", Ending, (ENDS, 1), Ending, None, 0),
            (
                "asked once more at the end",
                Ending,
                (MAY_END, 0),
                Ending,
                None,
                1,
            ),
            ("it ends unasked", Running, (ENDS, 1), Ending, Some(Word::End), 0),
            ("somebody called it off", Asked, (ENDS, 0), Running, None, 0),
            (
                "it can't be called off any more",
                Ending,
                (ENDS, 0),
                Ending,
                None,
                0,
            ),
        ];
        for (what, before, (message, brings), after, word, answer) in table {
            let expected = (after, word, Answer::With(answer));
            assert_eq!(hear(before, message, brings), expected, "{what}");
        }
    }

    #[test]
    fn other_messages_are_left_to_the_window() {
        for message in [0, 0x10, 0x12, 0x15, 0x17, 0x0400] {
            for progress in [Progress::Running, Progress::Asked, Progress::Ending] {
                assert_eq!(hear(progress, message, 1), (progress, None, Answer::NotOurs));
            }
        }
    }
}
