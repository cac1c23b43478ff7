//! How runs are judged, as tables.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn said(message: ToLauncher) -> Seen {
    Seen::Said(message)
}

fn quitting(why: Quit) -> Seen {
    said(ToLauncher::Quitting { why })
}

fn painted() -> Seen {
    said(ToLauncher::Painted)
}

fn watch(on_trial: bool, seen: Vec<Seen>) -> (Watch, Vec<Do>) {
    let mut watch = Watch::new(Deadlines::default(), on_trial);
    let wishes = seen.into_iter().filter_map(|seen| watch.see(seen)).collect();
    (watch, wishes)
}

fn judged(on_trial: bool, seen: Vec<Seen>, end: End) -> (Vec<Do>, Verdict, Then) {
    let (watch, wishes) = watch(on_trial, seen);
    let Conclusion { trial, then } = watch.conclude(end, Screen::There);
    (wishes, trial, then)
}

const OK: End = End::Code(0);

#[expect(clippy::too_many_lines, reason = "it is a table")]
#[test]
fn a_trial_is_judged_by_how_it_ended() {
    use Then::{Leave, Start};
    use Verdict::{Failed, Unknown};
    let crashed = |code| Failed(Why::Crashed { code });
    let early = Failed(Why::ExitedEarly);
    let quit_after_paint = |why| vec![painted(), quitting(why)];
    let stopped = |stop| vec![painted(), Seen::PassedOn(stop)];
    let table = [
        ("a crash at once", vec![], End::Signal(11), crashed(139), Start),
        (
            "a crash after the first paint",
            vec![painted()],
            End::Code(3),
            crashed(3),
            Start,
        ),
        (
            "killed by the system",
            vec![painted()],
            End::Signal(9),
            crashed(137),
            Start,
        ),
        ("an exit before the first paint", vec![], OK, early, Start),
        ("an exit without a word", vec![painted()], OK, early, Start),
        (
            "an update before the first paint",
            vec![quitting(Quit::Update)],
            OK,
            early,
            Start,
        ),
        (
            "a quit before the first paint",
            vec![quitting(Quit::User)],
            OK,
            early,
            Start,
        ),
        (
            "the user quits",
            quit_after_paint(Quit::User),
            OK,
            Verdict::Quit,
            Leave(0),
        ),
        (
            "the session ends",
            quit_after_paint(Quit::Session),
            OK,
            Verdict::Quit,
            Leave(0),
        ),
        (
            "the session ends during the start",
            vec![quitting(Quit::Session)],
            OK,
            Unknown,
            Leave(0),
        ),
        (
            "it makes room for an update",
            quit_after_paint(Quit::Update),
            OK,
            Verdict::Quit,
            Start,
        ),
        (
            "a crash while quitting",
            quit_after_paint(Quit::User),
            End::Signal(11),
            crashed(139),
            Leave(139),
        ),
        (
            "a crash while updating",
            quit_after_paint(Quit::Update),
            End::Signal(11),
            crashed(139),
            Start,
        ),
        (
            "stopped through the launcher",
            stopped(Stop::Terminate),
            End::Signal(15),
            Verdict::Quit,
            Leave(143),
        ),
        (
            "stopped, and ended well",
            stopped(Stop::Interrupt),
            OK,
            Verdict::Quit,
            Leave(0),
        ),
        (
            "stopped during the start",
            vec![Seen::PassedOn(Stop::HangUp)],
            End::Signal(1),
            Unknown,
            Leave(129),
        ),
        (
            "stopped by somebody else",
            vec![painted()],
            End::Signal(15),
            Verdict::Quit,
            Leave(143),
        ),
        (
            "stopped by somebody else during the start",
            vec![],
            End::Signal(15),
            Unknown,
            Leave(143),
        ),
    ];
    for (what, seen, end, verdict, then) in table {
        assert_eq!(judged(true, seen, end), (vec![], verdict, then), "{what}");
    }
}

