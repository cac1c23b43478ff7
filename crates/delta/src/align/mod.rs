//! Which parts of the new image are made from which parts of the old one.
//!
//! Images are the files with their references replaced, so that like code is like bytes. What is
//! found decides the size of a patch, never what it gives: so it may change without a new format.
//! Refuses to know executables, references and the patch's coding.

mod path;
mod suffix;
mod weights;

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

pub(crate) use weights::Weights;

use crate::segment::Segment;
use path::Path;
use suffix::Suffixes;

/// The new image is solved in blocks of this size, whatever the number of threads. The last one has
/// the rest as well.
const BLOCK: usize = 1 << 20;

/// The caller gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancelled;

/// Told how many of how many bytes are done, from any thread; `Break` gives up.
pub(crate) type Progress<'a> = &'a (dyn Fn(u64, u64) -> ControlFlow<()> + Sync);

/// Finds the segments: sorted by `new`, disjoint there, within both images.
///
/// Uses all cores, 4.5 bytes of memory for each old byte, and up to 20 MiB for each core. The result
/// is the same for any number of cores. An old image of 2 GiB or more gives no segments.
pub(crate) fn align(
    old: &[u8],
    new: &[u8],
    weights: &Weights,
    progress: Progress<'_>,
) -> Result<Vec<Segment>, Cancelled> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    align_on(threads, old, new, weights, progress)
}

fn align_on(
    threads: usize,
    old: &[u8],
    new: &[u8],
    weights: &Weights,
    progress: Progress<'_>,
) -> Result<Vec<Segment>, Cancelled> {
    if u32::try_from(new.len()).is_err() {
        return Ok(Vec::new());
    }
    let total = (old.len() + new.len()) as u64;
    let Some(suffixes) = Suffixes::new(old) else {
        return Ok(Vec::new());
    };
    let blocks = (new.len() / BLOCK).max(1);
    let solved: Vec<Mutex<Vec<Segment>>> = (0..blocks).map(|_| Mutex::default()).collect();
    let (next, done, cancelled) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut path = Path::new(&suffixes, old, new, weights);
        loop {
            let so_far = done.load(Ordering::Relaxed).min(new.len());
            if progress((old.len() + so_far) as u64, total).is_break() {
                cancelled.store(true, Ordering::Relaxed);
            }
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks || cancelled.load(Ordering::Relaxed) {
                return;
            }
            let begin = block * BLOCK;
            let end = if block + 1 == blocks {
                new.len()
            } else {
                begin + BLOCK
            };
            let segments = path.solve(begin, end);
            if let Ok(mut slot) = solved[block].lock() {
                *slot = segments;
            }
            done.fetch_add(BLOCK, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(blocks) {
            scope.spawn(work);
        }
        work();
    });
    if cancelled.into_inner() {
        return Err(Cancelled);
    }
    Ok(join(solved))
}

/// Joins what goes on over the edges of blocks.
fn join(solved: Vec<Mutex<Vec<Segment>>>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for block in solved {
        for segment in block.into_inner().unwrap_or_default() {
            match joined.last_mut() {
                Some(last)
                    if last.new + last.length == segment.new && last.old + last.length == segment.old =>
                {
                    last.length += segment.length;
                }
                _ => joined.push(segment),
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests;
