// Generated from crates/model by `cargo xtask bindings`. Do not edit.

export type Subject = string;
export type WidgetId = string;
export type Channel = string;

/**
 * The columns and rows that a tile covers, counted from 0.
 */
export type Cell = { 
/**
 * The first column.
 */
x: number, 
/**
 * The first row.
 */
y: number, 
/**
 * How many columns.
 */
w: number, 
/**
 * How many rows.
 */
h: number, };

/**
 * A widget on the board.
 */
export type Tile = { 
/**
 * Names this instance for ever: state and settings belong to it.
 */
instance: string, 
/**
 * Which widget it shows.
 */
widget: WidgetId, 
/**
 * Where it stands, on a board of 12 columns.
 */
cell: Cell, 
/**
 * What its user set: a value for each key that differs from the manifest's default.
 */
settings?: Record<string, unknown>, 
/**
 * The version that it is held on while others of its widget are updated; none follows the updates.
 */
pinned?: string, };

/**
 * What stands on the board, as saved in `board.json`.
 */
export type Board = { 
/**
 * The tiles, in reading order.
 */
tiles: Array<Tile>, };

/**
 * A size on the board's grid of 12 columns: `s` is 2 by 2, `m` 4 by 2, `l` 4 by 4.
 */
export type Size = "s" | "m" | "l";

/**
 * Something a bundle asks for.
 */
export type Permission = { 
/**
 * The capability, such as `system.figures`.
 */
capability: string, 
/**
 * Why, in a sentence that the user reads.
 */
reason: string, 
/**
 * `network`: the hosts that it may reach: `example.org`, `*.example.org`, `example.org:8443`.
 */
hosts?: Array<string>, 
/**
 * `bus`: the topics of its own that it publishes to.
 */
publishes?: Array<string>, 
/**
 * `bus`: the topics that it listens to: `w/publisher/name:topic`.
 */
listens?: Array<string>, 
/**
 * `bus`: the topics of its own on which it answers.
 */
answers?: Array<string>, 
/**
 * `bus`: the topics that it asks.
 */
asks?: Array<string>, 
/**
 * `shared`: the values of its own that it writes.
 */
writes?: Array<string>, 
/**
 * `shared`: the values that it reads: `w/publisher/name:value`.
 */
reads?: Array<string>, };

/**
 * Words for a person: one text, or one for each language.
 */
export type Words = string | { [key in string]: string };

/**
 * Something to choose.
 */
export type ChoiceOption = { 
/**
 * What the bundle gets.
 */
value: string, 
/**
 * What it is called.
 */
title: Words, };

/**
 * What may be chosen.
 */
export type FieldKind = "switch" | "text" | "number" | "choice" | "color" | "zone";

/**
 * One setting. Members that its kind does not have are refused.
 */
export type Setting = { 
/**
 * What may be chosen.
 */
kind: FieldKind, 
/**
 * What it is called.
 */
title: Words, 
/**
 * What it does, if the title does not say it.
 */
description?: Words, 
/**
 * What it is until somebody chooses.
 */
default: unknown, 
/**
 * `text`: the longest, in characters; 256 if left out.
 */
max_length?: number, 
/**
 * `number`: the least.
 */
min?: number, 
/**
 * `number`: the most.
 */
max?: number, 
/**
 * `number`: from one value to the next; 1 if left out.
 */
step?: number, 
/**
 * `number`: what stands behind it.
 */
unit?: Words, 
/**
 * `choice`: what there is to choose from.
 */
options?: Array<ChoiceOption>, };

/**
 * What counts as equal.
 */
export type CompareRule = { 
/**
 * Parts that are not looked at, as JSON pointers; `*` stands for each item of an array.
 */
ignore?: Array<string>, 
/**
 * Numbers may differ by this much.
 */
tolerance?: number | null, };

/**
 * A new version of logic runs beside the live one before it may take over.
 */
export type ShadowRun = { 
/**
 * So many equal answers are wanted.
 */
equal_answers: number, 
/**
 * It lasts at least this long, in seconds. Seven days unless it says otherwise.
 */
seconds: number, 
/**
 * What counts as equal.
 */
compare: CompareRule, };

/**
 * What counts as failing while a version is on trial.
 */
export type TrialRule = { 
/**
 * The highest share of calls and events that may fail, in percent.
 */
max_error_percent: number, };

