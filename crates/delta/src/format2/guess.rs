//! What the field of a reference is expected to be in the new file.
//!
//! There are six ways to an opinion. They are asked in the order of how often each was right of late
//! for references of this kind. Refuses to know how opinions are coded.

use crate::layout::{Layout, Probe, Region, Span};
use crate::scan::{Reference, ReferenceKind, field};

use super::projection::{Learnt, Projection, address};
use super::token::{CANDIDATES, Guess, Token};

/// How many old targets are remembered, as a power of two.
const LEARNT_BITS: u32 = 17;
/// What was learnt of a target is believed without asking for other opinions after it held this
/// often in a row.
const BELIEVED: u8 = 4;
/// Learnt, projected, as an end, unchanged, by the segment that follows, moved as the last one.
const WAYS: usize = 6;

/// A reference of a token, on its way to the new file.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) reference: &'a Reference,
    /// Where the field is in its token.
    pub(crate) in_token: usize,
    /// Which region of the old layout it is from.
    pub(crate) old_region: Option<usize>,
    /// Which region of the new layout it goes to.
    pub(crate) new_region: Option<usize>,
    /// Where its field will stand in the new file.
    pub(crate) position: u32,
}

/// All that opinions rest on.
pub(crate) struct Guesser {
    learnt: Learnt,
    pages: Pages,
    orders: Vec<Order>,
    last_shift: u32,
    new_spans: Vec<Span>,
    old_probes: Vec<Vec<Probe>>,
    new_probes: Vec<Vec<Probe>>,
    /// What the references came to so far.
    check: u32,
}

impl Guesser {
    pub(crate) fn new(old: &Layout, new: &Layout) -> Self {
        let probes = |region: &Region| region.kind.probes().to_vec();
        Self {
            // Without regions there are no references.
            learnt: Learnt::new(if old.regions.is_empty() { 1 } else { LEARNT_BITS }),
            pages: Pages([(u32::MAX, 0); 64]),
            orders: vec![Order::FIRST; 128],
            last_shift: 0,
            new_spans: new.spans.clone(),
            old_probes: old.regions.iter().map(probes).collect(),
            new_probes: new.regions.iter().map(probes).collect(),
            check: 0,
        }
    }

    /// 16 bits that follow from all references so far and where they led.
    pub(crate) fn check(&self) -> u32 {
        self.check >> 16
    }

    /// How many bytes the field of a reference has.
    #[inline]
    pub(crate) fn length(&self, reference: Reference, old_region: Option<usize>) -> usize {
        field::len(reference.kind, of(&self.old_probes, old_region))
    }

    /// The old and the new rules for words of data.
    #[inline]
    fn probes(&self, asked: &Asked<'_>) -> (&[Probe], &[Probe]) {
        let old = of(&self.old_probes, asked.old_region);
        let new = of(&self.new_probes, asked.new_region);
        // A word that went to a region of another shape keeps its own rule.
        (old, if new.len() == old.len() { new } else { old })
    }

    /// The best opinion, and the others too unless it can be believed.
    #[inline]
    pub(crate) fn first(&self, asked: &Asked<'_>, token: &Token<'_>, projection: &Projection) -> Guess {
        match self.learnt.get(asked.reference.target) {
            Some((target, trust)) if trust >= BELIEVED => {
                let mut guess = self.blank(asked);
                guess.trust = 6;
                self.add(&mut guess, asked, token, 0, Some(target));
                guess
            }
            _ => self.all(asked, token, projection),
        }
    }

    fn blank(&self, asked: &Asked<'_>) -> Guess {
        let (old, _) = self.probes(asked);
        let kind = asked.reference.kind;
        Guess {
            at: asked.in_token,
            length: field::len(kind, old),
            kind: match (kind, asked.old_region) {
                (ReferenceKind::Word { probe }, Some(region)) => {
                    19 + (region as u32 * 4 + u32::from(probe)) % 45
                }
                _ => kind.context().into(),
            },
            fields: [[0; 8]; CANDIDATES],
            candidates: 0,
            ways: [0; CANDIDATES],
            trust: 0,
        }
    }

