//! What the native side and the stage page say to each other.
//!
//! The stage is the only page with access to native commands. Shell and widgets reach it over a
//! message port, and what they ask is checked there and again on the native side.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::board::{Board, Tile};
use crate::bundle::{Permission, Setting, Size};
use crate::developer::DeveloperView;
use crate::{
    Activity, Channel, ErrorCode, Explanation, HistoryEntry, NotTried, Problem, Settings, Subject, WidgetId,
};

/// State that a bundle keeps across swaps and restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct SavedState {
    /// The schema that the data is written in.
    pub schema: u32,
    /// The data, at most 1 MiB as JSON.
    #[ts(type = "unknown")]
    pub data: serde_json::Value,
}

/// One loading of one bundle into one frame. Dead as soon as the frame is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Load {
    /// Random, and known to this load alone: a readiness without it counts for nothing.
    pub token: String,
    /// The address of the entry page.
    pub url: String,
    /// What is loaded.
    pub subject: Subject,
    /// Which version.
    #[ts(type = "string")]
    pub version: Version,
    /// Which instance, for widgets.
    pub instance: Option<String>,
    /// The schema that this version writes, if it keeps state.
    pub state_schema: Option<u32>,
    /// The state as last acknowledged by the native side.
    pub saved: Option<SavedState>,
    /// The capabilities it may use.
    pub granted: Vec<String>,
    /// A value for each setting that this version declares.
    #[ts(type = "Record<string, unknown>")]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// What the stage gets when it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct StageStart {
    /// To be sent with every command after this one. It is handed out once per page load.
    pub key: String,
    /// The shell.
    pub shell: Load,
    /// The widgets on the board that are installed.
    pub widgets: Vec<Load>,
    /// The picture so far.
    pub overview: Overview,
    /// What the watch over the keyboard in each frame proves itself with.
    pub watch: String,
}

/// An order to replace what runs by another version of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct SwapOrder {
    /// The new version's load. Its `instance` says which frame; none means the shell.
    pub load: Load,
    /// The version that runs.
    #[ts(type = "string")]
    pub from: Version,
    /// Why.
    pub reason: SwapReason,
    /// How long the frame must have been without input before the switch, in milliseconds. 0 for a forced swap.
    pub quiet_ms: u32,
    /// After this long it is switched all the same, in milliseconds (never during composition).
    pub patience_ms: u32,
    /// How long the new version may take to get ready, in milliseconds.
    pub ready_ms: u32,
    /// How long the new version is on trial after the switch, in milliseconds.
    pub trial_ms: u32,
    /// The highest share of what it handles on trial that may fail, in percent.
    pub max_error_percent: f32,
}

/// An order to take over files that are not code, without loading anything anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct ResourcesOrder {
    /// The load that goes on: its host serves the new version's files from now on.
    pub token: String,
    /// Which frame; none means the shell.
    pub instance: Option<String>,
    /// The new version.
    #[ts(type = "string")]
    pub version: Version,
    /// The files that differ, as paths in the bundle.
    pub paths: Vec<String>,
    /// A value for each setting that the new version declares.
    #[ts(type = "Record<string, unknown>")]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// Why a swap is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum SwapReason {
    /// A new version.
    Update,
    /// The user's wish to go back.
    GoBack,
    /// A developer saved a file.
    Developer,
}

/// What the native side tells the stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StageEvent {
    /// The picture changed.
    Overview {
        /// The whole picture.
        overview: Box<Overview>,
    },
    /// Put a widget on the stage.
    Open {
        /// Its load.
        load: Load,
    },
    /// Take a widget off the stage.
    Close {
        /// Which one.
        instance: String,
    },
    /// Replace what runs.
    Swap {
        /// The order.
        order: SwapOrder,
    },
    /// Take over files that are not code, then report [`StageReport::Confirmed`].
    Resources {
        /// The order.
        order: ResourcesOrder,
    },
    /// The user changed a widget's settings.
    Settings {
        /// Whose.
        instance: String,
        /// All of them.
        #[ts(type = "Record<string, unknown>")]
        settings: serde_json::Map<String, serde_json::Value>,
    },
    /// Tell a widget news. Events and requests are its place's, and take effect once whichever version has it; a value of
    /// another widget and a word of logic are one load's.
    News {
        /// Which place.
        instance: String,
        /// The load that listens, or whose logic says it.
        token: String,
        /// What a frame hears, as docs/host-api.md lists it.
        #[ts(type = "unknown")]
        news: serde_json::Value,
    },
    /// Save every state now, then report [`StageReport::Flushed`]: the application is about to end.
    Flush,
    /// Wait for a pause in the input, then hold still and report [`StageReport::Frozen`]: another process takes over.
    Freeze {
        /// How long there must have been no input, in milliseconds.
        quiet_ms: u32,
        /// After this long it holds still all the same, in milliseconds (never during composition).
        patience_ms: u32,
    },
    /// Go on as if nothing had been: the other process did not take over. What was typed meanwhile is typed here.
    Thaw,
    /// Take over what another process held, then report [`StageReport::Carried`].
    Carry {
        /// All that it held.
        carried: Carried,
    },
    /// Type keys that the other process still got.
    Keys {
        /// The keys, in order.
        keys: Vec<CarriedKey>,
    },
}