/**
 * The versions of the host contract that a bundle was made for, both ends included.
 */
export type HostApi = { 
/**
 * The oldest host it runs in.
 */
min: number, 
/**
 * The newest host it was tried in.
 */
max: number, };

/**
 * The state a bundle keeps.
 */
export type StateSchema = { 
/**
 * The schema it writes.
 */
schema: number, 
/**
 * The oldest schema it can take over.
 */
reads_from: number, };

/**
 * Where a bundle's parts begin: paths inside it.
 */
export type EntryPoints = { 
/**
 * The page that is loaded into the frame.
 */
ui: string, 
/**
 * The WebAssembly component that holds its logic, if it has any.
 */
logic?: string | null, };

/**
 * What a bundle is.
 */
export type BundleKind = "widget" | "shell";

/**
 * The manifest, `moult.json` at the top of a bundle's source folder and the first thing in its file.
 */
export type BundleManifest = { 
/**
 * What it is.
 */
kind: BundleKind, 
/**
 * Its name in the repository: `shell` or `w/publisher/name`.
 */
id: Subject, 
/**
 * Its version.
 */
version: string, 
/**
 * The name a person reads.
 */
name: string, 
/**
 * What it does, in one sentence.
 */
description: string, 
/**
 * Where its parts begin.
 */
entry: EntryPoints, 
/**
 * The hosts it runs in.
 */
host_api: HostApi, 
/**
 * The state it keeps, if it keeps any.
 */
state?: StateSchema | null, 
/**
 * What it asks for, each with a reason that the user reads.
 */
permissions?: Array<Permission>, 
/**
 * The sizes it can be shown at; the first is the usual one.
 */
sizes?: Array<Size>, 
/**
 * Whether the widget takes the whole tile and draws its own header.
 */
whole_tile?: boolean, 
/**
 * What its user may set, for each instance on the board. The host draws the form.
 */
settings?: { [key in string]: Setting }, 
/**
 * The languages that it speaks, as BCP 47.
 */
locales?: Array<string>, 
/**
 * Its picture: the path of an SVG or PNG in the bundle.
 */
icon?: string | null, 
/**
 * What counts as failing while a version is on trial.
 */
trial?: TrialRule | null, 
/**
 * Whether new logic must run beside the live one first.
 */
shadow?: ShadowRun | null, };

/**
 * The closed list of things that go wrong. The screen matches on these and never on a text.
 */
export type ErrorCode = "offline" | "server_refused" | "server_failed" | "metadata_invalid" | "metadata_expired" | "metadata_replayed" | "floor_not_written" | "index_invalid" | "file_corrupt" | "signature_invalid" | "patch_failed" | "disk_full" | "disk_failed" | "bundle_invalid" | "switch_failed" | "state_refused" | "crashed" | "hung" | "too_many_errors" | "answers_differ" | "consent_needed" | "not_declared" | "invalid_request" | "rate_limited" | "too_large" | "quota_exceeded" | "too_many" | "timed_out" | "cancelled" | "internal";

/**
 * Something that went wrong: what happened, what was kept, what to do.
 */
export type Problem = { 
/**
 * What kind of thing it is.
 */
code: ErrorCode, 
/**
 * What happened, in one sentence.
 */
happened: string, 
/**
 * What was kept, in one sentence.
 */
kept: string, 
/**
 * What to do about it, if there is something.
 */
advice: string | null, 
/**
 * The technical chain of causes, for the log and for support.
 */
detail: string, };

/**
 * What was in the way. The screen matches on these and never on a text.
 */
export type Obstacle = "disk_full" | "too_many_files" | "not_writable" | "disk_failed" | "busy" | "other";

/**
 * A version on trial that was not started, because its start could not be counted: without a count it might be
 * started for ever. Nothing is lost, and it is due again at the next start.
 */
export type NotTried = { 
/**
 * The version.
 */
version: string, 
/**
 * What was in the way.
 */
because: Obstacle, 
/**
 * The technical chain of causes, for the log and for support.
 */
detail: string, 
/**
 * When, in seconds since 1970 in UTC.
 */
at: number, };

/**
 * A part of all computers, in ten-thousandths: 0 to [`Share::ALL`].
 */
export type Share = number;

/**
 * The versions from one on, and up to before another.
 */
