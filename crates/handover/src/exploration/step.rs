//! What can happen in the world of the exploration.

use crate::giver::Limit as OldLimit;
use crate::taker::Limit as NewLimit;

/// What can happen.
#[derive(Clone, Debug)]
pub(super) enum Step {
    OldHears,
    OldHearsLauncher,
    OldLate(OldLimit),
    OldIsCalm,
    OldRetakes,
    OldTellsKeys,
    OldEnds,
    NewHears,
    NewBuilt,
    NewRestored,
    NewLate(NewLimit),
    NewFinds,
    NewEnds,
    LauncherHearsRecall,
    LauncherHearsTookOver,
    LauncherSeesNewEnded,
    LauncherSeesOldEnded,
    OldLosesLauncher,
    NewLosesLauncher,
    Type,
    OldCrashes,
    NewCrashes,
    LauncherDies,
    Cut,
    UserQuits,
}
