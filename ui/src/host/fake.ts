// A host without a stage, for tests and the gallery: it answers commands by changing its own picture, as a willing
// native side would. Its pictures are of an ordinary day.

import type { Body, Box, ShellNews } from "../protocol";
import type { Activity, HistoryEntry, InstalledPart, Overview, Problem } from "./bindings";
import type { ShellCommand, StagePolicy, Tile } from "./bindings";
import type { Connect, ShellSide, ShellStart } from "./host";
import { valuesOf } from "../state/tile_settings";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The time `ago` milliseconds before `now`, as the native side writes it. */
function before(now: number, ago: number): string {
  return new Date(now - ago).toISOString();
}

/** A problem as the native side words it. */
export function problem(code: Problem["code"], happened: string, kept = "", advice: string | null = null): Problem {
  return { code, happened, kept, advice, detail: `${code}: seen in the gallery` };
}

/** An installed widget. */
export function widget(id: string, name: string, version: string, more: Partial<InstalledPart> = {}): InstalledPart {
  return {
    subject: `w/${id}`,
    name,
    description: `${name}, on the desk`,
    version,
    channel: "stable",
    earlier: [],
    banned: [],
    permissions: [],
    settings: {},
    sizes: ["m", "s", "l"],
    whole_tile: false,
    updated_at: null,
    ...more,
  };
}

/** A line of the history. */
export function entry(
  id: string,
  subject: string,
  from: string | null,
  to: string,
  more: Partial<HistoryEntry>,
): HistoryEntry {
  return {
    id,
    subject,
    from,
    to,
    outcome: "updated",
    at: new Date(0).toISOString(),
    wire_bytes: 0,
    full_bytes: 0,
    plan: [],
    phases: [],
    problems: [],
    ...more,
  };
}

/** An update on its way. */
export function activity(subject: string, from: string | null, to: string, more: Partial<Activity> = {}): Activity {
  return {
    id: `way-${subject}`,
    subject,
    from,
    to,
    phase: "found",
    plan: [],
    bytes_done: 0,
    bytes_total: 0,
    full_bytes: 0,
    problems: [],
    ...more,
  };
}

/** What holds for a stage of an update. */
function stage(timeout_seconds: number, tries: number): StagePolicy {
  return { timeout_seconds, tries, pause_ms: 500, longest_pause_ms: 30_000 };
}

