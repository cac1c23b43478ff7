//! What follows from what, as tables, and the invariants over every sequence of ends and words.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't build its fixture has failed"
)]

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::*;
use crate::Why;
use crate::platform::Stop;

const HAND_OVER: Duration = Duration::from_secs(100);
const CLOSING: Duration = Duration::from_secs(5);

fn limits() -> Limits {
    Limits {
        crashes: 1,
        restarts: 1,
        window: Duration::from_mins(1),
        hand_over: HAND_OVER,
        closing: CLOSING,
    }
}

fn slot(name: &str) -> SlotName {
    name.parse().unwrap()
}

fn conclusion(trial: Verdict, then: Then) -> Conclusion {
    Conclusion { trial, then }
}

fn failed() -> Conclusion {
    conclusion(Verdict::Failed(Why::Hung), Then::Start)
}

fn crashed() -> Conclusion {
    conclusion(Verdict::NotOnTrial, Then::Crashed(134))
}

fn ended(run: RunId, conclusion: Conclusion) -> Seen {
    ended_of(run, "1.1.0-a", conclusion)
}

fn ended_of(run: RunId, name: &str, conclusion: Conclusion) -> Seen {
    Seen::Ended {
        run,
        slot: slot(name),
        conclusion,
        damaged: false,
    }
}

/// All effects of a sequence, and the state after it.
fn played(seen: impl IntoIterator<Item = Seen>) -> (State, Vec<Do>) {
    let mut session = Session::new(limits());
    let mut all = Vec::new();
    for seen in seen {
        let (after, effects) = next(session, Duration::ZERO, seen);
        session = after;
        all.extend(effects);
    }
    (session.state, all)
}

