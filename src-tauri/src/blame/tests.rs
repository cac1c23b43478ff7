use super::*;

fn set(names: &str) -> BTreeSet<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

fn pulse(loading: &str, active: &str, keyboard: Option<&str>) -> Event {
    let placed = |instance: &str, x| Placed {
        instance: instance.to_owned(),
        x,
        y: 0.0,
        width: 100.0,
        height: 100.0,
    };
    Event::Beat(Pulse {
        hidden: false,
        loading: set(loading).into_iter().collect(),
        active: set(active).into_iter().collect(),
        keyboard: keyboard.map(str::to_owned),
        places: Some(vec![placed("a", 0.0), placed("b", 100.0), placed("c", 200.0)]),
    })
}

fn lost(standing: &str) -> Event {
    Event::Lost {
        cause: HeldCause::Hung,
        standing: set(standing),
        swapping: BTreeSet::new(),
    }
}

fn name(who: &str) -> Effect {
    Effect::Name(who.to_owned(), HeldCause::Hung)
}

fn open(who: &str) -> Effect {
    Effect::Open(who.to_owned())
}

fn play(events: Vec<Event>) -> Vec<Effect> {
    let mut blame = Blame::default();
    events.into_iter().flat_map(|event| blame.next(event)).collect()
}

/// The widget is ready and stands out its probation.
fn stands(who: &str) -> Vec<Event> {
    vec![Event::Ready(who.to_owned()), Event::Tick(PROBATION)]
}

#[test]
fn one_that_everything_points_at_is_named_at_once() {
    let at_b = || Event::Press(Press::At(150.0, 50.0));
    let key = || Event::Press(Press::Key);
    let late = || Event::Tick(PRESS * 2);
    let cases: Vec<(&str, Vec<Event>, &str)> = vec![
        ("alone on the board", vec![pulse("", "", None), lost("a")], "a"),
        (
            "pressed",
            vec![pulse("", "a c", None), at_b(), lost("a b c")],
            "b",
        ),
        (
            "pressed before the last beat",
            vec![pulse("", "", None), at_b(), pulse("", "a b", None), lost("a b c")],
            "b",
        ),
        (
            "typed into",
            vec![pulse("", "", Some("c")), key(), lost("a b c")],
            "c",
        ),
        (
            "the only one that another version is on its way to",
            vec![
                pulse("", "b c", None),
                Event::Lost {
                    cause: HeldCause::Hung,
                    standing: set("a b c"),
                    swapping: set("a"),
                },
            ],
            "a",
        ),
        (
            "the only one that loads",
            vec![pulse("a", "b c", None), lost("a b c")],
            "a",
        ),
        (
            "pressed when it stood still",
            vec![pulse("a", "", None), late(), at_b(), lost("a b c")],
            "a",
        ),
    ];
    for (case, events, who) in cases {
        assert_eq!(play(events), [name(who)], "{case}");
    }
}

#[test]
fn suspects_come_back_one_at_a_time_and_the_one_that_does_it_again_is_named() {
    let events = [
        vec![pulse("", "a b", None), lost("a b c"), Event::Settled],
        stands("a"),
        vec![Event::Ready("b".to_owned()), lost("a b c"), Event::Settled],
    ];
    assert_eq!(play(events.concat()), [open("a"), open("b"), name("b")]);
}

#[test]
fn where_nothing_points_at_anyone_all_come_back_one_at_a_time() {
    let events = [
        vec![pulse("", "", None), lost("a b c"), Event::Settled],
        vec![lost("a"), Event::Settled],
        stands("b"),
        vec![Event::Tick(READY), Event::Tick(READY)],
    ];
    assert_eq!(
        play(events.concat()),
        [open("a"), name("a"), open("b"), open("c")]
    );
}

#[test]
fn where_the_suspects_were_not_it_all_come_back_one_at_a_time_and_stand_for_longer() {
    let long = |who: &str| {
        vec![
            Event::Ready(who.to_owned()),
            Event::Tick(PROBATION),
            Event::Tick(PROBATION),
        ]
    };
    let events = [
        vec![pulse("", "a b", None), lost("a b c"), Event::Settled],
        stands("a"),
        stands("b"),
        vec![pulse("", "a b", None), lost("a b c"), Event::Settled],
        long("a"),
        long("b"),
        vec![
            Event::Ready("c".to_owned()),
            Event::Tick(PROBATION),
            lost("a b c"),
        ],
    ];
    let expected = [open("a"), open("b"), open("a"), open("b"), open("c"), name("c")];
    assert_eq!(play(events.concat()), expected);
}

#[test]
fn memory_may_be_filled_for_some_time_after_a_press() {
    let filled = |after: u64| {
        let lost = Event::Lost {
            cause: HeldCause::Memory,
            standing: set("a b c"),
            swapping: BTreeSet::new(),
        };
        let beats = (0..after).flat_map(|_| [pulse("", "", None), Event::Tick(Duration::from_secs(1))]);
        let press = [pulse("", "", None), Event::Press(Press::At(150.0, 50.0))];
        play(
            press
                .into_iter()
                .chain(beats)
                .chain([pulse("", "a", None), lost])
                .collect(),
        )
    };
    assert_eq!(filled(4), [Effect::Name("b".to_owned(), HeldCause::Memory)]);
    assert_eq!(filled(6), []);
}

#[test]
fn who_was_wrongly_named_comes_back() {
    let wrong = [
        vec![
            pulse("", "", Some("a")),
            Event::Press(Press::Key),
            lost("a b c"),
            Event::Settled,
        ],
        vec![pulse("", "b c", None), lost("b c"), Event::Settled],
        stands("a"),
        vec![lost("a b"), Event::Settled],
    ];
    assert_eq!(
        play(wrong.concat()),
        [
            name("a"),
            Effect::Pardon("a".to_owned()),
            open("a"),
            open("b"),
            name("b"),
            open("c")
        ]
    );
}
