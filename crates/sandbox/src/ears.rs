//! Who hears what: listeners to events, those who answer requests, and readers of shared values. Pure: it names whom
//! something is for, and delivers nothing.

use std::collections::BTreeMap;

/// What one load may hear in all: listeners, answers and readings.
const MOST: usize = 64;

/// Which half of a widget: its page or its logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The frame.
    Page,
    /// The component.
    Logic,
}

/// One who hears. It goes with its load: another version of the widget says anew what it wants to hear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ear {
    /// The load, by its token.
    pub load: String,
    /// Which half of it.
    pub side: Side,
}

impl Ear {
    /// One half of a load.
    #[must_use]
    pub fn new(load: &str, side: Side) -> Self {
        let load = load.to_owned();
        Self { load, side }
    }
}

/// What is heard on a topic or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Events, by all who listen.
    Event,
    /// Requests, by one who answers.
    Request,
    /// Changes of a value, by all who read it.
    Value,
}

/// A load hears as much as it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} listeners, answers and readings are as many as there may be")]
pub struct TooManyEars;

/// All ears.
#[derive(Debug, Default)]
pub struct Ears {
    heard: BTreeMap<(Kind, String), Vec<Ear>>,
}

impl Ears {
    /// From now on an ear hears a topic. Twice the same is once.
    pub fn open(&mut self, kind: Kind, topic: &str, ear: Ear) -> Result<(), TooManyEars> {
        let mut already = 0;
        for ((known, name), ears) in &self.heard {
            let of_load = ears.iter().filter(|other| other.load == ear.load);
            if *known == kind && name == topic && ears.contains(&ear) {
                return Ok(());
            }
            already += of_load.count();
        }
        if already >= MOST {
            return Err(TooManyEars);
        }
        self.heard.entry((kind, topic.to_owned())).or_default().push(ear);
        Ok(())
    }

    /// Those who hear a topic, the one that came last at the end.
    pub fn on(&self, kind: Kind, topic: &str) -> &[Ear] {
        self.heard
            .get(&(kind, topic.to_owned()))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// A load is gone, with all its ears.
    pub fn close(&mut self, load: &str) {
        self.heard.retain(|_, ears| {
            ears.retain(|ear| ear.load != load);
            !ears.is_empty()
        });
    }

    /// Everything is gone: the page that held all frames is new.
    pub fn clear(&mut self) {
        self.heard.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_what_it_asked_for_and_nothing_when_it_is_gone() {
        let mut ears = Ears::default();
        for (kind, topic, load, side) in [
            (Kind::Event, "w/a/b:t", "one", Side::Page),
            (Kind::Event, "w/a/b:t", "one", Side::Page),
            (Kind::Event, "w/a/b:t", "one", Side::Logic),
            (Kind::Event, "w/a/b:t", "two", Side::Page),
            (Kind::Request, "w/a/b:t", "two", Side::Page),
        ] {
            assert_eq!(ears.open(kind, topic, Ear::new(load, side)), Ok(()));
        }
        assert_eq!(ears.on(Kind::Event, "w/a/b:t").len(), 3);
        assert_eq!(ears.on(Kind::Request, "w/a/b:t"), [Ear::new("two", Side::Page)]);
        assert!(ears.on(Kind::Value, "w/a/b:t").is_empty());
        assert!(ears.on(Kind::Event, "w/a/b:other").is_empty());
        ears.close("two");
        assert_eq!(ears.on(Kind::Event, "w/a/b:t").len(), 2);
        assert!(ears.on(Kind::Request, "w/a/b:t").is_empty());
    }

    #[test]
    fn the_sixty_fifth_ear_of_a_load_is_refused_and_those_of_others_are_not() {
        let mut ears = Ears::default();
        for number in 0..MOST {
            let kind = [Kind::Event, Kind::Request, Kind::Value][number % 3];
            let side = [Side::Page, Side::Logic][number % 2];
            assert_eq!(
                ears.open(kind, &number.to_string(), Ear::new("one", side)),
                Ok(())
            );
        }
        assert_eq!(
            ears.open(Kind::Event, "x", Ear::new("one", Side::Page)),
            Err(TooManyEars)
        );
        assert_eq!(
            ears.open(Kind::Event, "0", Ear::new("one", Side::Page)),
            Ok(()),
            "what it hears already"
        );
        assert_eq!(ears.open(Kind::Event, "x", Ear::new("two", Side::Page)), Ok(()));
        ears.close("one");
        assert_eq!(ears.open(Kind::Event, "x", Ear::new("one", Side::Page)), Ok(()));
    }
}