/// 1 has the window, 2 is beside it.
fn two(more: impl IntoIterator<Item = Seen>) -> (State, Vec<Do>) {
    let (state, effects) = played(
        [Seen::Started(1), Seen::HandOver(1), Seen::Started(2)]
            .into_iter()
            .chain(more),
    );
    assert_eq!(
        effects[..2],
        [Do::StartBeside(1), Do::TellBegun { old: 1, new: 2 }]
    );
    (state, effects[2..].to_vec())
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
#[test]
fn a_hand_over_ends_as_its_two_runs_do() {
    use HandOverOutcome::{GivenUp, NotReady, TookOver};
    let over = || Do::TellEnded(1, TookOver);
    let quit = conclusion(Verdict::NotOnTrial, Then::Leave(0));
    let unknown = conclusion(Verdict::Unknown, Then::Leave(0));
    let update = conclusion(Verdict::NotOnTrial, Then::Start);
    let table = [
        (
            "the new one takes over",
            vec![Seen::TookOver(2), ended(1, quit)],
            State::One(2),
            vec![over(), Do::HasWindow(2)],
        ),
        (
            "the new one fails and is tried again",
            vec![ended(2, failed()), Seen::Started(3)],
            State::Two {
                old: 1,
                new: 3,
                tries: 2,
                waited: Duration::ZERO,
                recalled: false,
            },
            vec![Do::StartBeside(1), Do::TellBegun { old: 1, new: 3 }],
        ),
        (
            "the new one fails and is given up",
            vec![ended(2, failed()), Seen::NothingBeside],
            State::One(1),
            vec![Do::StartBeside(1), Do::TellEnded(1, GivenUp)],
        ),
        (
            "the new one is not ready and goes by itself",
            vec![ended(2, unknown)],
            State::One(1),
            vec![Do::TellEnded(1, NotReady)],
        ),
        (
            "the old one recalls it",
            vec![
                Seen::Recall(1),
                Seen::Recall(1),
                Seen::TookOver(2),
                ended(2, unknown),
            ],
            State::One(1),
            vec![Do::Recall(2), Do::Kill(2), Do::TellEnded(1, NotReady)],
        ),
        (
            "it takes too long in all",
            vec![
                Seen::Awake(HAND_OVER / 2),
                Seen::Awake(HAND_OVER / 2),
                ended(2, failed()),
            ],
            State::One(1),
            vec![Do::Recall(2), Do::Kill(2), Do::TellEnded(1, NotReady)],
        ),
        (
            "the old one crashes: the new one goes on alone",
            vec![ended(1, crashed())],
            State::One(2),
            vec![Do::HasWindow(2)],
        ),
        (
            "the old one makes room in the old way",
            vec![ended(1, update)],
            State::One(2),
            vec![Do::HasWindow(2)],
        ),
        (
            "the old one is quit by its user: the new one goes too",
            vec![ended(1, quit), ended(2, unknown)],
            State::Over,
            vec![Do::Recall(2), Do::Kill(2), Do::Leave(0, Parting::Quiet)],
        ),
        (
            "the old one crashes while the new one is being ended",
            vec![Seen::Recall(1), ended(1, crashed()), ended(2, unknown)],
            State::Starting,
            vec![Do::Recall(2), Do::Kill(2), Do::Start],
        ),
        (
            "the old one does not end after it gave its window away",
            vec![
                Seen::TookOver(2),
                Seen::Awake(CLOSING),
                Seen::Awake(CLOSING),
                ended(1, crashed()),
            ],
            State::One(2),
            vec![over(), Do::HasWindow(2), Do::Kill(1)],
        ),
        (
            "the new one crashes right after it took over",
            vec![Seen::TookOver(2), ended(2, failed()), ended(1, quit)],
            State::Starting,
            vec![over(), Do::HasWindow(2), Do::Kill(1), Do::Start],
        ),
        (
            "the new one is quit right after it took over",
            vec![Seen::TookOver(2), ended(2, quit), ended(1, crashed())],
            State::Over,
            vec![
                over(),
                Do::HasWindow(2),
                Do::Recall(1),
                Do::Kill(1),
                Do::Leave(0, Parting::Quiet),
            ],
        ),
        (
            "the session ends",
            vec![
                Seen::Stopped(Stop::Terminate),
                ended(1, conclusion(Verdict::NotOnTrial, Then::Leave(143))),
                ended(2, unknown),
            ],
            State::Over,
            vec![
                Do::Pass(1, Stop::Terminate),
                Do::Recall(2),
                Do::Kill(2),
                Do::Leave(143, Parting::Quiet),
            ],
        ),
        (
            "words of those who have no say",
            vec![
                Seen::TookOver(1),
                Seen::Recall(2),
                Seen::TookOver(7),
                Seen::Recall(9),
            ],
            State::Two {
                old: 1,
                new: 2,
                tries: 1,
                waited: Duration::ZERO,
                recalled: false,
            },
            vec![],
        ),
    ];
    for (what, seen, state, effects) in table {
        assert_eq!(two(seen), (state, effects), "{what}");
    }
}

#[test]
fn a_version_is_started_three_times_beside_another_at_most() {
    let (state, effects) = two([
        ended(2, failed()),
        Seen::Started(3),
        ended(3, failed()),
        Seen::Started(4),
        ended(4, failed()),
    ]);
    assert_eq!(state, State::One(1));
    let starts = effects.iter().filter(|one| matches!(one, Do::StartBeside(_)));
    assert_eq!(starts.count(), 2);
    assert_eq!(effects.last(), Some(&Do::TellEnded(1, HandOverOutcome::GivenUp)));
}

#[test]
fn what_is_not_possible_now_is_refused() {
    let refused = |(_, effects): (State, Vec<Do>)| matches!(effects.last(), Some(Do::Refuse(..)));
    let started = || [Seen::Started(1), Seen::HandOver(1)].into_iter();
    assert!(
        refused(played(started().chain([Seen::NothingBeside]))),
        "nothing else is due"
    );
    assert!(
        refused(two([Seen::HandOver(1)])),
        "one hand-over is under way already"
    );
    assert!(refused(two([Seen::HandOver(2)])), "it has no window yet");
    assert!(
        refused(two([Seen::TookOver(2), Seen::HandOver(2)])),
        "the one before still ends"
    );
}

#[test]
fn a_confirmed_version_that_crashes_gives_way_and_then_there_is_a_rescue() {
    let crash = |run, name: &str| ended_of(run, name, crashed());
    let life = |run, name: &'static str| {
        [
            Seen::Started(run),
            crash(run, name),
            Seen::Started(run + 1),
            crash(run + 1, name),
        ]
    };
    let kept = |name: &str| Do::KeptFailing(slot(name));
    let all: Vec<Seen> = life(1, "1.2.0-a")
        .into_iter()
        .chain(life(3, "1.1.0-a"))
        .chain(life(5, "base"))
        .chain([Seen::NothingLeft])
        .collect();
    let expected = vec![
        Do::Start,
        kept("1.2.0-a"),
        Do::Start,
        Do::Start,
        kept("1.1.0-a"),
        Do::Start,
        Do::Start,
        kept("base"),
        Do::Start,
        Do::Rescue,
    ];
    assert_eq!(played(all.clone()), (State::Rescuing, expected.clone()));

    let last_chance = all
        .into_iter()
        .chain([Seen::Rescued, Seen::Started(7), crash(7, "1.2.0-a")]);
    let (state, effects) = played(last_chance);
    assert_eq!(state, State::Over);
    assert_eq!(
        effects[expected.len()..],
        [Do::Start, Do::Leave(134, Parting::NothingLeft)],
        "one more start, and no second rescue"
    );
}

