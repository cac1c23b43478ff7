//! One swap, watched from the order to the first frame that shows the new version, and what it left behind.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use super::{Board, VERSIONS, instance, model};
use crate::drill::Ended;
use crate::pixels::{Colour, FrameBuffer, Sample, Watch, bare};

/// How long a version is on trial here. It is 4 s in use: so many swaps would take all day.
const TRIAL: Duration = Duration::from_millis(150);
/// How long a widget's state may take to the disk before an event counts as lost.
const SAVED: Duration = Duration::from_secs(4);
/// Between two looks at a tile: a frame of the screen lasts three times as long.
const BETWEEN: Duration = Duration::from_millis(5);
/// The ground and a tile's surface in the light theme, and what a display shows that shows nothing.
const GROUNDS: [Colour; 4] = [0x00e8_ebe8, 0x00fb_fcfb, 0x00ff_ffff, 0];

/// What was seen of one swap.
#[derive(Clone, Debug, Serialize)]
pub struct Swap {
    /// From the order to the first frame of the screen that shows the new version, in milliseconds.
    pub shown_ms: f64,
    /// Of that, until the new version was ready, as the stage says.
    pub ready_ms: f64,
    /// Of that, from the freeze of the old version on, as the stage says.
    pub switch_ms: f64,
    /// For how long the widget was not there, in milliseconds.
    pub gone_ms: f64,
    /// How many points were looked at.
    pub points: usize,
    /// How many different pictures were seen.
    pub looks: usize,
    /// The keys that were replayed.
    pub keys: u32,
    /// The events that it was told of meanwhile.
    pub told: u64,
    /// What is wrong with what the widget holds, if anything.
    pub fault: Option<String>,
    /// Events that are missing from what it holds, came twice or out of order.
    pub astray: u64,
}

/// What was seen of one load of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// From the order to the first frame of the screen that shows the page, in milliseconds.
    pub shown_ms: f64,
    /// For how long the widget was not there, in milliseconds.
    pub gone_ms: f64,
}

impl Board {
    /// Swaps a widget to one of the [`VERSIONS`]; `chance` decides when events come.
    pub fn swap(
        &mut self,
        name: &'static str,
        version: usize,
        typed: &str,
        chance: &mut Chance,
    ) -> anyhow::Result<Swap> {
        let bundle = self.bundle(&format!("{name}-{}", VERSIONS[version].0));
        let before = self
            .state(name)
            .map_or(Value::Null, |state| state["widget"].clone());
        let watch = Watched::begin(self, name)?;
        let told = self.told.get(name).copied().unwrap_or_default();
        self.tell(name, 3)?;
        let begun = SystemTime::now();
        let mut orders = self.drill()?;
        let ordered = {
            let (instance, bundle) = (instance(name), bundle);
            std::thread::spawn(move || orders.swap(&instance, &bundle, TRIAL))
        };
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(chance.below(40)));
            self.tell(name, chance.below(4))?;
        }
        let ended = ordered
            .join()
            .map_err(|_| anyhow::anyhow!("the order could not be sent"))??;
        // Until nothing of the old version is seen any more.
        std::thread::sleep(Duration::from_millis(20));
        let (mark, samples) = watch.end()?;
        let Ended::Confirmed {
            ready_ms,
            switch_ms,
            replayed_keys,
            ..
        } = ended
        else {
            anyhow::bail!("{name} was not swapped: {ended:?}");
        };
        let shown_ms = first_shown(&mark, begun, |colour| colour != VERSIONS[1 - version].1)?;
        let (gone_ms, points) = bare(&samples, &GROUNDS);
        let (fault, astray) = self.held(name, &before, typed)?;
        Ok(Swap {
            shown_ms,
            ready_ms,
            switch_ms,
            gone_ms,
            points,
            looks: samples.len(),
            keys: replayed_keys,
            told: self.told.get(name).copied().unwrap_or_default() - told,
            fault,
            astray,
        })
    }

    /// Loads a widget's page anew, with one of the [`VERSIONS`].
    pub fn load(&mut self, name: &'static str, version: usize) -> anyhow::Result<Load> {
        let bundle = self.bundle(&format!("{name}-{}", VERSIONS[version].0));
        let watch = Watched::begin(self, name)?;
        let begun = SystemTime::now();
        self.drill()?.load(&instance(name), &bundle)?;
        std::thread::sleep(Duration::from_millis(1500));
        let (mark, samples) = watch.end()?;
        Ok(Load {
            shown_ms: first_shown(&mark, begun, |colour| colour == VERSIONS[version].1)?,
            gone_ms: bare(&samples, &GROUNDS).0,
        })
    }

    fn tell(&mut self, name: &'static str, count: u64) -> anyhow::Result<()> {
        let told = self.told.entry(name).or_default();
        let numbers = *told + 1..*told + 1 + count;
        *told += count;
        self.drill()?.tell(&instance(name), numbers)
    }

    /// What is wrong with what a widget holds once all that it was told of has come to the disk.
    fn held(&self, name: &'static str, before: &Value, typed: &str) -> anyhow::Result<(Option<String>, u64)> {
        let told = self.told.get(name).copied().unwrap_or_default();
        let until = Instant::now() + SAVED;
        let count = |state: &Value, what: &str| state["heard"][what].as_u64().unwrap_or_default();
        loop {
            let state = self.state(name).context("nothing is on the disk");
            match state {
                Ok(state) if count(&state, "count") >= told || Instant::now() > until => {
                    let astray = count(&state, "astray") + told.abs_diff(count(&state, "count"));
                    return Ok((model::fault(name, &state["widget"], before, typed), astray));
                }
                Err(error) if Instant::now() > until => return Err(error),
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

/// The mark of a widget, looked at as often as can be, and the points of its tile, several times in each frame of the screen.
struct Watched {
    mark: Watch,
    tile: Watch,
}

impl Watched {
    fn begin(board: &Board, name: &str) -> anyhow::Result<Self> {
        let points = board.points(name)?;
        let mark = points.last().copied().into_iter().collect();
        let open = || FrameBuffer::open(&board.frames);
        Ok(Self {
            mark: open()?.watch(mark),
            tile: open()?.watch_every(points, BETWEEN),
        })
    }

    fn end(self) -> anyhow::Result<(Vec<Sample>, Vec<Sample>)> {
        Ok((self.mark.end()?, self.tile.end()?))
    }
}

/// When the mark, which is the last point, first had such a colour after `begun`, in milliseconds.
fn first_shown(samples: &[Sample], begun: SystemTime, shows: impl Fn(Colour) -> bool) -> anyhow::Result<f64> {
    let first = samples
        .iter()
        .find(|sample| sample.at >= begun && sample.colours.last().copied().is_some_and(&shows));
    let first = first.context("the new version was never seen")?;
    Ok(first.at.duration_since(begun)?.as_secs_f64() * 1000.0)
}

/// Chance that is the same each time for the same seed.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}