#[test]
fn a_confirmed_version_is_left_alone() {
    use Then::{Crashed, Leave, Start};
    let table = [
        ("an exit without a word", vec![], OK, Leave(0)),
        ("a crash", vec![painted()], End::Signal(11), Crashed(139)),
        ("a failure code", vec![], End::Code(2), Crashed(2)),
        (
            "a day without a heartbeat",
            vec![painted(), Seen::Awake(SECOND * 86_400)],
            OK,
            Leave(0),
        ),
        (
            "the user quits",
            vec![painted(), quitting(Quit::User)],
            OK,
            Leave(0),
        ),
        (
            "a crash while quitting",
            vec![painted(), quitting(Quit::User)],
            End::Signal(11),
            Leave(139),
        ),
        ("an update", vec![quitting(Quit::Update)], OK, Start),
        (
            "a crash while updating",
            vec![quitting(Quit::Update)],
            End::Signal(6),
            Start,
        ),
        (
            "stopped",
            vec![Seen::PassedOn(Stop::Terminate)],
            End::Signal(15),
            Leave(143),
        ),
    ];
    for (what, seen, end, then) in table {
        assert_eq!(
            judged(false, seen, end),
            (vec![], Verdict::NotOnTrial, then),
            "{what}"
        );
    }
    let confirmed = vec![painted(), Seen::Confirmed, Seen::Awake(SECOND * 60)];
    let expected = (vec![], Verdict::NotOnTrial, Crashed(139));
    assert_eq!(
        judged(true, confirmed, End::Signal(11)),
        expected,
        "confirmed during its trial"
    );
}

#[test]
fn a_trial_that_hangs_is_asked_to_end_and_then_killed() {
    let progress = || said(ToLauncher::Progress { what: String::new() });
    let seconds = |count: usize| vec![Seen::Awake(SECOND); count];
    let table = [
        ("nothing is shown", seconds(15), vec![Do::AskToEnd]),
        (
            "it does not end when asked",
            seconds(20),
            vec![Do::AskToEnd, Do::Kill],
        ),
        (
            "the heart stops",
            [vec![painted()], seconds(15)].concat(),
            vec![Do::AskToEnd],
        ),
        (
            "progress, and then nothing",
            [seconds(14), vec![progress()], seconds(15)].concat(),
            vec![Do::AskToEnd],
        ),
        (
            "progress for ever",
            (0..600).flat_map(|_| [progress(), Seen::Awake(SECOND)]).collect(),
            vec![Do::AskToEnd],
        ),
    ];
    for (what, seen, expected) in table {
        for end in [OK, End::Signal(15), End::Signal(9)] {
            let expected = (expected.clone(), Verdict::Failed(Why::Hung), Then::Start);
            assert_eq!(judged(true, seen.clone(), end), expected, "{what}");
        }
    }
}

#[test]
fn signs_of_life_keep_a_trial_alive() {
    let lively = |seen: Seen| -> Vec<Seen> {
        (0..20)
            .flat_map(|_| [seen.clone(), Seen::Awake(SECOND * 14)])
            .collect()
    };
    let stopped = vec![painted(), Seen::PassedOn(Stop::Terminate)];
    let table = [
        (
            "progress",
            lively(said(ToLauncher::Progress {
                what: "reading".into(),
            })),
        ),
        (
            "heartbeats",
            [vec![painted()], lively(said(ToLauncher::Heartbeat))].concat(),
        ),
        (
            "stopped from outside, it asks its user",
            [stopped, vec![Seen::Awake(SECOND); 100]].concat(),
        ),
    ];
    for (what, seen) in table {
        assert_eq!(watch(true, seen).1, [], "{what}");
    }
}

#[test]
fn what_says_that_it_ends_has_to_end() {
    for (on_trial, verdict) in [(false, Verdict::NotOnTrial), (true, Verdict::Failed(Why::Hung))] {
        let beats = (0..20).flat_map(|_| [said(ToLauncher::Heartbeat), Seen::Awake(SECOND)]);
        let seen = [painted(), quitting(Quit::User)]
            .into_iter()
            .chain(beats)
            .collect();
        let expected = (vec![Do::AskToEnd, Do::Kill], verdict, Then::Leave(0));
        assert_eq!(judged(on_trial, seen, End::Signal(9)), expected);
    }
}

#[test]
fn three_starts_that_hang_hard_are_over_within_a_minute() {
    let mut watch = Watch::new(Deadlines::default(), true);
    let tick = Deadlines::default().tick();
    let mut time = Duration::ZERO;
    loop {
        time += tick;
        if watch.see(Seen::Awake(tick)) == Some(Do::Kill) {
            break;
        }
    }
    assert_eq!(time * 3, SECOND * 54);
}

