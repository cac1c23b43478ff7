// What the shell says, in English. Short and exact: what happened, what was kept, what to do.

import type {
  ErrorCode,
  HistoryEntry,
  Mode,
  NotTried,
  Obstacle,
  Problem,
  ShadowStanding,
  Theme,
} from "../host/bindings";
import type { Stage, Status } from "../state/parts";
import type { Fault } from "../state/tile_settings";
import * as format from "./format";
import { roughly } from "./format";
import { verdict } from "./verdicts.en";

const LANGUAGE = "en" as const;

/** The reasons why a version went away, as the rest of a sentence that begins with its number. */
const CAUSES: Partial<Record<ErrorCode, string>> = {
  hung: "stopped answering.",
  too_many_errors: "failed in too much of what it did.",
  answers_differ: "was tried beside it, and its logic answered otherwise.",
  crashed: "stopped with an error.",
  state_refused: "could not take over what you had.",
  switch_failed: "did not get ready.",
  signature_invalid: "was not installed. The file does not match its signature and was deleted.",
  file_corrupt: "was not installed. The file that came was damaged and was deleted.",
  patch_failed: "was not installed. It could not be rebuilt from what is here.",
  disk_full: "was not installed. The disk is full.",
  disk_failed: "was not installed. The disk refused a write.",
  bundle_invalid: "was not installed. It is not made for this version of Moult.",
  server_refused: "was not installed. The server refused the file.",
  server_failed: "was not installed. The server did not answer.",
  captive_portal: "was not installed. This network wants you to sign in first.",
  file_held: "was not installed. Another program, most likely a virus scanner, holds the file or took it away.",
};

/** Why the start of a new version could not be counted, and what to do about it. */
const OBSTACLES: Record<Obstacle, [because: string, advice: string]> = {
  disk_full: ["The disk is full, so its start could not be counted.", "Make room, and start Moult again."],
  too_many_files: [
    "Too many files are open on this computer, so its start could not be counted.",
    "Close some programs, and start Moult again.",
  ],
  not_writable: [
    "Moult may not write its own folder, so its start could not be counted.",
    "Allow it, and start Moult again.",
  ],
  disk_failed: [
    "The disk refused a write, so its start could not be counted.",
    "Start Moult again. If this stays, look after the disk.",
  ],
  busy: [
    "Another process holds the list of versions, so its start could not be counted.",
    "Start Moult again. If this stays, sign out and in.",
  ],
  other: ["Its start could not be counted.", "Start Moult again. If this stays, save a report in the settings."],
};

/** Capabilities as the end of "NAME asks to". */
const CAPABILITIES: Record<string, string> = {
  "system.figures": "read processor, memory, disk and network figures",
  network: "reach the hosts on the internet that it names",
  storage: "keep things on this computer",
  notifications: "show notifications",
  "clipboard.write": "put text on the clipboard when you press for it",
  "open.url": "open addresses in your browser when you press for it",
  timers: "wake up by itself",
  bus: "exchange messages with the widgets that it names",
  shared: "share values with the widgets that it names",
};