/** The picture of an ordinary day: all current, one widget fresh. */
export function ordinaryDay(now: number): Overview {
  return {
    app_version: "1.8.4",
    triple: "x86_64-unknown-linux-gnu",
    board: {
      tiles: [
        { instance: "clock-1", widget: "moult/clock", cell: { x: 0, y: 0, w: 4, h: 2 } },
        { instance: "system-1", widget: "moult/system", cell: { x: 4, y: 0, w: 4, h: 4 } },
        { instance: "notes-1", widget: "moult/notes", cell: { x: 8, y: 0, w: 4, h: 2 } },
        { instance: "tasks-1", widget: "moult/tasks", cell: { x: 0, y: 2, w: 4, h: 4 } },
        { instance: "pomodoro-1", widget: "hearth-works/pomodoro", cell: { x: 4, y: 4, w: 4, h: 2 } },
        { instance: "feed-1", widget: "marginalia/feed", cell: { x: 8, y: 2, w: 4, h: 4 } },
      ],
    },
    installed: [
      widget("", "Moult", "1.8.4", { subject: "app", earlier: ["1.8.3"] }),
      widget("", "Shell", "1.8.4", { subject: "shell", earlier: ["1.8.3", "1.8.2"] }),
      widget("moult/clock", "Clock", "4.1.0", { earlier: ["4.0.2"] }),
      widget("moult/system", "System", "2.8.0", {
        earlier: ["2.7.0", "2.6.3"],
        permissions: [
          { permission: { capability: "system.figures", reason: "To draw how busy this computer is." }, granted: true },
        ],
      }),
      widget("moult/notes", "Notes", "1.6.1", { earlier: ["1.6.0"] }),
      widget("moult/tasks", "Tasks", "5.0.2", { channel: "beta", earlier: ["5.0.1"] }),
      widget("hearth-works/pomodoro", "Pomodoro", "2.1.3", { banned: ["2.2.0"], earlier: ["2.1.2"] }),
      widget("marginalia/feed", "Feed", "3.2.0", {
        channel: "nightly",
        earlier: ["3.1.4", "3.1.3"],
        updated_at: before(now, 20_000),
      }),
    ],
    activities: [],
    history: [
      entry("h1", "w/marginalia/feed", "3.1.4", "3.2.0", {
        at: before(now, 20_000),
        wire_bytes: 96_000,
        full_bytes: 2_100_000,
        plan: [{ kind: "patch", from: "3.1.4", to: "3.2.0", bytes: 96_000 }],
        phases: [
          ["fetching", 410],
          ["rebuilding", 38],
          ["verifying", 6],
          ["switching", 11],
        ],
      }),
      entry("h2", "app", "1.8.3", "1.8.4", {
        at: before(now, 16 * HOUR),
        wire_bytes: 1_100_000,
        full_bytes: 74_000_000,
        plan: [{ kind: "patch", from: "1.8.3", to: "1.8.4", bytes: 1_100_000 }],
        phases: [
          ["fetching", 2600],
          ["rebuilding", 900],
        ],
      }),
      entry("h3", "w/moult/tasks", "5.0.1", "5.0.2", {
        at: before(now, 30 * HOUR),
        wire_bytes: 310_000,
        full_bytes: 310_000,
        plan: [
          { kind: "patch", from: "5.0.1", to: "5.0.2", bytes: 18_000 },
          { kind: "full", to: "5.0.2", bytes: 310_000 },
        ],
        phases: [["fetching", 1900]],
        problems: [problem("patch_failed", "The patch could not be applied.", "The full file was fetched instead.")],
      }),
      entry("h4", "w/moult/notes", "1.6.0", "1.6.1", {
        at: before(now, 50 * HOUR),
        wire_bytes: 44_000,
        full_bytes: 480_000,
        plan: [{ kind: "patch", from: "1.6.0", to: "1.6.1", bytes: 44_000 }],
        phases: [["fetching", 900]],
      }),
    ],
    settings: {
      repository: "https://updates.moult.example/",
      channel: "stable",
      channels: { "w/moult/tasks": "beta", "w/marginalia/feed": "nightly" },
      pins: {},
      mode: "silent",
      check_every_seconds: 300,
      theme: "system",
      stages: {
        detect: stage(30, 3),
        download: stage(30, 3),
        install: stage(300, 3),
        decide: stage(0, 1),
        confirm: stage(600, 1),
      },
      keep_versions: 3,
      staging_limit_mb: 1024,
      remind_after_hours: 24,
      idle_minutes: 10,
      delivery: {
        mirrors: [],
        proxy: "",
        certificates: "",
        limit_kb_per_second: 0,
        metered_limit_mb: 10,
        quiet_hours: null,
      },
    },
    channels: ["stable", "beta", "nightly"],
    checked_at: before(now, 4 * MINUTE),
    check_problem: null,
    not_tried: null,
    logic: [],
    shadow_runs: [],
    needs: [],
    held: [],
    explanations: [],
    beliefs: { root: "4", timestamp: "21,907, good for 22 h", snapshot: "8,114", floor: "21,880" },
    developer: null,
  };
}

/** A field of each kind. */
const CLOCK: InstalledPart["settings"] = {
  seconds: { kind: "switch", title: { en: "Seconds", zh: "显示秒" }, default: false },
  name: {
    kind: "text",
    title: { en: "Name", zh: "名称" },
    description: { en: "Stands above the time.", zh: "显示在时间上方。" },
    default: "",
    max_length: 12,
  },
  rest: {
    kind: "number",
    title: { en: "Break", zh: "休息" },
    default: 5,
    min: 1,
    max: 60,
    step: 5,
    unit: { en: "min", zh: "分钟" },
  },
  face: {
    kind: "choice",
    title: { en: "Face", zh: "表盘" },
    default: "figures",
    options: [
      { value: "figures", title: { en: "Figures", zh: "数字" } },
      { value: "hands", title: { en: "Hands", zh: "指针" } },
    ],
  },
  hue: { kind: "color", title: { en: "Colour", zh: "颜色" }, default: "#0a6850" },
  zone: { kind: "zone", title: { en: "Place", zh: "地点" }, default: "" },
};