export type VersionRange = { 
/**
 * The lowest that belongs to it.
 */
from?: string, 
/**
 * The lowest above it.
 */
below?: string, };

/**
 * Who stopped or recalled a release.
 */
export type Authority = "publisher" | "order";

/**
 * The next wave of a release.
 */
export type NextWave = { 
/**
 * When it begins, RFC 3339 in UTC.
 */
from: string, 
/**
 * Who has it then.
 */
share: Share, };

/**
 * A version of a subject.
 */
export type Partner = { 
/**
 * The subject.
 */
subject: Subject, 
/**
 * The version.
 */
version: string, };

/**
 * What became of a candidate. `Display` is its sentence.
 */
export type Verdict = { "kind": "wanted" } | { "kind": "wanted_before", 
/**
 * The higher one.
 */
towards: string, } | { "kind": "wanted_downwards", 
/**
 * The version that runs and is not offered on the channel.
 */
running: string, } | { "kind": "wanted_pinned" } | { "kind": "wanted_recalled", 
/**
 * What runs.
 */
from: string, 
/**
 * Who recalled it.
 */
by: Authority, 
/**
 * Why, if something was said.
 */
reason: string | null, } | { "kind": "wanted_fitting", 
/**
 * The other part.
 */
with: Partner, } | { "kind": "wanted_together", 
/**
 * The others.
 */
with: Array<Partner>, } | { "kind": "runs" } | { "kind": "runs_recalled", 
/**
 * The version to go to, if it is listed.
 */
to: string | null, 
/**
 * Who recalled it.
 */
by: Authority, } | { "kind": "runs_unfit", 
/**
 * The other part.
 */
with: Partner, } | { "kind": "not_on_channel", 
/**
 * The channels it is offered on.
 */
offered: Array<Channel>, } | { "kind": "pinned", 
/**
 * Which one.
 */
to: string, } | { "kind": "banned" } | { "kind": "skipped" } | { "kind": "went_back", 
/**
 * To which version.
 */
to: string, } | { "kind": "failed_before", 
/**
 * How many tries in a row failed.
 */
times: number, 
/**
 * When the next try is due, RFC 3339 in UTC.
 */
next: string, } | { "kind": "outside_wave", 
/**
 * Where this computer stands, from 0 to 9,999.
 */
place: number, 
/**
 * Who has it now.
 */
share: Share, 
/**
 * What comes next, if something does.
 */
next: NextWave | null, } | { "kind": "outside_limit", 
/**
 * Where this computer stands, from 0 to 9,999.
 */
place: number, 
/**
 * Who may have it.
 */
limit: Share, 
/**
 * Why, if something was said.
 */
reason: string | null, } | { "kind": "waves_unreadable" } | { "kind": "held", 
/**
 * Who stopped it.
 */
by: Authority, 
/**
 * Why, if something was said.
 */
reason: string | null, } | { "kind": "recalled", 
/**
 * Who recalled it.
 */
by: Authority, 
/**
 * Why, if something was said.
 */
reason: string | null, } | { "kind": "step_first", 
/**
 * The lowest version that may.
 */
from: string, } | { "kind": "data_not_read", 
/**
 * The schema of the data.
 */
schema: number, 
/**
 * The oldest that it reads.
 */
reads_from: number, 
/**
 * The newest that it reads.
 */
reads_to: number, } | { "kind": "data_lost", 
/**
 * The schema of the data.
 */
schema: number, 
/**
 * The schema of the copy.
 */
copy: number, } | { "kind": "insecure", 
/**
 * The lowest version without a known hole.
 */
min: string, } | { "kind": "does_not_fit", 
/**
 * The other part as it is, or as it is about to be.
 */
with: Partner, 
/**
 * What is needed of it.
 */
needs: VersionRange, } | { "kind": "not_fitted", 
/**
 * The other part.
 */
by: Partner, 
/**
 * What that needs.
 */
needs: VersionRange, } | { "kind": "wrong_host", 
/**
 * The lowest host it admits.
 */
min: number, 
/**
 * The highest host it admits.
 */
max: number, 
/**
 * This host.
 */
host: number, } | { "kind": "unsigned" } | { "kind": "same_version_other_bytes" } | { "kind": "lower" } | { "kind": "surpassed" };

/**
 * A release and what became of it.
 */
export type Candidate = { 
/**
 * Its version.
 */
version: string, 
/**
 * What became of it.
 */
verdict: Verdict, };