export const en = {
  language: LANGUAGE,
  app: "Moult",
  desk: "Desk",
  boards: "Boards",
  settings: "Settings",
  updates: "Updates",
  close: "Close",
  undo: "Undo",
  /** Sentences one after the other. */
  sentences: (...all: (string | false | null | undefined)[]) => all.filter(Boolean).join(" "),

  status(status: Status): string {
    switch (status.kind) {
      case "current":
        return "All current";
      case "unchecked":
        return "Not checked yet";
      case "on_its_way":
        return `${status.count} on its way`;
      case "needs_you":
        return status.count === 1 ? "1 needs you" : `${status.count} need you`;
      case "offline":
        return "No network";
      case "check_failed":
        return "Check failed";
    }
  },

  board: {
    empty: "Nothing stands on the desk yet.",
    emptyAction: "Add a widget",
    add: "Add a widget",
    addNone: "No widgets are installed.",
    menu: (name: string) => `${name}: version and size`,
    updated: (version: string) => `Updated to ${version}`,
    waits: (version: string) => `${version} waits`,
    asks: "Asks you",
    fetching: (version: string) => `${version}, fetching`,
    rebuilding: (version: string) => `${version}, rebuilding`,
    ready: (version: string) => `${version} is ready`,
    failed: (name: string) => `${name} could not be shown.`,
    failedKept: "What it held is kept.",
    versionOf: (name: string, version: string) => `${name} ${version}`,
    cameWith: "Came with Moult",
    size: "Size",
    settings: "Settings…",
    remove: "Remove from the desk",
    removed: (name: string) => `${name} is off the desk. What it held is kept.`,
    history: "What happened",
    logicRestarts: "Starting again",
    logicOff: "Stopped",
    logicStart: "Start again",
    logicSays: (off: boolean): string =>
      off ? "Its logic failed too often and stays off." : "Its logic failed and is started again with what it had.",
    shadow: ({ version, answers, seconds }: ShadowStanding): string => {
      const left = [
        ...(answers > 0 ? [answers === 1 ? "1 answer" : `${answers} answers`] : []),
        ...(seconds > 0 ? [format.span(roughly(seconds), LANGUAGE)] : []),
      ];
      return `${version} is tried beside it: ${left.join(" and ")} to go`;
    },
    held: (version: string) => `Stays on ${version}`,
    heldMore: "This tile is not updated.",
    hold: (version: string) => `Keep this tile on ${version}`,
    follow: (version: string) => `Update this tile to ${version}`,
    developer: "Developer",
    trouble: "The newest version does not run. This is the one before it.",
    threw: "It threw an error.",
  },

  goBack: (version: string) => `Go back to ${version}`,
  goBackShort: "Go back",
  wentBack: (name: string, version: string) => `${name} goes back to ${version}.`,

  strip: {
    whatHappened: "What happened",
    gotIt: "Got it",
    head(entry: HistoryEntry): string {
      return entry.outcome === "rolled_back" && entry.from ? `Back on ${entry.from}.` : "";
    },
    rest(entry: HistoryEntry): string {
      const problem = entry.problems.at(-1);
      return en.sentences(en.cause(entry.to, problem), en.kept(entry));
    },
  },

  held: {
    did: {
      hung: (name: string, version: string) => `${name} ${version} held up the whole board.`,
      memory: (name: string, version: string) => `${name} ${version} took all the memory.`,
      flood: (name: string, version: string) => `${name} ${version} flooded the board with messages.`,
      keyboard: (name: string, version: string) => `${name} ${version} took the keyboard from you.`,
    },
    kept: "It was stopped and stays off until you ask for it. What it held is kept.",
    again: "Try again",
  },

  notTried: {
    head: ({ version }: NotTried) => `${version} was not started.`,
    rest({ version, because }: NotTried, running: string): string {
      const [happened, advice] = OBSTACLES[because];
      return en.sentences(happened, `${running} goes on, and ${version} stays installed.`, advice);
    },
  },

  cause(version: string, problem: Problem | undefined): string {
    const cause = problem && CAUSES[problem.code];
    if (cause) return `${version} ${cause}`;
    return problem ? `${version} was not installed. ${problem.happened}` : `${version} did not work here.`;
  },

  kept(entry: HistoryEntry): string {
    const kept = entry.problems.at(-1)?.kept;
    if (kept) return kept;
    if (entry.outcome === "rolled_back") return "What you had was kept.";
    return entry.from ? `${entry.from} goes on.` : "Nothing was changed.";
  },

  problem: ({ happened, kept, advice }: Problem) => [happened, kept, advice].filter(Boolean).join(" "),

  consent: {
    asks: (name: string) => `${name} asks to`,
    one: (capability: string) => CAPABILITIES[capability] ?? `use “${capability}”`,
    reason: (reason: string) => reason,
    goesOn: (version: string) => `${version} goes on until you decide.`,
    allow: "Allow",
    notNow: "Not now",
  },

  form: {
    title: (name: string) => `Settings of ${name}`,
    more: "A change holds at once. What differs from the usual has a frame.",
    reset: "Reset",
    resetOf: (title: string) => `Reset: ${title}`,
    pick: (title: string) => `${title}: choose a colour`,
    ownZone: "This computer’s",
    noZone: "No place of that name.",
    fault(fault: Fault, unit: string): string {
      const behind = unit && ` ${unit}`;
      switch (fault.kind) {
        case "number":
          return "This is not a number. The value before goes on.";
        case "range":
          return `From ${fault.min} to ${fault.max}${behind}. The value before goes on.`;
        case "step":
          return `In steps of ${fault.step}: ${fault.below} or ${fault.above}${behind}. The value before goes on.`;
        case "long":
          return `At most ${fault.most} characters, ${fault.over} fewer than this. The text before goes on.`;
        case "color":
          return "A colour has six digits, 0 to 9 and a to f. The one before goes on.";
        case "other":
          return "This cannot be chosen here. The value before goes on.";
      }
    },
  },

  phases: {
    found: "Found",
    planned: "Planned",
    fetching: "Fetching",
    rebuilding: "Rebuilding",
    verifying: "Verifying",
    switching: "Switching",
    confirming: "Confirming",
    scheduled: "Waiting its turn",
    waiting: "Waiting for you",
    rolling_back: "Going back",
  } satisfies Record<Stage | "scheduled" | "waiting" | "rolling_back", string>,

  update: {
    title: "Updates",
    checked: (time: string) => `Checked at ${time}.`,
    checkedNext: (time: string, next: string) => `Checked at ${time}, again at ${next}.`,
    unchecked: "Not checked yet.",
    nothingStops: "Nothing on the desk stops while this runs.",
    allCurrent: "All current.",
    checkNow: "Check now",
    checking: "Checking",
    lastGood: (time: string) => `Last checked at ${time}.`,
    onWay: "On its way",
    from: (version: string) => `from ${version}`,
    firstTime: "new here",
    signedBy: (publisher: string) => `signed by ${publisher}`,
    of: (part: string, whole: string) => ({ figure: part, rest: `of ${whole}` }),
    saved: (size: string) => ({ figure: size, rest: "saved" }),
    waitsForQuiet: "Waits for a quiet moment",
    waitsForYou: "Waits for your decision on the desk",
    waitsForQuit: "Installs when you quit",
    problemsBefore: "It went on another way:",
    plan: {
      installed: "installed",
      patch: (size: string) => `patch, ${size}`,
      full: (size: string) => `full file, ${size}`,
      notNeeded: (size: string) => `full file, ${size}, not needed`,
      label(patches: number, size: string, full: string): string {
        if (patches === 0) return `Plan: the full file of ${size}`;
        const words = patches === 1 ? "one patch" : `${patches} patches`;
        return `Plan: ${words}, ${size} together, instead of the full file of ${full}`;
      },
    },
    appReady: (version: string) => `Moult ${version} is ready`,
    appReadyMore: "Restarts in about a second. The desk, notes and timers come back as they are.",
    appOnQuit: "It is installed when you quit. The desk, notes and timers come back as they are.",
    appNextStart: "It is there at the next start. The desk, notes and timers come back as they are.",
    restartNow: "Restart now",
    whenIQuit: "When I quit",
    later: "Later",
    installed: "Installed",
    version: "Version",
    publisher: "Publisher",
    channel: "Channel",
    earlier: "Earlier",
    keptVersions: (count: number) => (count === 0 ? "none" : `${count} kept`),
    why: "Why",
    whyTitle: (name: string, version: string) => `Why ${name} ${version}?`,
    history: "History",
    noHistory: "Nothing has happened yet.",
    details: "Details",
    entry(name: string, entry: HistoryEntry): string {
      switch (entry.outcome) {
        case "installed":
          return `${name} ${entry.to} installed`;
        case "updated":
          return entry.from ? `${name} ${entry.from} to ${entry.to}` : `${name} ${entry.to}`;
        case "rolled_back":
          return entry.from ? `${name} went back to ${entry.from}` : `${name} ${entry.to} was withdrawn`;
        case "failed":
          return `${name} ${entry.to} was not installed`;
      }
    },
    way(entry: HistoryEntry): string {
      const patches = entry.plan.filter((step) => step.kind === "patch").length;
      const full = entry.plan.some((step) => step.kind === "full");
      const size = format.size(entry.wire_bytes);
      if (full && patches > 0) return `patch failed, full file, ${size}`;
      if (full) return `full file, ${size}`;
      if (patches > 1) return `${patches} patches, ${size} of ${format.size(entry.full_bytes)}`;
      return patches === 1 ? `patch, ${size} of ${format.size(entry.full_bytes)}` : "";
    },
    total: (time: string) => `${time} in all`,
    notTriedAgain: (version: string) => `${version} will not be tried again.`,
  },

  whyLines: {
    banned: "failed here and is not tried again.",
    onWay: "is on its way.",
    waitsForConsent: "asks for more than you have allowed and waits.",
    current: (channel: string) => `is signed, current and runs here. You follow ${channel}.`,
    earlier: "is kept here. You can go back to it.",
  },
  verdict,

  channels: { stable: "Stable", beta: "Beta", nightly: "Nightly" } as Record<string, string>,

  set: {
    title: "Settings",
    general: "General",
    channels: "Channels",
    rights: "Widgets and rights",
    computer: "This computer",
    developer: "Developer",
    developerOn: "Widgets that are being written",
    developerMore:
      "Lets a widget run here that nobody has signed, from a tool on this computer that can read your files. It goes off when Moult ends.",
    developerNext: "Now, in the folder of a widget:",
    about: "About",
    appearance: "Look",
    themes: { system: "As the system", light: "Light", dark: "Dark", high_contrast: "High contrast" } satisfies Record<
      Theme,
      string
    >,
    mode: "Updates of Moult itself",
    modes: { silent: "Silent", prompt: "Ask me", on_quit: "On quit", next_start: "Next start" } satisfies Record<
      Mode,
      string
    >,
    modeMore: {
      silent: "Restarts by itself when nobody is typing. It takes about a second.",
      prompt: "Asks before it restarts. What waits for a week is installed when nobody is here.",
      on_quit: "Installs when you quit. What waits for a week is installed when nobody is here.",
      next_start: "Is there at the next start, however this run ends.",
    } satisfies Record<Mode, string>,
    remind: "Ask again",
    remindMore: "When you said “later”.",
    after: (span: string) => `After ${span}`,
    kept: "Versions to go back to",
    keptMore: "Of each part. Older ones are deleted.",
    interval: "Check for updates",
    every: (span: string) => `Every ${span}`,
    channelsMore: "What each part follows. A change is tried at once.",
    version: "version",
    only: (version: string) => `Only ${version}`,
    forAll: "All parts",
    forAllMore: "What everything follows that has no channel of its own.",
    asAll: (channel: string) => `${channel}, as all`,
    part: "Part",
    now: "Now",
    channel: "Channel",
    next: "Next",
    currentNext: "current",
    rightsMore: "What each widget may do here. A change holds at once.",
    rightsNone: "No widget asks for anything.",
    uses: "What it used",
    usesNone: "Nothing since Moult was started.",
    usedBy: (byLogic: boolean): string => (byLogic ? "logic" : "page"),
    usedTimes: (count: number): string => (count === 1 ? "once" : `${count} times`),
    needsNothing: "Needs nothing",
    allowed: "Allowed",
    refused: "Not allowed",
    failed: "Allowed, and failed",
    computerMore: "What this computer holds to be true about the repository. It never goes back.",
    believes: "What this computer believes",
    beliefs: {
      root_version: "Root keys",
      timestamp_version: "Timestamp",
      snapshot_version: "Snapshot",
      expires: "Good until",
      floor: "Never below",
      repository: "Repository",
      place: "Where it is installed",
    } as Record<string, string>,
    report: "Report",
    reportMore: "Versions, history and settings in one file on this computer. Nothing is sent.",
    saveReport: "Save a report…",
    reportSaved: "The report is saved.",
    reportSavedAt: (path: string) => `The report is saved at ${path}.`,
    aboutMore: "A desk of widgets that stays current while you use it.",
    builtFor: "Built for",
    shell: "Shell",
    licences: "Inter is used under the SIL Open Font License 1.1, Lucide icons under ISC.",
  },

  say: {
    updated: (name: string, version: string) => `${name} is updated to ${version}. Nothing was closed.`,
    back: (name: string, version: string) => `${name} is back on ${version}.`,
  },
};

export type Texts = typeof en;
