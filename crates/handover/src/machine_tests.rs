//! Rules that show in single steps; how the steps go together is shown by the exploration.

use crate::giver::{self, Effect as Old, Event as OldSees, Limit as OldLimit, State as OldState, Staying};
use crate::taker::{self, Effect as New, Event as NewSees, Leaving, Limit as NewLimit, State as NewState};

fn offering(expected: Option<&str>, caller: Option<&str>) -> OldState {
    OldState::Offering {
        expected: expected.map(str::to_owned),
        caller: caller.map(str::to_owned),
    }
}

fn called(start: &str) -> OldSees {
    OldSees::Called {
        start: start.to_owned(),
        protocol: 1,
    }
}

fn begun(start: &str) -> OldSees {
    OldSees::Begun {
        start: start.to_owned(),
    }
}

#[test]
fn only_the_start_that_the_launcher_named_is_greeted() {
    let table = [
        (offering(Some("a"), None), called("a"), true),
        (offering(None, Some("a")), begun("a"), true),
        (offering(Some("a"), None), called("b"), false),
        (offering(Some("b"), None), called("a"), false),
        (offering(None, Some("a")), begun("b"), false),
        (offering(None, None), called("a"), false),
        (offering(None, None), begun("a"), false),
    ];
    for (state, event, greeted) in table {
        let what = format!("{state:?} {event:?}");
        let (next, effects) = giver::next(state, event);
        assert_eq!(next == OldState::Greeted, greeted, "{what}");
        assert_eq!(effects.contains(&Old::Greet), greeted, "{what}");
    }
}

#[test]
fn a_limit_before_the_right_moved_says_why_and_calls_the_launcher() {
    let table = [
        (offering(None, None), OldLimit::Answer, Staying::NoAnswer),
        (offering(Some("a"), None), OldLimit::Progress, Staying::NotReady),
        (OldState::Offered, OldLimit::Progress, Staying::NotReady),
        (OldState::Offered, OldLimit::Ready, Staying::NotReady),
        (OldState::Quiet, OldLimit::Composing, Staying::Busy),
    ];
    for (state, limit, why) in table {
        let (next, effects) = giver::next(state, OldSees::Late(limit));
        assert_eq!(next, OldState::Staying(why));
        assert_eq!(
            effects,
            [Old::SayStay(why), Old::HangUp, Old::Recall, Old::Stay(why)],
            "{why}"
        );
    }
}

#[test]
fn who_has_given_goes_on_only_after_the_launchers_word_and_with_the_right() {
    let given = OldState::Given;
    let (state, effects) = giver::next(given, OldSees::Late(OldLimit::Switch));
    assert!(
        effects.contains(&Old::Recall) && !effects.contains(&Old::Retake),
        "{effects:?}"
    );
    let (state, effects) = giver::next(state, OldSees::Retook);
    assert!(!effects.contains(&Old::Thaw), "without a word");
    let (state, effects) = giver::next(state, OldSees::Ended { took_over: false });
    assert!(effects.contains(&Old::Retake), "{effects:?}");
    let (state, effects) = giver::next(state, OldSees::Retook);
    assert!(effects.contains(&Old::Thaw), "{effects:?}");
    assert_eq!(state, OldState::Staying(Staying::NotRaised));
}

#[test]
fn who_is_told_to_leave_stops_writing_before_it_gives_the_right_back() {
    for state in [
        NewState::Holding { old: true },
        NewState::Holding { old: false },
        NewState::Raised,
    ] {
        for (event, why) in [
            (NewSees::Stay, Leaving::OldStays),
            (NewSees::NoLauncher, Leaving::NoLauncher),
        ] {
            let (next, effects) = taker::next(state, event);
            assert_eq!(next, NewState::Leaving(why));
            assert_eq!(effects, [New::Leave(why), New::Return, New::HangUp], "{state:?}");
        }
    }
}

#[test]
fn a_right_that_was_found_brings_the_disk_and_never_what_was_sent_before() {
    let (state, effects) = taker::next(NewState::Taking, NewSees::Cut);
    assert!(effects.contains(&New::Seek), "{effects:?}");
    let (state, effects) = taker::next(state, NewSees::Found);
    assert_eq!(effects, [New::Enough(NewLimit::Seek), New::TakeFromDisk]);
    assert_eq!(state, NewState::Holding { old: false });
}