    /// All opinions.
    pub(crate) fn all(&self, asked: &Asked<'_>, token: &Token<'_>, projection: &Projection) -> Guess {
        let target = asked.reference.target;
        let projected = projection.project(target);
        let learnt = self.learnt.get(target);
        let mut guess = self.blank(asked);
        guess.trust = u32::from(projected.exact)
            + match learnt {
                None => 0,
                Some((_, 1)) => 2,
                Some((_, 2..BELIEVED)) => 4,
                Some(_) => 6,
            };
        let targets = [
            learnt.map(|(target, _)| target),
            Some(projected.to),
            Some(projected.end),
            None,
            Some(projected.following),
            Some(target.wrapping_add(self.last_shift)),
        ];
        for way in self.orders[guess.kind as usize & 127].ways {
            let way = usize::from(way);
            if way != 0 || targets[0].is_some() {
                self.add(&mut guess, asked, token, way, targets[way]);
            }
        }
        guess
    }

    /// Adds the opinion that the target is `target`, or that the field stays as it is.
    #[inline]
    fn add(&self, guess: &mut Guess, asked: &Asked<'_>, token: &Token<'_>, way: usize, target: Option<u32>) {
        let mut field = [0; 8];
        let length = guess.length;
        field[..length].copy_from_slice(&token.old[guess.at..guess.at + length]);
        if let Some(target) = target {
            let place = address(&self.new_spans, asked.position);
            let (_, probes) = self.probes(asked);
            field::write(asked.reference.kind, probes, &mut field[..length], place, target);
        }
        match guess.fields[..guess.candidates]
            .iter()
            .position(|other| *other == field)
        {
            Some(same) => guess.ways[same] |= 1 << way,
            None if guess.candidates < CANDIDATES => {
                guess.fields[guess.candidates] = field;
                guess.ways[guess.candidates] = 1 << way;
                guess.candidates += 1;
            }
            None => {}
        }
    }

    /// Learns from the field that a reference became.
    pub(crate) fn learn(&mut self, asked: &Asked<'_>, guess: &Guess, given: &[u8]) {
        let (_, probes) = self.probes(asked);
        let given = &given[guess.at..guess.at + guess.length];
        let place = address(&self.new_spans, asked.position);
        let kind = asked.reference.kind;
        let old = asked.reference.target;
        let Some(mut target) = field::target(kind, probes, given, place) else {
            return;
        };
        match kind {
            ReferenceKind::ArmAdrp => {
                self.pages.set(old, target);
                return;
            }
            ReferenceKind::ArmLow12 { .. } => match self.pages.get(old) {
                Some(page) => target = page | target & 0xfff,
                None => return,
            },
            _ => {}
        }
        if guess.candidates > 1 {
            let right = (0..guess.candidates).find(|at| guess.fields[*at][..guess.length] == *given);
            let ways = right.map_or(0, |at| guess.ways[at]);
            self.orders[guess.kind as usize & 127].learn(ways);
        }
        self.check = (self.check ^ target).wrapping_mul(0x0100_0193).rotate_left(5);
        self.last_shift = target.wrapping_sub(old);
        self.learnt.set(old, target);
    }
}

#[inline]
fn of(probes: &[Vec<Probe>], region: Option<usize>) -> &[Probe] {
    region
        .and_then(|region| probes.get(region))
        .map_or(&[], |probes| probes)
}

/// Which new page the last `ADRP` of an old page led to: 64 places, by the lowest bits of the page.
struct Pages([(u32, u32); 64]);

impl Pages {
    fn set(&mut self, old: u32, new: u32) {
        self.0[(old >> 12) as usize % 64] = (old >> 12, new >> 12);
    }

    fn get(&self, old: u32) -> Option<u32> {
        let (page, new) = self.0[(old >> 12) as usize % 64];
        (page == old >> 12).then_some(new << 12)
    }
}

/// In which order the ways are asked: those first that were right more often of late.
#[derive(Clone, Copy)]
struct Order {
    ways: [u8; WAYS],
    scores: [u32; WAYS],
}

impl Order {
    const FIRST: Self = Self {
        ways: [0, 1, 2, 3, 4, 5],
        scores: [3 << 12, 2 << 12, 0, 0, 0, 0],
    };

    /// `right` has a bit for each way that was right. Ways with one score keep their order.
    fn learn(&mut self, right: u32) {
        for (way, score) in self.scores.iter_mut().enumerate() {
            let goal = (right >> way & 1) << 16;
            *score = *score - (*score >> 6) + (goal >> 6);
        }
        let scores = self.scores;
        self.ways.sort_by_key(|way| u32::MAX - scores[usize::from(*way)]);
    }
}