/** A change that makes a picture one of the states that the shell can show. */
export const SCENES: Record<string, (overview: Overview, now: number) => void> = {
  board: () => {},
  held: (overview, now) => {
    const at = new Date(now).toISOString();
    overview.held = [
      { instance: "notes-1", version: "1.2.0", cause: "hung", at },
      { instance: "clock-1", version: "1.0.0", cause: "keyboard", at },
      { instance: "system-1", version: "2.8.0", cause: "memory", at },
    ];
  },
  waves: (overview) => {
    overview.explanations = [
      {
        subject: "w/hearth-works/pomodoro",
        channel: "stable",
        running: "2.1.3",
        pinned: null,
        min_secure: "2.1.3",
        candidates: [
          {
            version: "2.3.0",
            verdict: {
              kind: "outside_wave",
              place: 3412,
              share: 1000,
              next: { from: "2026-12-02T10:00:00Z", share: 5000 },
            },
          },
          { version: "2.2.1", verdict: { kind: "held", by: "order", reason: "It loses a pause." } },
          { version: "2.2.0", verdict: { kind: "banned" } },
          { version: "2.1.3", verdict: { kind: "runs" } },
          { version: "2.1.2", verdict: { kind: "insecure", min: "2.1.3" } },
        ],
        gate: {
          at: null,
          expires: null,
          floors: {},
          orders_read: null,
          orders_problem: null,
          orders: 1,
          problem: null,
        },
      },
    ];
  },
  updating: (overview) => {
    overview.activities = [
      activity("w/moult/system", "2.8.0", "2.9.1", {
        phase: "fetching",
        plan: [
          { kind: "patch", from: "2.8.0", to: "2.9.0", bytes: 210_000 },
          { kind: "patch", from: "2.9.0", to: "2.9.1", bytes: 202_000 },
        ],
        bytes_done: 264_000,
        bytes_total: 412_000,
        full_bytes: 18_800_000,
      }),
    ];
  },
  ready: (overview) => {
    overview.settings.mode = "prompt";
    overview.activities = [activity("app", "1.8.4", "1.9.0", { phase: "waiting", bytes_total: 1, full_bytes: 1 })];
  },
  full: (overview) => {
    overview.activities = [
      activity("shell", "1.8.4", "1.9.0", {
        phase: "verifying",
        plan: [{ kind: "full", to: "1.9.0", bytes: 412_000 }],
        bytes_done: 412_000,
        bytes_total: 412_000,
        full_bytes: 412_000,
        problems: [problem("patch_failed", "The patch could not be applied.", "The full file is fetched instead.")],
      }),
    ];
  },
  rollback: (overview, now) => {
    overview.history.unshift(
      entry("h0", "w/hearth-works/pomodoro", "2.1.3", "2.2.0", {
        outcome: "rolled_back",
        at: before(now, 2 * MINUTE),
        wire_bytes: 51_000,
        full_bytes: 600_000,
        plan: [{ kind: "patch", from: "2.1.3", to: "2.2.0", bytes: 51_000 }],
        phases: [
          ["fetching", 300],
          ["switching", 12],
          ["confirming", 40_000],
        ],
        problems: [problem("hung", "It stopped answering.", "Your timer was kept.")],
      }),
    );
  },
  failed: (overview, now) => {
    overview.history.unshift(
      entry("h0", "w/marginalia/feed", "3.2.0", "3.3.0", {
        outcome: "failed",
        at: before(now, 2 * MINUTE),
        problems: [problem("signature_invalid", "The file does not match its signature.", "3.2.0 goes on.")],
      }),
    );
  },
  "app-rollback": (overview, now) => {
    overview.history.unshift(
      entry("h0", "app", "1.8.4", "1.9.0", {
        outcome: "rolled_back",
        at: before(now, 2 * MINUTE),
        problems: [problem("crashed", "It stopped with an error.", "The desk is as it was.")],
      }),
    );
  },
  "not-tried": (overview, now) => {
    overview.not_tried = {
      version: "1.9.0",
      because: "disk_full",
      detail: "`state.a` could not be written: No space left on device (os error 28)",
      at: Math.floor((now - MINUTE) / 1000),
    };
  },
  consent: (overview) => {
    const part = overview.installed.find(({ subject }) => subject === "w/moult/system");
    if (part) part.permissions = [];
    overview.needs = [
      {
        widget: "moult/system",
        name: "System",
        version: "2.8.0",
        permissions: [{ capability: "system.figures", reason: "To draw how busy this computer is." }],
      },
    ];
  },
  settings: (overview) => {
    const part = overview.installed.find(({ subject }) => subject === "w/moult/clock");
    if (part) part.settings = CLOCK;
    const tile = overview.board.tiles.find(({ instance }) => instance === "clock-1");
    if (tile) tile.settings = { seconds: true, rest: 15, of_a_newer: 1 };
  },
  offline: (overview) => {
    overview.check_problem = problem(
      "offline",
      "No network.",
      "What is here goes on.",
      "The next check is made by itself in 5 minutes.",
    );
  },
  empty: (overview) => {
    overview.board.tiles = [];
  },
};

