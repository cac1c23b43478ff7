use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn tick_of(milliseconds: u64) -> Event {
    Event::Tick {
        elapsed: Duration::from_millis(milliseconds),
        busy: None,
        memory: 0,
        watched: true,
    }
}

/// Plays events and returns all that was to be done.
fn play(events: &[Event]) -> Vec<Effect> {
    let mut heart = Heart::default();
    let mut done = Vec::new();
    for event in events {
        let (after, effects) = next(heart, *event);
        heart = after;
        done.extend(effects);
    }
    done
}

fn open() -> Vec<Event> {
    vec![Event::Opened, Event::Beat { hidden: false }, Event::Settled]
}

#[test]
fn only_a_page_that_could_beat_and_did_not_is_ended() {
    let idle = Event::Tick {
        elapsed: Duration::from_millis(100),
        busy: Some(Duration::ZERO),
        memory: 0,
        watched: true,
    };
    let looping = Event::Tick {
        elapsed: Duration::from_millis(100),
        busy: Some(Duration::from_millis(60)),
        memory: 0,
        watched: true,
    };
    let unseen = Event::Tick {
        elapsed: SECOND,
        busy: None,
        memory: 0,
        watched: false,
    };
    let slept = tick_of(3_600_000);
    let beat = Event::Beat { hidden: false };
    let hidden = Event::Beat { hidden: true };
    let cases: Vec<(&str, Vec<Event>, bool)> = vec![
        ("silent for 0.9 s", vec![tick_of(100); 9], false),
        ("silent for 1 s", vec![tick_of(100); 10], true),
        ("at work for 1 s", vec![looping; 10], true),
        ("without a processor for 1 s", vec![idle; 10], false),
        ("without a processor for 5 s", vec![idle; 50], true),
        ("the system slept for an hour", vec![slept], false),
        (
            "the system slept, and then silence",
            vec![slept, slept, slept, slept],
            true,
        ),
        ("the window is not on the screen", vec![unseen; 60], false),
        (
            "the page is not seen",
            [vec![hidden], vec![tick_of(100); 90]].concat(),
            false,
        ),
        (
            "the page is seen again and beats late",
            [vec![hidden, Event::Woke], vec![tick_of(100); 25], vec![beat]].concat(),
            false,
        ),
        (
            "the page is seen again and never beats",
            [vec![hidden, Event::Woke], vec![tick_of(100); 31]].concat(),
            true,
        ),
        (
            "it beats",
            (0..30).flat_map(|_| [tick_of(250), tick_of(250), beat]).collect(),
            false,
        ),
    ];
    for (name, events, lost) in cases {
        let done = play(&[open(), events].concat());
        let expected = if lost {
            vec![Effect::Blame(Loss::Hung), Effect::End]
        } else {
            Vec::new()
        };
        assert_eq!(done, expected, "{name}");
    }
}

#[test]
fn the_first_load_has_its_time_and_a_load_after_an_end_less() {
    assert_eq!(
        play(&vec![tick_of(100); 600]),
        [],
        "no page yet: the launcher watches"
    );
    let opened = |seconds: usize| [vec![Event::Opened], vec![tick_of(100); seconds * 10]].concat();
    assert_eq!(play(&opened(5)), []);
    assert_eq!(play(&opened(6)), [Effect::Blame(Loss::Hung), Effect::End]);
    let gone = Event::Gone { memory: false };
    let again = [open(), vec![gone, Event::Opened], vec![tick_of(100); 20]].concat();
    assert_eq!(
        play(&again),
        [
            Effect::Blame(Loss::Crashed),
            Effect::Load,
            Effect::Blame(Loss::Hung),
            Effect::End
        ]
    );
}

#[test]
fn what_was_ended_is_loaded_again_when_it_is_gone_or_does_not_go() {
    let silent = [open(), vec![tick_of(100); 10]].concat();
    let lost = [Effect::Blame(Loss::Hung), Effect::End, Effect::Load];
    let gone = Event::Gone { memory: false };
    assert_eq!(play(&[silent.clone(), vec![gone]].concat()), lost);
    assert_eq!(play(&[silent, vec![tick_of(100); 20]].concat()), lost);
}

#[test]
fn what_takes_all_memory_is_ended_also_while_it_beats_or_is_not_seen() {
    let large = Event::Tick {
        elapsed: Duration::from_millis(100),
        busy: None,
        memory: MEMORY_BYTES + 1,
        watched: false,
    };
    for hidden in [false, true] {
        let events = [open(), vec![Event::Beat { hidden }, large]].concat();
        assert_eq!(play(&events), [Effect::Blame(Loss::Memory), Effect::End]);
    }
    let events = [open(), vec![Event::Gone { memory: true }]].concat();
    assert_eq!(play(&events), [Effect::Blame(Loss::Memory), Effect::Load]);
}
