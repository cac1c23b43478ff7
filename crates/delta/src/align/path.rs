//! The cheapest way through a block of the new image: a few diagonals of the old image are followed
//! side by side, each with what the bytes so far cost on the best way that ends on it.
//!
//! A diagonal is a place in the old image that moves along with the place in the new one. It enters
//! where a match is found, and not only there: it is followed backwards to where the change to it
//! would have been cheapest. Refuses to know how matches are found and what the costs stand for.

use super::suffix::{Found, SEED, Suffixes};
use super::weights::{RUNS, Weights};
use crate::segment::Segment;

/// How far back a diagonal is followed from where it was found, in bytes.
const BACK: usize = 1 << 10;
/// How many diagonals are followed at most.
const STATES: usize = 12;
/// How many segments back a segment may go on that was left.
const RESUMES: usize = 16;
/// How far beside the straight continuation is near, in bytes.
const NEAR: u32 = 256;
/// How many matches are tried at one place.
const TRIED: usize = 3;
/// The run that a new diagonal is thought to have had.
const ENTRY_RUN: u8 = 4;
/// No node.
const NONE: u32 = u32::MAX;
/// When there are so many nodes, those that no way needs any more are dropped.
const CROWD: usize = 1 << 17;

/// A segment on some way: from `new` on it follows the diagonal that stands at `old` there. The
/// segment before it ended at `left`.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    left: u32,
    new: u32,
    old: u32,
}

/// A diagonal that is followed.
#[derive(Clone, Copy)]
struct State {
    cost: u32,
    /// Where it stands in the old image.
    old: usize,
    node: u32,
    /// How many bytes before were equal, at most `RUNS` - 1.
    run: u8,
}

/// The cheapest way to a place: what it costs, its last segment, and where that ended.
#[derive(Clone, Copy)]
struct Source {
    cost: u32,
    node: u32,
    left: u32,
    /// The last segment's diagonal: old place less new place.
    diagonal: u32,
}

/// Finds the ways through blocks of one pair of images.
pub(super) struct Path<'a> {
    suffixes: &'a Suffixes<'a>,
    old: &'a [u8],
    new: &'a [u8],
    weights: &'a Weights,
    nodes: Vec<Node>,
    /// At how many nodes those are dropped that no way needs.
    crowd: usize,
    states: Vec<State>,
    ring: Vec<Source>,
    found: Found,
}

impl<'a> Path<'a> {
    pub(super) fn new(
        suffixes: &'a Suffixes<'a>,
        old: &'a [u8],
        new: &'a [u8],
        weights: &'a Weights,
    ) -> Self {
        let source = Source {
            cost: 0,
            node: NONE,
            left: 0,
            diagonal: 0,
        };
        Self {
            suffixes,
            old,
            new,
            weights,
            nodes: Vec::with_capacity(CROWD),
            crowd: CROWD,
            states: Vec::with_capacity(STATES + 1),
            ring: vec![source; BACK],
            found: Found::default(),
        }
    }

    /// The segments of `new[begin..end]`.
    pub(super) fn solve(&mut self, begin: usize, end: usize) -> Vec<Segment> {
        self.nodes.clear();
        self.crowd = CROWD;
        self.states.clear();
        // The way that is on no diagonal at the moment.
        let mut literal = Source {
            cost: 0,
            node: NONE,
            left: begin as u32,
            diagonal: 0,
        };
        let mut query = begin;
        for at in begin..end {
            let mut best = self.best(at, &literal);
            self.ring[at % BACK] = best;
            if at >= query {
                if self.nodes.len() >= self.crowd {
                    self.drop_dead_ends(&mut literal);
                }
                query = self.query(begin, at);
                best = self.best(at, &literal);
                self.ring[at % BACK] = best;
                self.relax(at, &best);
            }
            if best.left == at as u32 && best.cost + self.weights.leave < literal.cost {
                literal = best;
                literal.cost += self.weights.leave;
            }
            literal.cost += self.weights.literal;
            self.step(at);
        }
        let best = self.best(end, &literal);
        self.trace(&best)
    }