/**
 * What stands before all releases alike.
 */
export type Gate = { 
/**
 * The moment that the waves were measured by, RFC 3339 in UTC.
 */
at: string | null, 
/**
 * When what is signed expires: from then on nothing is installed.
 */
expires: string | null, 
/**
 * The lowest versions of the signed files that will ever be believed again.
 */
floors: Record<string, number>, 
/**
 * When the orders in force were read.
 */
orders_read: string | null, 
/**
 * Why the orders could not be read the last time. Those that were read before stay in force.
 */
orders_problem: ErrorCode | null, 
/**
 * How many orders about this subject are in force.
 */
orders: number, 
/**
 * Why the last check failed, if it did.
 */
problem: Problem | null, };

/**
 * Why a subject has the version it has. `Display` says it in lines for a terminal.
 */
export type Explanation = { 
/**
 * What it is about.
 */
subject: Subject, 
/**
 * The channel that is followed.
 */
channel: Channel, 
/**
 * The version that runs.
 */
running: string | null, 
/**
 * The version that the user pinned.
 */
pinned: string | null, 
/**
 * Where the user's way down ends.
 */
min_secure: string | null, 
/**
 * A verdict for each release of the index, highest version first.
 */
candidates: Array<Candidate>, 
/**
 * What is believed, and what orders are in force.
 */
gate: Gate, };

/**
 * Where an update is.
 */
export type Phase = "found" | "planned" | "scheduled" | "fetching" | "rebuilding" | "verifying" | "waiting" | "switching" | "confirming" | "rolling_back" | "done" | "rolled_back" | "failed";

/**
 * One download of a plan.
 */
export type PlanStep = { "kind": "patch", 
/**
 * The version it starts from.
 */
from: string, 
/**
 * The version it leads to.
 */
to: string, 
/**
 * Bytes on the wire.
 */
bytes: number, } | { "kind": "full", 
/**
 * The version it holds.
 */
to: string, 
/**
 * Bytes on the wire.
 */
bytes: number, };

/**
 * An update on its way: the whole picture, sent anew at each change.
 */
export type Activity = { 
/**
 * Unique for this update: the trace id in logs and reports.
 */
id: string, 
/**
 * What is updated.
 */
subject: Subject, 
/**
 * The version that runs, if any.
 */
from: string | null, 
/**
 * The version that is wanted.
 */
to: string, 
/**
 * Where it is.
 */
phase: Phase, 
/**
 * The chosen downloads.
 */
plan: Array<PlanStep>, 
/**
 * Bytes fetched so far, over the whole plan.
 */
bytes_done: number, 
/**
 * Bytes of the whole plan.
 */
bytes_total: number, 
/**
 * What the full file would cost on the wire.
 */
full_bytes: number, 
/**
 * What went wrong, also when the update went on another way (a bad patch, then the full file).
 */
problems: Array<Problem>, };

/**
 * How an update ended.
 */
export type Outcome = "updated" | "installed" | "rolled_back" | "failed";

/**
 * A line of the history.
 */
export type HistoryEntry = { 
/**
 * The update's id.
 */
id: string, 
/**
 * What was updated.
 */
subject: Subject, 
/**
 * The version before.
 */
from: string | null, 
/**
 * The version it was meant to become.
 */
to: string, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * When it ended, RFC 3339 in UTC.
 */
at: string, 
/**
 * Bytes on the wire.
 */
wire_bytes: number, 
/**
 * What the full file would have cost.
 */
full_bytes: number, 
/**
 * How the bytes came, in order; a patch that failed and the full file after it are both here.
 */
plan: Array<PlanStep>, 
/**
 * How long each phase took, in milliseconds, in order.
 */
phases: Array<[Phase, number]>, 
/**
 * What went wrong, if anything did.
 */
problems: Array<Problem>, };

/**
 * How an update of the executable is carried out.
 */
export type Mode = "silent" | "prompt" | "on_quit" | "next_start";

/**
 * The look.
 */
export type Theme = "system" | "light" | "dark" | "high_contrast";

/**
 * What holds for one stage.
 */
export type StagePolicy = { 
/**
 * Seconds that one try may take, 0 for no limit. For a download: seconds without a single byte.
 */
timeout_seconds: number, 
/**
 * How often it is tried before it counts as failed: 1 to 10.
 */
tries: number, 
/**
 * The pause before the second try in milliseconds. It doubles before each further one.
 */
pause_ms: number, 
/**
 * The longest pause in milliseconds.
 */
longest_pause_ms: number, };