/** A host for one shell. */
export class FakeHost {
  readonly commands: ShellCommand[] = [];
  overview: Overview;
  bodies: Body[] = [];
  covers: Box[] = [];
  /** Set to have commands refused with it. */
  refuses: Problem | null = null;
  laidOut: () => void = () => {};
  /** Gets what the native side tells the frame of a tile whose settings were changed. */
  settled: (instance: string, settings: Record<string, unknown>) => void = () => {};
  #shell: ShellSide | null = null;

  constructor(overview: Overview) {
    this.overview = overview;
  }

  readonly connect: Connect = (shell) => {
    this.#shell = shell;
    return {
      command: (command) => this.carryOut(command),
      layout: (bodies, covers) => {
        this.bodies = bodies;
        this.covers = covers;
        this.laidOut();
      },
    };
  };

  /** Carries a command out. Rejects with `refuses` if that is set. */
  async carryOut(command: ShellCommand): Promise<unknown> {
    await Promise.resolve();
    return this.#answer(command);
  }

  /** Starts the shell. `phase` is where its frames are. */
  async start(start: ShellStart, phase: "loading" | "live" | "failed" = "live"): Promise<void> {
    const drawn = this.#shell?.start(start);
    for (const { instance } of this.overview.board.tiles) {
      this.tell({ kind: "frame", instance, phase, version: "1.0.0" });
    }
    this.tell({ kind: "overview", overview: this.overview });
    await drawn;
  }

  tell(news: ShellNews): void {
    this.#shell?.hear(news);
  }

  /** Shows a changed picture. */
  change(change: Partial<Overview>): void {
    this.overview = { ...this.overview, ...change };
    this.tell({ kind: "overview", overview: this.overview });
  }

  #answer(command: ShellCommand): unknown {
    this.commands.push(command);
    // What is thrown at the shell is a Problem, as the stage's replies are.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (this.refuses) throw this.refuses;
    const { board } = this.overview;
    switch (command.kind) {
      case "check_now":
        this.change({ checked_at: new Date().toISOString(), check_problem: null });
        return null;
      case "set_settings":
        this.change({ settings: command.settings });
        return null;
      case "set_board":
        this.change({ board: command.board });
        return null;
      case "add_tile":
        this.change({ board: { tiles: [...board.tiles, command.tile] } });
        this.tell({ kind: "frame", instance: command.tile.instance, phase: "live", version: "1.0.0" });
        return null;
      case "set_tile_settings": {
        const { instance, settings } = command;
        const tiles = board.tiles.map((tile) => (tile.instance === instance ? { ...tile, settings } : tile));
        const tile = tiles.find((one) => one.instance === instance);
        const part = this.overview.installed.find(({ subject }) => subject === `w/${tile?.widget}`);
        this.change({ board: { tiles } });
        this.settled(instance, valuesOf(part?.settings ?? {}, settings));
        return null;
      }
      case "pin": {
        const { instance, version } = command;
        const tiles = board.tiles.map((tile) => (tile.instance === instance ? held(tile, version) : tile));
        this.change({ board: { tiles } });
        const part = this.overview.installed.find(({ subject }) =>
          tiles.some((tile) => tile.instance === instance && subject === `w/${tile.widget}`),
        );
        const shown = version ?? part?.version ?? "1.0.0";
        this.tell({ kind: "frame", instance, phase: "live", version: shown });
        return null;
      }
      case "grant":
        this.change({ needs: this.overview.needs.filter(({ widget }) => widget !== command.widget) });
        return null;
      case "list_uses": {
        const use = { instance: "feed-1", by_logic: false, at: new Date().toISOString() };
        return [
          { ...use, call: "open.url", refused: "consent_needed", count: 1 },
          { ...use, call: "network.fetch", refused: null, count: 12 },
          { ...use, call: "bus.ask", refused: "timed_out", count: 2 },
        ];
      }
      case "start_logic":
        this.change({ logic: this.overview.logic.filter(({ instance }) => instance !== command.instance) });
        return null;
      case "set_developer":
        this.change({ developer: command.on ? { tiles: {} } : null });
        return null;
      case "save_report":
        return "/home/you/moult-report.zip";
      case "try_again": {
        const { instance } = command;
        const version = this.overview.held.find((held) => held.instance === instance)?.version ?? "1.0.0";
        this.change({ held: this.overview.held.filter((held) => held.instance !== instance) });
        this.tell({ kind: "frame", instance, phase: "live", version });
        return null;
      }
      case "go_back":
      case "restart_now":
        return null;
    }
  }
}

/** A tile that is held on a version, or on none. */
function held({ pinned: _, ...tile }: Tile, version: string | null): Tile {
  return version === null ? tile : { ...tile, pinned: version };
}