#[test]
fn without_a_screen_nothing_is_judged() {
    use Screen::{Gone, NotTold, There};
    let failed = Then::NoScreen(1);
    let crash = |code| Verdict::Failed(Why::Crashed { code });
    let quit = || vec![painted(), quitting(Quit::User)];
    let one = End::Code(1);
    let table = [
        (
            "it has gone",
            Gone,
            vec![painted()],
            one,
            Verdict::Unknown,
            failed,
        ),
        ("it was never there", Gone, vec![], one, Verdict::Unknown, failed),
        (
            "nobody told where",
            NotTold,
            vec![],
            one,
            Verdict::Unknown,
            failed,
        ),
        (
            "it showed something all the same",
            NotTold,
            vec![painted()],
            one,
            crash(1),
            Then::Start,
        ),
        ("it is there", There, vec![], one, crash(1), Then::Start),
        (
            "a fault of its own",
            Gone,
            vec![],
            End::Signal(11),
            crash(139),
            Then::Start,
        ),
        (
            "an exit without a word",
            Gone,
            vec![],
            OK,
            Verdict::Failed(Why::ExitedEarly),
            Then::Start,
        ),
        (
            "a failure while quitting",
            Gone,
            quit(),
            one,
            crash(1),
            Then::Leave(1),
        ),
        (
            "it says itself that it is broken",
            Gone,
            vec![said(ToLauncher::Unfit { what: String::new() })],
            one,
            crash(UNFIT),
            Then::Start,
        ),
    ];
    for (what, screen, seen, end, trial, then) in table {
        let conclusion = watch(true, seen).0.conclude(end, screen);
        assert_eq!(conclusion, Conclusion { trial, then }, "{what}");
    }
    let confirmed = watch(false, vec![]).0.conclude(one, Gone);
    assert_eq!((confirmed.trial, confirmed.then), (Verdict::NotOnTrial, failed));
}

#[test]
fn what_says_that_it_is_unfit_has_failed_and_has_to_end() {
    let unfit = || said(ToLauncher::Unfit { what: "trust".into() });
    let failed = Verdict::Failed(Why::Crashed { code: UNFIT });
    for (what, more, end) in [
        ("it ends", vec![], OK),
        ("it ends for an update", vec![quitting(Quit::Update)], OK),
        ("it crashes", vec![], End::Signal(6)),
    ] {
        let seen = [painted(), unfit()].into_iter().chain(more).collect();
        assert_eq!(judged(true, seen, end), (vec![], failed, Then::Start), "{what}");
    }
    let beats = (0..20).flat_map(|_| [said(ToLauncher::Heartbeat), Seen::Awake(SECOND)]);
    let seen = [painted(), unfit()].into_iter().chain(beats).collect();
    assert_eq!(
        judged(true, seen, End::Signal(9)),
        (vec![Do::AskToEnd, Do::Kill], failed, Then::Start)
    );
    let confirmed = judged(false, vec![painted(), unfit()], End::Signal(11));
    assert_eq!(
        confirmed.2,
        Then::Crashed(139),
        "a confirmed one goes on as it can"
    );
}

#[test]
fn one_that_is_not_wanted_beside_another_is_not_blamed() {
    let judged = |seen: Vec<Seen>, end| {
        let mut watch = Watch::new(Deadlines::default(), true).beside();
        for one in seen {
            watch.see(one);
        }
        watch.conclude(end, Screen::There).trial
    };
    let crash = Verdict::Failed(Why::Crashed { code: 137 });
    let leaves = || quitting(Quit::Update);
    let table = [
        (
            "recalled and killed",
            vec![Seen::Recalled],
            End::Signal(9),
            Verdict::Unknown,
        ),
        (
            "it leaves by itself",
            vec![painted(), leaves()],
            OK,
            Verdict::Unknown,
        ),
        ("it crashes", vec![painted()], End::Signal(9), crash),
        (
            "it took over, and quits",
            vec![painted(), Seen::OnItsOwn, leaves()],
            OK,
            Verdict::Quit,
        ),
        (
            "it hung before it was recalled",
            vec![Seen::Awake(SECOND * 15), Seen::Recalled],
            End::Signal(9),
            Verdict::Failed(Why::Hung),
        ),
    ];
    for (what, seen, end, verdict) in table {
        assert_eq!(judged(seen, end), verdict, "{what}");
    }
}