/**
 * What holds for each stage.
 */
export type Stages = { 
/**
 * For looking for what is new.
 */
detect: StagePolicy, 
/**
 * For fetching.
 */
download: StagePolicy, 
/**
 * For rebuilding, verifying and storing.
 */
install: StagePolicy, 
/**
 * For deciding when the new version takes over.
 */
decide: StagePolicy, 
/**
 * For taking over.
 */
confirm: StagePolicy, };

/**
 * The settings file, `settings.json`.
 */
export type Settings = { 
/**
 * Where the repository is, ending in `/`. What comes from there is believed only if it is signed.
 */
repository: string, 
/**
 * The channel that everything follows which has none of its own.
 */
channel: Channel, 
/**
 * Channels of single subjects.
 */
channels: Record<string, string>, 
/**
 * Versions that single subjects stay at, or go to.
 */
pins: Record<string, string>, 
/**
 * How the executable is updated.
 */
mode: Mode, 
/**
 * Seconds between two checks: 60 to 86,400, and from 1 in a test set-up.
 */
check_every_seconds: number, 
/**
 * The look.
 */
theme: Theme, 
/**
 * How long each stage of an update may take, and how often it is tried.
 */
stages: Stages, 
/**
 * How many earlier versions of each part are kept to be returned to: 1 to 20.
 */
keep_versions: number, 
/**
 * How much the downloads on their way may take, in megabytes: 64 to 65,536.
 */
staging_limit_mb: number, 
/**
 * Hours after which an update that was put off is asked for again: 1 to 720.
 */
remind_after_hours: number, 
/**
 * Minutes without any input after which an update that waits for long is installed unasked: 1 to 1,440.
 */
idle_minutes: number, };

/**
 * State that a bundle keeps across swaps and restarts.
 */
export type SavedState = { 
/**
 * The schema that the data is written in.
 */
schema: number, 
/**
 * The data, at most 1 MiB as JSON.
 */
data: unknown, };

/**
 * One loading of one bundle into one frame. Dead as soon as the frame is gone.
 */
export type Load = { 
/**
 * Random, and known to this load alone: a readiness without it counts for nothing.
 */
token: string, 
/**
 * The address of the entry page.
 */
url: string, 
/**
 * What is loaded.
 */
subject: Subject, 
/**
 * Which version.
 */
version: string, 
/**
 * Which instance, for widgets.
 */
instance: string | null, 
/**
 * The schema that this version writes, if it keeps state.
 */
state_schema: number | null, 
/**
 * The state as last acknowledged by the native side.
 */
saved: SavedState | null, 
/**
 * The capabilities it may use.
 */
granted: Array<string>, 
/**
 * A value for each setting that this version declares.
 */
settings: Record<string, unknown>, };

/**
 * Why a swap is ordered.
 */
export type SwapReason = "update" | "go_back" | "developer";

/**
 * An order to replace what runs by another version of it.
 */
export type SwapOrder = { 
/**
 * The new version's load. Its `instance` says which frame; none means the shell.
 */
load: Load, 
/**
 * The version that runs.
 */
from: string, 
/**
 * Why.
 */
reason: SwapReason, 
/**
 * How long the frame must have been without input before the switch, in milliseconds. 0 for a forced swap.
 */
quiet_ms: number, 
/**
 * After this long it is switched all the same, in milliseconds (never during composition).
 */
patience_ms: number, 
/**
 * How long the new version may take to get ready, in milliseconds.
 */
ready_ms: number, 
/**
 * How long the new version is on trial after the switch, in milliseconds.
 */
trial_ms: number, 
/**
 * The highest share of what it handles on trial that may fail, in percent.
 */
max_error_percent: number, };

/**
 * An order to take over files that are not code, without loading anything anew.
 */
export type ResourcesOrder = { 
/**
 * The load that goes on: its host serves the new version's files from now on.
 */
token: string, 
/**
 * Which frame; none means the shell.
 */
instance: string | null, 
/**
 * The new version.
 */
version: string, 
/**
 * The files that differ, as paths in the bundle.
 */
paths: Array<string>, 
/**
 * A value for each setting that the new version declares.
 */
settings: Record<string, unknown>, };

