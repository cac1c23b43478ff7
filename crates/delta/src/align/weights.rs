//! What things cost in the patch, as far as the choice of segments asks. Estimates: the coder that
//! writes the patch learns its own. Refuses to know that coder.

/// Units of the costs in a bit.
pub(crate) const BIT: u32 = 64;
/// How many lengths of runs of equal bytes are told apart.
pub(crate) const RUNS: usize = 32;

/// Costs, in 1/64 bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weights {
    /// A byte that is made from nothing.
    pub(crate) literal: u32,
    /// The first such byte after a segment, in addition.
    pub(crate) leave: u32,
    /// A byte that is as in the old image, by how many before it were so.
    pub(crate) equal: [u32; RUNS],
    /// A byte that is not as in the old image, by how many before it were.
    pub(crate) different: [u32; RUNS],
    /// A segment that begins where nothing tells.
    pub(crate) far: u32,
    /// A segment near the straight continuation of the one before.
    pub(crate) near: u32,
    /// A segment that goes on as the one before, after bytes made from nothing.
    pub(crate) again: u32,
    /// A segment that begins near the end of one of the last few.
    pub(crate) resume: u32,
}

impl Weights {
    /// For images of executables. Found by trial on releases of five programs: the patch's size is
    /// flat around them (far 60 to 90 bits, a literal 4 to 5). That they are above what the coder
    /// pays for a place has its reason: short segments spoil its guesses, and new bytes are mostly
    /// like other new bytes.
    pub(crate) const DEFAULT: Self = Self {
        literal: 5 * BIT,
        leave: 10 * BIT,
        equal: falling(),
        different: rising(),
        far: 80 * BIT,
        near: 32 * BIT,
        again: 14 * BIT,
        resume: 40 * BIT,
    };

    /// For text that moved about within itself. Of two bundles one gave a patch a fifth smaller with
    /// it, the other an eighth larger: who can, tries both.
    pub(crate) const TEXT: Self = Self {
        literal: BIT,
        far: 70 * BIT,
        near: 40 * BIT,
        resume: 48 * BIT,
        ..Self::DEFAULT
    };
}

impl Default for Weights {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// About 0.8 bit after a different byte, and less with each equal one: 64 * 0.8 / (1 + run), roughly
/// what a coder pays that estimates by the run's length.
const fn falling() -> [u32; RUNS] {
    let mut costs = [0; RUNS];
    let mut run = 0;
    while run < RUNS {
        costs[run] = 50 / (1 + run as u32);
        run += 1;
    }
    costs
}

/// 7 bits after a different byte, up to 11 after many equal ones.
const fn rising() -> [u32; RUNS] {
    let mut costs = [0; RUNS];
    let mut run = 0;
    while run < RUNS {
        costs[run] = 7 * BIT + BIT * (run as u32 + 1).ilog2() * 4 / 5;
        run += 1;
    }
    costs
}
