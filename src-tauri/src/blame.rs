//! Whose fault it is that the stage was lost, and who comes back how. Pure: from what is seen to what is done.
//!
//! Nothing tells which frame of a web process is at work. What is known is who was pressed or typed into, who was
//! loading and who said something just before. Where that points at one widget, it is named at once. Else those that it
//! points at come back one at a time, and the one with which the stage is lost again is named. A name that was given
//! on such signs alone is taken back if the stage is lost without it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use moult_model::stage::{HeldCause, Placed, Pulse};

use crate::presses::Press;

/// A widget that came back alone has to stand for this long. When that found nobody, twice as long the next time.
const PROBATION: Duration = Duration::from_secs(4);
const DOUBLINGS: u32 = 4;
/// Memory is filled over some time: so long after a press it may still be what came of it.
const FILLING: Duration = Duration::from_secs(5);
/// One that does not get ready is not waited for any longer.
const READY: Duration = Duration::from_secs(12);
/// Only a press that came no later than this after the last beat may be what the stage was lost over: after that it
/// stood still already, and people press on what does not answer.
const PRESS: Duration = Duration::from_millis(400);
/// For this long it is remembered that nobody was named, and who was named on signs.
const MEMORY: Duration = Duration::from_mins(10);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The stage beat.
    Beat(Pulse),
    /// Something was pressed.
    Press(Press),
    /// The stage was lost.
    Lost {
        /// Why.
        cause: HeldCause,
        /// The widgets on it.
        standing: BTreeSet<String>,
        /// Those of them that another version was on its way to.
        swapping: BTreeSet<String>,
    },
    /// All that came back at once stands.
    Settled,
    /// A widget is ready, or has failed.
    Ready(String),
    /// Time went by.
    Tick(Duration),
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// This one did it, and is kept off.
    Name(String, HeldCause),
    /// It was kept off, and was not it: it comes back, on probation.
    Pardon(String),
    /// Put it back on the board.
    Open(String),
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blame {
    pulse: Pulse,
    places: Vec<Placed>,
    since_beat: Duration,
    /// Who was pressed or typed into since the beat before the last, and before the stage stood still.
    touched: BTreeSet<String>,
    touched_before: BTreeSet<String>,
    /// Who was pressed or typed into last, and how long ago.
    last_touched: Option<(String, Duration)>,
    /// How often nobody was named, one time after the other.
    unnamed: u32,
    /// Who waits to come back.
    queue: VecDeque<String>,
    /// Who came back alone, for how long, and whether it is ready.
    probation: Option<(String, Duration, bool)>,
    /// How long ago the stage was lost.
    since_loss: Duration,
    /// Who was named on signs alone.
    on_signs: BTreeSet<String>,
}

impl Blame {
    /// Whether a widget is not to come back yet.
    pub(crate) fn waits(&self, instance: &str) -> bool {
        self.queue.iter().any(|waiting| waiting == instance)
    }