/**
 * What kind of failure ended a swap.
 */
export type SwapCause = "not_ready" | "state_refused" | "exception" | "hung" | "errors" | "withdrawn";

/**
 * Why a version could not take over.
 */
export type SwapFailure = { 
/**
 * What kind of failure.
 */
cause: SwapCause, 
/**
 * In technical words, for the log.
 */
detail: string, };

/**
 * One frame as it stood. What a caret and a scroll are is between the two kits; they pass through here unread.
 */
export type CarriedFrame = { 
/**
 * Which instance; none for the shell.
 */
instance: string | null, 
/**
 * Its state, also what was not saved yet.
 */
state: SavedState | null, 
/**
 * Where the caret was.
 */
focus: unknown, 
/**
 * How far it was scrolled.
 */
scroll: unknown[], 
/**
 * Whether it had the keyboard.
 */
keyboard: boolean, };

/**
 * A key that was typed into a frame that held still.
 */
export type CarriedKey = { 
/**
 * Into which instance; none for the shell.
 */
instance: string | null, 
/**
 * The key, as the kits know it.
 */
key: unknown, };

/**
 * What one stage hands to the stage of another process: the frames as they stood when it held still.
 */
export type Carried = { 
/**
 * Each frame that answered. One that did not has its last saved state.
 */
frames: Array<CarriedFrame>, 
/**
 * Keys that came after the frames held still.
 */
keys: Array<CarriedKey>, };

/**
 * What a widget did that it is kept off the board for.
 */
export type HeldCause = "hung" | "memory" | "flood" | "keyboard";

/**
 * A widget that is kept off the board until its user asks for it.
 */
export type HeldWidget = { 
/**
 * Which instance.
 */
instance: string, 
/**
 * The version that did it. Another version is not held.
 */
version: string, 
/**
 * What it did.
 */
cause: HeldCause, 
/**
 * When, RFC 3339 in UTC.
 */
at: string, };

/**
 * Where a widget's frame lies, in CSS px of the window.
 */
export type Placed = { 
/**
 * Which instance.
 */
instance: string, 
/**
 * Its left edge.
 */
x: number, 
/**
 * Its upper edge.
 */
y: number, 
/**
 * Its width.
 */
width: number, 
/**
 * Its height.
 */
height: number, };

/**
 * Which widgets were at work since the beat before, and where they lie: when no beat comes any more, one of these is why.
 */
export type Pulse = { 
/**
 * Whether the window is not seen: then beats are slower, and their absence means nothing.
 */
hidden: boolean, 
/**
 * The instances that are not ready yet.
 */
loading: Array<string>, 
/**
 * The instances that said something, or were pressed or typed into.
 */
active: Array<string>, 
/**
 * The instance that the user's keys go to.
 */
keyboard: string | null, 
/**
 * Where the widgets lie, if that changed since the beat before.
 */
places: Array<Placed> | null, };

/**
 * What the stage tells the native side. `token` is that of the load it is about.
 */
export type StageReport = { "kind": "painted" } | { "kind": "heartbeat", 
/**
 * What it does, for the case that this is its last.
 */
pulse: Pulse, } | { "kind": "flushed" } | { "kind": "settled" } | { "kind": "input", 
/**
 * Whether an input method is composing text.
 */
composing: boolean, } | { "kind": "frozen", 
/**
 * Everything that it held.
 */
carried: Carried, } | { "kind": "keys", 
/**
 * The keys, in order.
 */
keys: Array<CarriedKey>, } | { "kind": "switching", 
/**
 * Of the new load.
 */
token: string, } | { "kind": "answered", 
/**
 * Whose.
 */
token: string, 
/**
 * The request.
 */
id: number, 
/**
 * Whether there is a value.
 */
ok: boolean, 
/**
 * The value; null if there is none.
 */
value: unknown, 
/**
 * Why there is none.
 */
reason: string | null, } | { "kind": "carried" } | { "kind": "ready", 
/**
 * Whose.
 */
token: string, } | { "kind": "load_failed", 
/**
 * Whose.
 */
token: string, 
/**
 * Why.
 */
problem: SwapFailure, } | { "kind": "stopped", 
/**
 * Whose.
 */
token: string, 
/**
 * What it did.
 */
cause: HeldCause, 
/**
 * In technical words, for the log.
 */
detail: string, } | { "kind": "denied", 
/**
 * Whose.
 */
token: string, 
/**
 * In technical words.
 */
detail: string, } | { "kind": "switched", 
/**
 * Whose.
 */
token: string, 
/**
 * From the order to the new version being ready, in milliseconds.
 */
ready_ms: number, 
/**
 * From the freeze of the old version to the first frame of the new one, in milliseconds.
 */
switch_ms: number, 
/**
 * The bytes of state that were handed over, as JSON.
 */
state_bytes: number, 
/**
 * The keys that were typed meanwhile and replayed.
 */
replayed_keys: number, } | { "kind": "confirmed", 
/**
 * Whose.
 */
token: string, } | { "kind": "reverted", 
/**
 * Whose.
 */
token: string, 
/**
 * Why.
 */
problem: SwapFailure, };

