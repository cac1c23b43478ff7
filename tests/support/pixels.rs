//! What a display shows, read from the server's frame buffer many times a second. Refuses to know windows.
//!
//! The file is an XWD picture that the server maps: what it draws is there at once, and reading it asks the
//! server for nothing. The layout is that of the header file `XWDFile.h`: big-endian words, then the colour
//! map, then the lines.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// The words of the header that count.
const WORDS: usize = 25;
/// The bytes of an entry of the colour map.
const COLOUR_BYTES: u64 = 12;

/// A colour as `0xRRGGBB`.
pub type Colour = u32;

/// A point on the display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
}

/// The frame buffer of a display of one's own.
#[derive(Debug)]
pub struct FrameBuffer {
    file: File,
    start: u64,
    line: u64,
    width: u32,
    height: u32,
}

/// The colours of all points at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: SystemTime,
    /// In the order of the points.
    pub colours: Vec<Colour>,
}

/// Looks that go on until they are ended.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<Sample>>>,
}

impl FrameBuffer {
    /// Opens the file of the first screen in the folder that was given to the server.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("Xvfb_screen0");
        let file = File::open(&path).with_context(|| path.display().to_string())?;
        let mut header = [0; WORDS * 4];
        file.read_exact_at(&mut header, 0)?;
        let word = |index: usize| {
            let bytes = header.get(index * 4..index * 4 + 4);
            bytes
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, u32::from_be_bytes)
        };
        anyhow::ensure!(word(11) == 32, "a pixel has {} bits, not 32", word(11));
        anyhow::ensure!(word(7) == 0, "the bytes of a pixel are in another order");
        Ok(Self {
            file,
            start: u64::from(word(0)) + u64::from(word(19)) * COLOUR_BYTES,
            line: u64::from(word(12)),
            width: word(4),
            height: word(5),
        })
    }

    /// Points of a grid with this many pixels between.
    pub fn grid(&self, step: u32) -> Vec<Point> {
        let lines = (step / 2..self.height).step_by(step as usize);
        lines
            .flat_map(|y| {
                (step / 2..self.width)
                    .step_by(step as usize)
                    .map(move |x| Point { x, y })
            })
            .collect()
    }

    /// The colours of points as of now.
    pub fn colours(&self, points: &[Point]) -> anyhow::Result<Vec<Colour>> {
        let mut colours = Vec::with_capacity(points.len());
        let mut line = (u32::MAX, Vec::new());
        for point in points {
            if line.0 != point.y {
                let mut bytes = vec![0; self.width as usize * 4];
                let at = self.start + u64::from(point.y) * self.line;
                self.file.read_exact_at(&mut bytes, at)?;
                line = (point.y, bytes);
            }
            let at = point.x as usize * 4;
            let pixel = line.1.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            colours.push(pixel.map_or(0, u32::from_le_bytes) & 0x00ff_ffff);
        }
        Ok(colours)
    }

    /// Looks at the points about a thousand times a second until it is ended.
    pub fn watch(self, points: Vec<Point>) -> Watch {
        self.watch_every(points, PAUSE)
    }

    /// The same with this pause between two looks: to look at much often takes time from what is looked at.
    pub fn watch_every(self, points: Vec<Point>, pause: Duration) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut samples: Vec<Sample> = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let colours = self.colours(&points)?;
                let at = SystemTime::now();
                // What stays as it was is one sample at its begin and one at its end.
                let (last, before) = (samples.len().checked_sub(1), samples.len().checked_sub(2));
                match (last, before) {
                    (Some(last), Some(before))
                        if samples[last].colours == colours && samples[before].colours == colours =>
                    {
                        samples[last].at = at;
                    }
                    _ => samples.push(Sample { at, colours }),
                }
                std::thread::sleep(pause);
            }
            Ok(samples)
        });
        Watch { stop, thread }
    }
}

impl Watch {
    /// Ends it. Samples that were equal to their neighbours on both sides are left out.
    pub fn end(self) -> anyhow::Result<Vec<Sample>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow::anyhow!("the display could not be watched"))?
    }
}

/// What was seen of a board while something happened to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// For how long it was not there, in milliseconds.
    pub gone_ms: f64,
    /// Of that, for how long the ground colour alone was there, in milliseconds.
    pub ground_ms: f64,
    /// The smallest part of its points that had their colour at any moment, 0 to 1.
    pub least: f64,
    /// How many points there were.
    pub points: usize,
}