#[test]
fn crashes_are_counted_for_a_slot_and_over_a_time() {
    let mut session = Session::new(limits());
    let mut kept_failing = Vec::new();
    for (number, (at, name)) in [
        (0, "1.1.0-a"),
        (30, "1.2.0-a"),
        (40, "1.1.0-a"),
        (101, "1.1.0-a"),
        (110, "1.1.0-a"),
    ]
    .into_iter()
    .enumerate()
    {
        let run = number as RunId;
        let at = Duration::from_secs(at);
        session = next(session, at, Seen::Started(run)).0;
        let (after, effects) = next(session, at, ended_of(run, name, crashed()));
        session = after;
        kept_failing.push(effects.contains(&Do::KeptFailing(slot(name))));
    }
    assert_eq!(kept_failing, [false, false, false, false, true]);
}

#[test]
fn a_damaged_file_is_lost_and_no_screen_is_no_crash() {
    let damaged = Seen::Ended {
        run: 1,
        slot: slot("1.1.0-a"),
        conclusion: crashed(),
        damaged: true,
    };
    let (_, effects) = played([Seen::Started(1), damaged]);
    assert_eq!(effects, [Do::Lost(slot("1.1.0-a")), Do::Start]);
    let none = conclusion(Verdict::NotOnTrial, Then::NoScreen(1));
    let (state, effects) = played([Seen::Started(1), ended(1, none)]);
    assert_eq!(
        (state, effects),
        (State::Over, vec![Do::Leave(1, Parting::NoScreen)])
    );
}

/// The launcher's world: the session, which runs are alive, which of them were killed, and what is still
/// to be carried out.
#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    session: Session,
    alive: BTreeSet<RunId>,
    killed: BTreeSet<RunId>,
    /// Whether the person or the system wanted an end, or an application did.
    wanted: bool,
    left: bool,
}

impl World {
    fn see(&self, seen: Seen) -> (Self, VecDeque<Do>) {
        let mut world = self.clone();
        match &seen {
            Seen::Started(run) => drop(world.alive.insert(*run)),
            Seen::Ended { run, conclusion, .. } => {
                world.alive.remove(run);
                world.killed.remove(run);
                world.wanted |= matches!(conclusion.then, Then::Leave(_) | Then::NoScreen(_));
            }
            Seen::Stopped(_) => world.wanted = true,
            _ => {}
        }
        let (session, effects) = next(world.session, Duration::ZERO, seen);
        world.session = session;
        (world, effects.into())
    }

    /// The same world with its runs numbered from 1, so that the walk ends.
    fn renumbered(mut self) -> Self {
        let numbers: HashMap<RunId, RunId> = self.alive.iter().copied().zip(1..).collect();
        let new = |run: &mut RunId| *run = numbers.get(run).copied().unwrap_or(99);
        match &mut self.session.state {
            State::One(run) | State::Clearing(run) | State::Leaving { left: run, .. } => new(run),
            State::Asking { old, .. } => new(old),
            State::Two { old, new: other, .. } | State::Closing { old, new: other, .. } => {
                new(old);
                new(other);
            }
            State::Starting | State::Rescuing | State::Over => {}
        }
        self.killed = self.killed.iter().map(|run| numbers[run]).collect();
        self.alive = (1..=self.alive.len() as RunId).collect();
        self
    }
}