/**
 * A permission and the user's decision.
 */
export type GrantedPermission = { 
/**
 * What it asks for.
 */
permission: Permission, 
/**
 * The decision; none if it was never asked.
 */
granted: boolean | null, };

/**
 * An installed part.
 */
export type InstalledPart = { 
/**
 * What it is.
 */
subject: Subject, 
/**
 * Its name for a person.
 */
name: string, 
/**
 * What it does.
 */
description: string, 
/**
 * The version that runs.
 */
version: string, 
/**
 * The channel it follows.
 */
channel: Channel, 
/**
 * The kept versions that can be returned to, newest first.
 */
earlier: Array<string>, 
/**
 * Versions that failed here and are not tried again.
 */
banned: Array<string>, 
/**
 * What it asks for, and whether it was granted.
 */
permissions: Array<GrantedPermission>, 
/**
 * What each of its instances lets its user set.
 */
settings: { [key in string]: Setting }, 
/**
 * The sizes it can be shown at.
 */
sizes: Array<Size>, 
/**
 * Whether it takes the whole tile.
 */
whole_tile: boolean, 
/**
 * When the version that runs was confirmed, RFC 3339 in UTC; none for what came with the application.
 */
updated_at: string | null, };

/**
 * A widget waits for consent.
 */
export type ConsentRequest = { 
/**
 * Which widget.
 */
widget: WidgetId, 
/**
 * Its name for a person.
 */
name: string, 
/**
 * The version that asks.
 */
version: string, 
/**
 * What it asks for beyond what it has.
 */
permissions: Array<Permission>, };

/**
 * The logic of a widget on the board does not run as it should.
 */
export type LogicNotice = { 
/**
 * Which instance.
 */
instance: string, 
/**
 * Whether it stays off; else it is started again.
 */
off: boolean, 
/**
 * What happened.
 */
problem: Problem, };

/**
 * How far a version is that runs in the shadow of the live one.
 */
export type ShadowStanding = { 
/**
 * What it is a version of.
 */
subject: string, 
/**
 * Which one.
 */
version: string, 
/**
 * Equal answers that are still wanted.
 */
answers: number, 
/**
 * Seconds that it must still last.
 */
seconds: number, };

/**
 * A use of a capability, as the user may look at it.
 */
export type CapabilityUse = { 
/**
 * By which instance.
 */
instance: string, 
/**
 * Whether by its logic; else by its page.
 */
by_logic: boolean, 
/**
 * What was called.
 */
call: string, 
/**
 * Why it was refused; none if it was let.
 */
refused: ErrorCode | null, 
/**
 * When last, RFC 3339 in UTC.
 */
at: string, 
/**
 * How often, since the application was started.
 */
count: number, };

/**
 * What the developer's widgets look like to the shell, while the switch is on.
 */
export type DeveloperView = { 
/**
 * The tiles that show unsigned widgets, each with what went wrong last, if it still does.
 */
tiles: Record<string, string | null>, };

/**
 * The whole picture, for the shell.
 */