/// Judges samples by the points that have the same colour before and after, and not that of the ground.
/// The board is there while at least nine in ten of them have it.
pub fn judge(samples: &[Sample], before: &[Colour], after: &[Colour], grounds: &[Colour]) -> Sight {
    let known: Vec<usize> = (0..before.len().min(after.len()))
        .filter(|index| before[*index] == after[*index] && !grounds.contains(&before[*index]))
        .collect();
    let mut sight = Sight {
        least: 1.0,
        points: known.len(),
        ..Sight::default()
    };
    let share = |sample: &Sample, wanted: &dyn Fn(usize) -> bool| {
        let count = known.iter().filter(|index| wanted(**index)).count();
        debug_assert_eq!(sample.colours.len(), before.len());
        count as f64 / known.len().max(1) as f64
    };
    for pair in samples.windows(2) {
        let [sample, next] = pair else { continue };
        let there = share(sample, &|index| sample.colours[index] == before[index]);
        sight.least = sight.least.min(there);
        if there >= 0.9 {
            continue;
        }
        let ms = next
            .at
            .duration_since(sample.at)
            .unwrap_or_default()
            .as_secs_f64()
            * 1000.0;
        sight.gone_ms += ms;
        let ground = share(sample, &|index| grounds.contains(&sample.colours[index]));
        if ground >= 0.5 {
            sight.ground_ms += ms;
        }
    }
    sight
}

/// For how long something that changes by itself was bare, in milliseconds: less than half as many points as before and after
/// had another colour than the ground. Also, by how many points that was judged. What was scrolled meanwhile is no gap.
pub fn bare(samples: &[Sample], grounds: &[Colour]) -> (f64, usize) {
    let drawn = |sample: &Sample| {
        let others = sample.colours.iter().filter(|colour| !grounds.contains(colour));
        others.count()
    };
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return (0.0, 0);
    };
    let wanted = drawn(first).min(drawn(last));
    let mut milliseconds = 0.0;
    for pair in samples.windows(2) {
        let [sample, next] = pair else { continue };
        if drawn(sample) * 2 < wanted {
            let lasted = next.at.duration_since(sample.at).unwrap_or_default();
            milliseconds += lasted.as_secs_f64() * 1000.0;
        }
    }
    (milliseconds, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Colour = 0x00ff_ffff;
    const GROUND: Colour = 0x00e8_ebe8;

    fn samples(frames: &[(u64, [Colour; 4])]) -> Vec<Sample> {
        let at = |ms: &u64| SystemTime::UNIX_EPOCH + Duration::from_millis(*ms);
        frames
            .iter()
            .map(|(ms, colours)| Sample {
                at: at(ms),
                colours: colours.to_vec(),
            })
            .collect()
    }

    #[test]
    fn what_is_scrolled_is_not_bare_and_what_is_blank_or_half_blank_is() {
        let [lines, scrolled, half, blank] = [
            [1, 2, 3, 4],
            [GROUND, 1, 2, 3],
            [GROUND, GROUND, GROUND, 4],
            [GROUND; 4],
        ];
        let seen = |frames: &[(u64, [Colour; 4])]| bare(&samples(frames), &[GROUND]);
        assert_eq!(seen(&[(0, lines), (10, scrolled), (20, scrolled)]), (0.0, 3));
        assert_eq!(
            seen(&[(0, lines), (10, half), (26, lines), (30, lines)]),
            (16.0, 4)
        );
        assert_eq!(
            seen(&[(0, lines), (10, blank), (26, scrolled), (30, scrolled)]),
            (16.0, 3)
        );
    }

    #[test]
    fn ground_and_darkness_are_gaps_and_what_changes_by_itself_is_not() {
        let board = [WHITE, 1, WHITE, GROUND];
        let later = [WHITE, 2, WHITE, GROUND];
        let watched = samples(&[
            (0, board),
            (100, [GROUND; 4]),
            (150, [0; 4]),
            (170, later),
            (300, later),
        ]);
        let sight = judge(&watched, &board, &later, &[GROUND]);
        assert_eq!(
            (sight.points, sight.gone_ms.round(), sight.ground_ms.round()),
            (2, 70.0, 50.0)
        );
        assert!(sight.least.abs() < f64::EPSILON);
        let whole = judge(
            &samples(&[(0, board), (10, later), (20, later)]),
            &board,
            &later,
            &[GROUND],
        );
        assert_eq!((whole.gone_ms, whole.least), (0.0, 1.0));
    }
}