/// What one stage hands to the stage of another process: the frames as they stood when it held still.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Carried {
    /// Each frame that answered. One that did not has its last saved state.
    pub frames: Vec<CarriedFrame>,
    /// Keys that came after the frames held still.
    pub keys: Vec<CarriedKey>,
}

/// One frame as it stood. What a caret and a scroll are is between the two kits; they pass through here unread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct CarriedFrame {
    /// Which instance; none for the shell.
    pub instance: Option<String>,
    /// Its state, also what was not saved yet.
    pub state: Option<SavedState>,
    /// Where the caret was.
    #[ts(type = "unknown")]
    pub focus: serde_json::Value,
    /// How far it was scrolled.
    #[ts(type = "unknown[]")]
    pub scroll: Vec<serde_json::Value>,
    /// Whether it had the keyboard.
    pub keyboard: bool,
}

/// A key that was typed into a frame that held still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct CarriedKey {
    /// Into which instance; none for the shell.
    pub instance: Option<String>,
    /// The key, as the kits know it.
    #[ts(type = "unknown")]
    pub key: serde_json::Value,
}

/// What the stage tells the native side. `token` is that of the load it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StageReport {
    /// Shell and stage stand on the screen.
    Painted,
    /// The stage's main thread answers. Sent four times a second.
    Heartbeat {
        /// What it does, for the case that this is its last.
        #[serde(default)]
        pulse: Pulse,
    },
    /// Every state is saved, as [`StageEvent::Flush`] asked.
    Flushed,
    /// Every frame of the start is ready or has failed, and that stands on the screen.
    Settled,
    /// The user did something: a key, a click. Sent ten times a second at most.
    Input {
        /// Whether an input method is composing text.
        composing: bool,
    },
    /// The stage holds still, as [`StageEvent::Freeze`] asked. Keys from now on come as [`StageReport::Keys`].
    Frozen {
        /// Everything that it held.
        carried: Carried,
    },
    /// Keys that were typed while the stage holds still.
    Keys {
        /// The keys, in order.
        keys: Vec<CarriedKey>,
    },
    /// A swap begins to switch: from here on the new version's logic is to have the old one's state.
    Switching {
        /// Of the new load.
        token: String,
    },
    /// What a frame says to a request of another widget.
    Answered {
        /// Whose.
        token: String,
        /// The request.
        #[ts(type = "number")]
        id: u64,
        /// Whether there is a value.
        ok: bool,
        /// The value; null if there is none.
        #[serde(default)]
        #[ts(type = "unknown")]
        value: serde_json::Value,
        /// Why there is none.
        #[serde(default)]
        reason: Option<String>,
    },
    /// What another process held is taken over and stands on the screen, as [`StageEvent::Carry`] asked.
    Carried,
    /// A load that is not part of a swap is ready.
    Ready {
        /// Whose.
        token: String,
    },
    /// A load that is not part of a swap failed.
    LoadFailed {
        /// Whose.
        token: String,
        /// Why.
        problem: SwapFailure,
    },
    /// A load was ended by the stage: it did what no widget may do.
    Stopped {
        /// Whose.
        token: String,
        /// What it did.
        cause: HeldCause,
        /// In technical words, for the log.
        detail: String,
    },
    /// A load tried what it may not do, and was denied. For the log.
    Denied {
        /// Whose.
        token: String,
        /// In technical words.
        detail: String,
    },
    /// The new version is in the user's hands.
    Switched {
        /// Whose.
        token: String,
        /// From the order to the new version being ready, in milliseconds.
        ready_ms: f64,
        /// From the freeze of the old version to the first frame of the new one, in milliseconds.
        switch_ms: f64,
        /// The bytes of state that were handed over, as JSON.
        state_bytes: u32,
        /// The keys that were typed meanwhile and replayed.
        replayed_keys: u32,
    },
    /// The trial ended well and the old version is gone.
    Confirmed {
        /// Whose.
        token: String,
    },
    /// The old version runs, as if nothing had been.
    Reverted {
        /// Whose.
        token: String,
        /// Why.
        problem: SwapFailure,
    },
}