export type Overview = { 
/**
 * The running application.
 */
app_version: string, 
/**
 * The target triple it was built for.
 */
triple: string, 
/**
 * What stands where.
 */
board: Board, 
/**
 * What is installed, executable and shell first.
 */
installed: Array<InstalledPart>, 
/**
 * What is on its way.
 */
activities: Array<Activity>, 
/**
 * What happened, newest first, at most 100 lines.
 */
history: Array<HistoryEntry>, 
/**
 * The settings.
 */
settings: Settings, 
/**
 * The channels there are.
 */
channels: Array<Channel>, 
/**
 * When the repository was last checked, RFC 3339 in UTC.
 */
checked_at: string | null, 
/**
 * Why the last check failed, if it did.
 */
check_problem: Problem | null, 
/**
 * The newer version of the application that could not be tried at this start, if there is one.
 */
not_tried: NotTried | null, 
/**
 * Widgets whose logic does not run as it should.
 */
logic: Array<LogicNotice>, 
/**
 * New versions of logic that run beside the live ones before they may take over.
 */
shadow_runs: Array<ShadowStanding>, 
/**
 * What waits for the user's consent.
 */
needs: Array<ConsentRequest>, 
/**
 * The widgets that are kept off the board.
 */
held: Array<HeldWidget>, 
/**
 * Why each part has the version it has.
 */
explanations: Array<Explanation>, 
/**
 * What this computer believes.
 */
beliefs: { [key in string]: string }, 
/**
 * The widgets that are being written, while the user has the developer switch on.
 */
developer: DeveloperView | null, };

/**
 * What the stage gets when it opens.
 */
export type StageStart = { 
/**
 * To be sent with every command after this one. It is handed out once per page load.
 */
key: string, 
/**
 * The shell.
 */
shell: Load, 
/**
 * The widgets on the board that are installed.
 */
widgets: Array<Load>, 
/**
 * The picture so far.
 */
overview: Overview, 
/**
 * What the watch over the keyboard in each frame proves itself with.
 */
watch: string, };

/**
 * What the native side tells the stage.
 */
export type StageEvent = { "kind": "overview", 
/**
 * The whole picture.
 */
overview: Overview, } | { "kind": "open", 
/**
 * Its load.
 */
load: Load, } | { "kind": "close", 
/**
 * Which one.
 */
instance: string, } | { "kind": "swap", 
/**
 * The order.
 */
order: SwapOrder, } | { "kind": "resources", 
/**
 * The order.
 */
order: ResourcesOrder, } | { "kind": "settings", 
/**
 * Whose.
 */
instance: string, 
/**
 * All of them.
 */
settings: Record<string, unknown>, } | { "kind": "news", 
/**
 * Which place.
 */
instance: string, 
/**
 * The load that listens, or whose logic says it.
 */
token: string, 
/**
 * What a frame hears, as docs/host-api.md lists it.
 */
news: unknown, } | { "kind": "flush" } | { "kind": "freeze", 
/**
 * How long there must have been no input, in milliseconds.
 */
quiet_ms: number, 
/**
 * After this long it holds still all the same, in milliseconds (never during composition).
 */
patience_ms: number, } | { "kind": "thaw" } | { "kind": "carry", 
/**
 * All that it held.
 */
carried: Carried, } | { "kind": "keys", 
/**
 * The keys, in order.
 */
keys: Array<CarriedKey>, };

/**
 * What the shell may ask for.
 */
export type ShellCommand = { "kind": "check_now" } | { "kind": "set_settings", 
/**
 * All of them.
 */
settings: Settings, } | { "kind": "set_board", 
/**
 * All of it.
 */
board: Board, } | { "kind": "add_tile", 
/**
 * The new tile.
 */
tile: Tile, } | { "kind": "set_tile_settings", 
/**
 * Which one.
 */
instance: string, 
/**
 * What differs from the defaults.
 */
settings: Record<string, unknown>, } | { "kind": "grant", 
/**
 * Whose.
 */
widget: WidgetId, 
/**
 * Which.
 */
capability: string, 
/**
 * The decision.
 */
allowed: boolean, } | { "kind": "list_uses", 
/**
 * Whose.
 */
widget: WidgetId, } | { "kind": "start_logic", 
/**
 * Which instance.
 */
instance: string, } | { "kind": "pin", 
/**
 * Which tile.
 */
instance: string, 
/**
 * On which version; none lets it follow the updates again.
 */
version: string | null, } | { "kind": "go_back", 
/**
 * Of what.
 */
subject: Subject, 
/**
 * To which.
 */
version: string, } | { "kind": "try_again", 
/**
 * Which instance.
 */
instance: string, } | { "kind": "restart_now" } | { "kind": "set_developer", 
/**
 * Whether.
 */
on: boolean, } | { "kind": "save_report" };