    /// The cheapest way to `at`.
    fn best(&self, at: usize, literal: &Source) -> Source {
        let mut best = *literal;
        let mut on = None;
        for state in &self.states {
            if state.cost < best.cost {
                best.cost = state.cost;
                on = Some(state);
            }
        }
        if let Some(state) = on {
            best.node = state.node;
            best.left = at as u32;
            best.diagonal = (state.old as u32).wrapping_sub(at as u32);
        }
        best
    }

    /// Goes one byte on.
    fn step(&mut self, at: usize) {
        let byte = self.new[at];
        let (old, weights) = (self.old, self.weights);
        self.states.retain_mut(|state| {
            let Some(&there) = old.get(state.old) else {
                return false;
            };
            let run = usize::from(state.run) % RUNS;
            if there == byte {
                state.cost += weights.equal[run];
                state.run = (run + 1).min(RUNS - 1) as u8;
            } else {
                state.cost += weights.different[run];
                state.run = 0;
            }
            state.old += 1;
            true
        });
    }

    /// Drops what is too dear, and lets the best way change to diagonals that are dearer than that.
    fn relax(&mut self, at: usize, best: &Source) {
        let limit = best.cost + self.weights.far;
        self.states.retain(|state| state.cost <= limit);
        for index in 0..self.states.len() {
            let state = self.states[index];
            let diagonal = (state.old as u32).wrapping_sub(at as u32);
            if diagonal == best.diagonal || best.node == NONE {
                continue;
            }
            let cost = best.cost + self.jump(best, diagonal);
            if cost < state.cost {
                let node = self.push(best, at, state.old);
                self.states[index].cost = cost;
                self.states[index].node = node;
            }
        }
    }

    /// Drops the nodes that are on no way which may become the cheapest one.
    fn drop_dead_ends(&mut self, literal: &mut Source) {
        // Which number a needed node gets. A parent stands before its child.
        let mut numbers = vec![NONE; self.nodes.len()];
        let ways = (self.states.iter_mut().map(|state| &mut state.node))
            .chain(self.ring.iter_mut().map(|source| &mut source.node))
            .chain([&mut literal.node]);
        let mut ends: Vec<&mut u32> = ways.collect();
        for end in &ends {
            if let Some(number) = numbers.get_mut(**end as usize) {
                *number = 0;
            }
        }
        for at in (0..self.nodes.len()).rev() {
            let parent = self.nodes[at].parent as usize;
            if numbers[at] != NONE && parent < at {
                numbers[parent] = 0;
            }
        }
        let mut count = 0;
        for at in 0..self.nodes.len() {
            if numbers[at] == NONE {
                continue;
            }
            let mut node = self.nodes[at];
            node.parent = numbers.get(node.parent as usize).copied().unwrap_or(NONE);
            self.nodes[count] = node;
            numbers[at] = count as u32;
            count += 1;
        }
        self.nodes.truncate(count);
        for end in &mut ends {
            // What the ring still has of an earlier block is not asked for.
            **end = numbers.get(**end as usize).copied().unwrap_or(NONE);
        }
        self.crowd = CROWD.max(2 * count);
    }

    fn push(&mut self, source: &Source, new: usize, old: usize) -> u32 {
        self.nodes.push(Node {
            parent: source.node,
            left: source.left,
            new: new as u32,
            old: old as u32,
        });
        self.nodes.len() as u32 - 1
    }

    /// What the change to a diagonal costs, apart from going on where an earlier segment was left.
    fn jump(&self, source: &Source, diagonal: u32) -> u32 {
        let apart = diagonal.wrapping_sub(source.diagonal);
        if source.cost == 0 {
            // A block's beginning: most often the block before ends on the diagonal.
            self.weights.again
        } else if source.node == NONE {
            self.weights.far
        } else if apart == 0 {
            self.weights.again
        } else if apart.wrapping_add(NEAR) < 2 * NEAR {
            self.weights.near
        } else {
            self.weights.far
        }
    }