/// Which widgets were at work since the beat before, and where they lie: when no beat comes any more, one of these is why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct Pulse {
    /// Whether the window is not seen: then beats are slower, and their absence means nothing.
    pub hidden: bool,
    /// The instances that are not ready yet.
    pub loading: Vec<String>,
    /// The instances that said something, or were pressed or typed into.
    pub active: Vec<String>,
    /// The instance that the user's keys go to.
    pub keyboard: Option<String>,
    /// Where the widgets lie, if that changed since the beat before.
    pub places: Option<Vec<Placed>>,
}

/// Where a widget's frame lies, in CSS px of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Placed {
    /// Which instance.
    pub instance: String,
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// A widget that is kept off the board until its user asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct HeldWidget {
    /// Which instance.
    pub instance: String,
    /// The version that did it. Another version is not held.
    #[ts(type = "string")]
    pub version: Version,
    /// What it did.
    pub cause: HeldCause,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// What a widget did that it is kept off the board for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum HeldCause {
    /// It held up the whole board.
    Hung,
    /// It took all memory.
    Memory,
    /// It flooded the board with messages.
    Flood,
    /// It took the keyboard without being asked.
    Keyboard,
}

/// Why a version could not take over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct SwapFailure {
    /// What kind of failure.
    pub cause: SwapCause,
    /// In technical words, for the log.
    pub detail: String,
}

/// What kind of failure ended a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum SwapCause {
    /// It did not say that it is ready in time.
    NotReady,
    /// It refused the old version's state.
    StateRefused,
    /// It threw an exception nobody caught.
    Exception,
    /// It stopped answering.
    Hung,
    /// Too much of what it handled on trial failed.
    Errors,
    /// The order was withdrawn: the frame is gone, or a newer order came.
    Withdrawn,
}

/// The whole picture, for the shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Overview {
    /// The running application.
    #[ts(type = "string")]
    pub app_version: Version,
    /// The target triple it was built for.
    pub triple: String,
    /// What stands where.
    pub board: Board,
    /// What is installed, executable and shell first.
    pub installed: Vec<InstalledPart>,
    /// What is on its way.
    pub activities: Vec<Activity>,
    /// What happened, newest first, at most 100 lines.
    pub history: Vec<HistoryEntry>,
    /// The settings.
    pub settings: Settings,
    /// The channels there are.
    pub channels: Vec<Channel>,
    /// When the repository was last checked, RFC 3339 in UTC.
    pub checked_at: Option<String>,
    /// Why the last check failed, if it did.
    pub check_problem: Option<Problem>,
    /// The newer version of the application that could not be tried at this start, if there is one.
    pub not_tried: Option<NotTried>,
    /// Widgets whose logic does not run as it should.
    #[serde(default)]
    pub logic: Vec<LogicNotice>,
    /// New versions of logic that run beside the live ones before they may take over.
    #[serde(default)]
    pub shadow_runs: Vec<ShadowStanding>,
    /// What waits for the user's consent.
    pub needs: Vec<ConsentRequest>,
    /// The widgets that are kept off the board.
    pub held: Vec<HeldWidget>,
    /// Why each part has the version it has.
    #[serde(default)]
    pub explanations: Vec<Explanation>,
    /// What this computer believes.
    pub beliefs: BTreeMap<String, String>,
    /// The widgets that are being written, while the user has the developer switch on.
    #[serde(default)]
    pub developer: Option<DeveloperView>,
}

/// The logic of a widget on the board does not run as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct LogicNotice {
    /// Which instance.
    pub instance: String,
    /// Whether it stays off; else it is started again.
    pub off: bool,
    /// What happened.
    pub problem: Problem,
}