    /// What follows from an event.
    pub(crate) fn next(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Beat(mut pulse) => {
                if let Some(places) = pulse.places.take() {
                    self.places = places;
                }
                self.touched_before = std::mem::take(&mut self.touched);
                self.pulse = pulse;
                self.since_beat = Duration::ZERO;
                Vec::new()
            }
            Event::Press(press) => {
                if self.since_beat <= PRESS {
                    let target = self.target(press);
                    if let Some(target) = &target {
                        self.last_touched = Some((target.clone(), Duration::ZERO));
                    }
                    self.touched.extend(target);
                }
                Vec::new()
            }
            Event::Tick(elapsed) => {
                self.since_beat += elapsed;
                self.since_loss += elapsed;
                if let Some((_, ago)) = &mut self.last_touched {
                    *ago += elapsed;
                }
                self.wait(elapsed)
            }
            Event::Ready(instance) => {
                if let Some((who, time, ready)) = &mut self.probation
                    && *who == instance
                {
                    (*time, *ready) = (Duration::ZERO, true);
                }
                Vec::new()
            }
            Event::Settled => self.go_on(),
            Event::Lost {
                cause,
                standing,
                swapping,
            } => self.judge(cause, &standing, &swapping),
        }
    }

    /// Where a press went.
    fn target(&self, press: Press) -> Option<String> {
        match press {
            Press::Key => self.pulse.keyboard.clone(),
            Press::At(x, y) => {
                let inside = |placed: &&Placed| {
                    (placed.x..placed.x + placed.width).contains(&x)
                        && (placed.y..placed.y + placed.height).contains(&y)
                };
                self.places
                    .iter()
                    .find(inside)
                    .map(|placed| placed.instance.clone())
            }
        }
    }

    fn judge(
        &mut self,
        cause: HeldCause,
        standing: &BTreeSet<String>,
        swapping: &BTreeSet<String>,
    ) -> Vec<Effect> {
        let mut effects = self.pardon(standing);
        if self.since_loss > MEMORY {
            self.unnamed = 0;
        }
        let (one, certain) = self.culprit(cause, standing, swapping);
        if let Some(one) = &one {
            effects.push(Effect::Name(one.clone(), cause));
            self.queue.retain(|waiting| waiting != one);
            if !certain {
                self.on_signs.insert(one.clone());
            }
            self.unnamed = 0;
        } else {
            for suspect in self.suspects(standing) {
                if !self.waits(&suspect) {
                    self.queue.push_back(suspect);
                }
            }
            self.unnamed += 1;
        }
        if let Some((who, _, _)) = self.probation.take()
            && one.as_ref() != Some(&who)
            && !self.waits(&who)
        {
            self.queue.push_front(who);
        }
        self.since_loss = Duration::ZERO;
        self.pulse = Pulse::default();
        self.touched.clear();
        self.touched_before.clear();
        self.last_touched = None;
        effects
    }

    /// Whoever was named on signs alone and was not there this time comes back, once.
    fn pardon(&mut self, standing: &BTreeSet<String>) -> Vec<Effect> {
        if self.since_loss > MEMORY {
            self.on_signs.clear();
        }
        let wronged: Vec<String> = self
            .on_signs
            .iter()
            .filter(|named| !standing.contains(*named))
            .cloned()
            .collect();
        for one in &wronged {
            self.on_signs.remove(one);
            self.queue.push_back(one.clone());
        }
        wronged.into_iter().map(Effect::Pardon).collect()
    }

    /// The one that did it, if that is clear; and whether that is certain.
    fn culprit(
        &self,
        cause: HeldCause,
        standing: &BTreeSet<String>,
        swapping: &BTreeSet<String>,
    ) -> (Option<String>, bool) {
        if let Some((who, _, _)) = &self.probation
            && standing.contains(who)
        {
            return (Some(who.clone()), true);
        }
        if let Some(only) = only(standing) {
            return (Some(only), true);
        }
        let on = |found: &BTreeSet<String>| only(&(found & standing));
        let loading: BTreeSet<String> = self.pulse.loading.iter().cloned().collect();
        // Presses that came after the last beat say more than those before it, which it has survived.
        let filling = self.last_touched.iter().filter(|(_, ago)| *ago <= FILLING);
        let filling: BTreeSet<String> = filling.map(|(who, _)| who.clone()).collect();
        let signs = on(&self.touched)
            .or_else(|| {
                self.touched
                    .is_empty()
                    .then(|| on(&self.touched_before))
                    .flatten()
            })
            .or_else(|| (cause == HeldCause::Memory).then(|| on(&filling)).flatten())
            .or_else(|| on(swapping))
            .or_else(|| on(&loading));
        (signs, false)
    }

    /// Everyone that something points at; everyone, if nothing points at anyone.
    fn suspects(&self, standing: &BTreeSet<String>) -> BTreeSet<String> {
        let pulse = &self.pulse;
        let pointed = pulse.loading.iter().chain(&pulse.active).chain(&pulse.keyboard);
        let pointed = pointed.chain(&self.touched).chain(&self.touched_before);
        let pointed: BTreeSet<String> = pointed
            .filter(|instance| standing.contains(*instance))
            .cloned()
            .collect();
        // Who was pointed at the last time was not it: whoever says nothing may be.
        if pointed.is_empty() || self.unnamed > 0 {
            standing.clone()
        } else {
            pointed
        }
    }

    fn wait(&mut self, elapsed: Duration) -> Vec<Effect> {
        let Some((_, time, ready)) = &mut self.probation else {
            return Vec::new();
        };
        *time += elapsed;
        let doublings = self.unnamed.saturating_sub(1).min(DOUBLINGS);
        if *time
            < if *ready {
                PROBATION * 2_u32.pow(doublings)
            } else {
                READY
            }
        {
            return Vec::new();
        }
        self.probation = None;
        self.go_on()
    }

    /// Lets the next one come back.
    fn go_on(&mut self) -> Vec<Effect> {
        if self.probation.is_some() {
            return Vec::new();
        }
        let Some(who) = self.queue.pop_front() else {
            return Vec::new();
        };
        self.probation = Some((who.clone(), Duration::ZERO, false));
        vec![Effect::Open(who)]
    }
}

fn only(found: &BTreeSet<String>) -> Option<String> {
    match found.len() {
        1 => found.first().cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