    /// Whether `old` is near the end of one of the last segments.
    fn resumes(&self, source: &Source, old: u32) -> bool {
        let (mut node, mut left) = (source.node, source.left);
        for _ in 0..RESUMES {
            let Some(segment) = self.nodes.get(node as usize) else {
                return false;
            };
            let end = segment.old.wrapping_add(left.wrapping_sub(segment.new));
            if old.wrapping_sub(end).wrapping_add(NEAR) < 2 * NEAR {
                return true;
            }
            (node, left) = (segment.parent, segment.left);
        }
        false
    }

    /// Looks for matches at `at`, follows them from where it pays, and tells where to look next.
    fn query(&mut self, begin: usize, at: usize) -> usize {
        let mut found = std::mem::take(&mut self.found);
        self.suffixes.find(&self.new[at..], &mut found);
        let length = found.length;
        if length > 0 {
            // Diagonals that are nearer to where the best way is now come first, after the longest.
            let here = self.ring[at % BACK].diagonal;
            let distance = |place: &u32| {
                let apart = place.wrapping_sub(at as u32).wrapping_sub(here).cast_signed();
                apart.unsigned_abs()
            };
            if let Some((_, others)) = found.places.split_first_mut() {
                others.sort_unstable_by_key(distance);
            }
            for &place in found.places.iter().take(TRIED) {
                self.enter(begin, at, place as usize);
            }
        }
        self.found = found;
        // A longer match that begins later still has `SEED` bytes there.
        at + (length + 1).saturating_sub(SEED).max(1)
    }

    /// Follows a diagonal that stands at `old` where the new image stands at `at`.
    fn enter(&mut self, begin: usize, at: usize, old: usize) {
        let known = self.states.iter().position(|state| state.old == old);
        let diagonal = (old as u32).wrapping_sub(at as u32);
        let weights = self.weights;
        let resumes = self.resumes(&self.ring[at % BACK], old as u32);
        let (mut cheapest, mut entry) = (u32::MAX, 0);
        // What the bytes from `place` to `at` cost on the diagonal.
        let mut cost = 0;
        let mut run = usize::from(ENTRY_RUN);
        let furthest = (BACK - 1).min(at - begin).min(old);
        for back in 0..=furthest {
            let source = self.ring[(at - back) % BACK];
            let mut jump = self.jump(&source, diagonal);
            if resumes {
                jump = jump.min(weights.resume);
            }
            let whole = source.cost + cost + jump;
            if whole < cheapest {
                (cheapest, entry) = (whole, back);
            }
            if back == furthest || source.cost + cost > cheapest + weights.far {
                break;
            }
            // The runs are those in the wrong direction: the sum is about the same.
            if self.old[old - back - 1] == self.new[at - back - 1] {
                cost += weights.equal[run];
                run = (run + 1).min(RUNS - 1);
            } else {
                cost += weights.different[run];
                run = 0;
            }
        }
        if let Some(known) = known {
            if self.states[known].cost <= cheapest {
                return;
            }
            self.states.swap_remove(known);
        }
        let source = self.ring[(at - entry) % BACK];
        let node = self.push(&source, at - entry, old - entry);
        self.states.push(State {
            cost: cheapest,
            old,
            node,
            run: ENTRY_RUN,
        });
        if self.states.len() > STATES {
            let dearest = (0..self.states.len()).max_by_key(|&index| self.states[index].cost);
            if let Some(dearest) = dearest {
                self.states.swap_remove(dearest);
            }
        }
    }

    /// Reads the way backwards from its end.
    fn trace(&self, best: &Source) -> Vec<Segment> {
        let mut segments = Vec::new();
        let (mut node, mut left) = (best.node, best.left);
        while let Some(segment) = self.nodes.get(node as usize) {
            if left > segment.new {
                segments.push(Segment {
                    new: segment.new,
                    old: segment.old,
                    length: left - segment.new,
                });
            }
            (node, left) = (segment.parent, segment.left);
        }
        segments.reverse();
        segments
    }
}