/// How far a version is that runs in the shadow of the live one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct ShadowStanding {
    /// What it is a version of.
    #[ts(type = "string")]
    pub subject: Subject,
    /// Which one.
    #[ts(type = "string")]
    pub version: Version,
    /// Equal answers that are still wanted.
    #[ts(type = "number")]
    pub answers: u64,
    /// Seconds that it must still last.
    #[ts(type = "number")]
    pub seconds: u64,
}

/// A use of a capability, as the user may look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CapabilityUse {
    /// By which instance.
    pub instance: String,
    /// Whether by its logic; else by its page.
    pub by_logic: bool,
    /// What was called.
    pub call: String,
    /// Why it was refused; none if it was let.
    pub refused: Option<ErrorCode>,
    /// When last, RFC 3339 in UTC.
    pub at: String,
    /// How often, since the application was started.
    pub count: u32,
}

/// An installed part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct InstalledPart {
    /// What it is.
    pub subject: Subject,
    /// Its name for a person.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The version that runs.
    #[ts(type = "string")]
    pub version: Version,
    /// The channel it follows.
    pub channel: Channel,
    /// The kept versions that can be returned to, newest first.
    #[ts(type = "Array<string>")]
    pub earlier: Vec<Version>,
    /// Versions that failed here and are not tried again.
    #[ts(type = "Array<string>")]
    pub banned: Vec<Version>,
    /// What it asks for, and whether it was granted.
    pub permissions: Vec<GrantedPermission>,
    /// What each of its instances lets its user set.
    pub settings: BTreeMap<String, Setting>,
    /// The sizes it can be shown at.
    pub sizes: Vec<Size>,
    /// Whether it takes the whole tile.
    pub whole_tile: bool,
    /// When the version that runs was confirmed, RFC 3339 in UTC; none for what came with the application.
    pub updated_at: Option<String>,
}

/// A permission and the user's decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct GrantedPermission {
    /// What it asks for.
    pub permission: Permission,
    /// The decision; none if it was never asked.
    pub granted: Option<bool>,
}

/// A widget waits for consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct ConsentRequest {
    /// Which widget.
    pub widget: WidgetId,
    /// Its name for a person.
    pub name: String,
    /// The version that asks.
    #[ts(type = "string")]
    pub version: Version,
    /// What it asks for beyond what it has.
    pub permissions: Vec<Permission>,
}

/// What the shell may ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShellCommand {
    /// Look for updates now.
    CheckNow,
    /// Take over new settings.
    SetSettings {
        /// All of them.
        settings: Settings,
    },
    /// Save the board.
    SetBoard {
        /// All of it.
        board: Board,
    },
    /// Put a widget on the board.
    AddTile {
        /// The new tile.
        tile: Tile,
    },
    /// Change the settings of a widget on the board.
    SetTileSettings {
        /// Which one.
        instance: String,
        /// What differs from the defaults.
        #[ts(type = "Record<string, unknown>")]
        settings: serde_json::Map<String, serde_json::Value>,
    },
    /// Decide on a permission.
    Grant {
        /// Whose.
        widget: WidgetId,
        /// Which.
        capability: String,
        /// The decision.
        allowed: bool,
    },
    /// Tell what a widget used: a list of [`CapabilityUse`], the last first.
    ListUses {
        /// Whose.
        widget: WidgetId,
    },
    /// Start the logic of a widget that stays off.
    StartLogic {
        /// Which instance.
        instance: String,
    },
    /// Hold one tile on a kept version, whatever the others show.
    Pin {
        /// Which tile.
        instance: String,
        /// On which version; none lets it follow the updates again.
        #[ts(type = "string | null")]
        version: Option<Version>,
    },
    /// Return to a kept version.
    GoBack {
        /// Of what.
        subject: Subject,
        /// To which.
        #[ts(type = "string")]
        version: Version,
    },
    /// Bring a widget back that was kept off the board.
    TryAgain {
        /// Which instance.
        instance: String,
    },
    /// Restart into the version that waits.
    RestartNow,
    /// Let widgets that are being written run here, until Moult ends.
    SetDeveloper {
        /// Whether.
        on: bool,
    },
    /// Choose a folder and save a report of versions and history there.
    SaveReport,
}