/// Carries out what is wished for, with each answer that can come. The worlds in which nothing is to be done.
fn settled(world: World, mut wishes: VecDeque<Do>) -> Vec<World> {
    let mut world = world;
    let free = |world: &World| (1..4).find(|run| !world.alive.contains(run)).unwrap();
    while let Some(wish) = wishes.pop_front() {
        let answers = match wish {
            Do::Start => {
                assert!(world.alive.is_empty(), "two windows");
                vec![Seen::Started(free(&world)), Seen::NothingLeft, Seen::Trouble]
            }
            Do::StartBeside(old) => {
                assert_eq!(world.alive, BTreeSet::from([old]));
                vec![Seen::Started(free(&world)), Seen::NothingBeside]
            }
            Do::Rescue => {
                assert!(world.alive.is_empty());
                vec![Seen::Rescued, Seen::Stopped(Stop::Terminate)]
            }
            Do::Kill(run) => {
                assert!(world.alive.contains(&run), "a stranger would be killed");
                assert_ne!(world.session.window(), Some(run), "the window would be killed");
                assert!(world.killed.insert(run), "once is enough");
                continue;
            }
            Do::Leave(_, parting) => {
                assert!(world.alive.is_empty(), "an orphan is left");
                assert!(world.wanted || parting != Parting::Quiet, "nobody wanted that");
                world.left = true;
                continue;
            }
            Do::HasWindow(run) | Do::Pass(run, _) | Do::TellEnded(run, _) => {
                assert!(world.alive.contains(&run));
                continue;
            }
            Do::TellBegun { old, new } => {
                assert_eq!(world.alive, BTreeSet::from([old, new]));
                continue;
            }
            Do::Refuse(..) | Do::Recall(_) | Do::Lost(_) | Do::KeptFailing(_) => continue,
        };
        return answers
            .into_iter()
            .flat_map(|seen| {
                let (after, follows) = world.see(seen);
                let mut wishes = wishes.clone();
                wishes.extend(follows);
                settled(after, wishes)
            })
            .collect();
    }
    vec![world]
}

/// Whatever ends and whatever is said, in any order: there is a window, or one is being started as soon as
/// something that was killed is gone, or the launcher has left because somebody wanted it, or with a word to
/// the person. Nobody is left behind, and what has the window is never killed.
#[test]
fn no_sequence_leaves_no_window() {
    let conclusions = [
        conclusion(Verdict::NotOnTrial, Then::Leave(0)),
        conclusion(Verdict::Unknown, Then::Leave(143)),
        conclusion(Verdict::NotOnTrial, Then::NoScreen(1)),
        conclusion(Verdict::NotOnTrial, Then::Start),
        conclusion(Verdict::Quit, Then::Start),
        failed(),
        crashed(),
    ];
    let first = World {
        session: Session::new(limits()),
        alive: BTreeSet::new(),
        killed: BTreeSet::new(),
        wanted: false,
        left: false,
    };
    let mut seen_worlds = HashSet::new();
    let mut queue: VecDeque<World> = settled(first, VecDeque::from([Do::Start])).into();
    let mut overs = 0;
    while let Some(world) = queue.pop_front() {
        let world = world.renumbered();
        if !seen_worlds.insert(world.clone()) {
            continue;
        }
        let state = &world.session.state;
        if world.left {
            assert_eq!(*state, State::Over);
            overs += 1;
            continue;
        }
        match (world.session.window(), state) {
            (Some(window), _) => {
                assert!(world.alive.contains(&window), "{state:?}: no window");
                assert!(!world.killed.contains(&window), "{state:?}");
            }
            (None, State::Clearing(run) | State::Leaving { left: run, .. }) => {
                assert_eq!(world.killed, BTreeSet::from([*run]), "{state:?}: it never ends");
                assert_eq!(world.alive, world.killed);
            }
            (None, _) => panic!("nothing runs and nothing follows: {state:?}"),
        }
        assert!(world.alive.len() <= 2, "{state:?}");
        let mut next_seen = vec![
            Seen::Stopped(Stop::Terminate),
            // Long enough for each limit.
            Seen::Awake(HAND_OVER),
        ];
        for run in &world.alive {
            next_seen.extend([Seen::HandOver(*run), Seen::TookOver(*run), Seen::Recall(*run)]);
            let ends = if world.killed.contains(run) {
                &conclusions[1..2]
            } else {
                &conclusions[..]
            };
            for one in ends {
                for damaged in [false, true] {
                    next_seen.push(Seen::Ended {
                        run: *run,
                        slot: slot("1.1.0-a"),
                        conclusion: *one,
                        damaged,
                    });
                }
            }
        }
        for seen in next_seen {
            let mut after = world.clone();
            // A wish to end that was asked for long ago says nothing about what follows.
            after.wanted &= !matches!(after.session.state, State::One(_));
            let (after, wishes) = after.see(seen);
            queue.extend(settled(after, wishes));
        }
    }
    assert!(
        seen_worlds.len() > 200 && overs > 3,
        "{} worlds",
        seen_worlds.len()
    );
}
