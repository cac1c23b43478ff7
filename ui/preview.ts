// The preview: the real stage with the built shell and widgets, on a native side that lives in this page. Swaps are
// ordered from the console: `__moultPreview.swap("notes-1", { version: "1.2.0" })`; `null` swaps the shell.

import type { Load, SavedState, StageEvent, StageReport, SwapOrder } from "./src/host/bindings";
import { FakeHost, ordinaryDay, SCENES, widget } from "./src/host/fake";
import { openStage } from "./src/stage/open";
import { valuesOf } from "./src/state/tile_settings";
import type { Native } from "./src/stage/native";

const asked = new URLSearchParams(location.search);
const now = Date.now();
const overview = ordinaryDay(now);
SCENES[asked.get("scene") ?? "board"]?.(overview, now);
overview.settings.theme = (asked.get("theme") ?? "light") as typeof overview.settings.theme;
overview.board.tiles = [
  { instance: "clock-1", widget: "moult/clock", cell: { x: 0, y: 0, w: 4, h: 2 } },
  { instance: "system-1", widget: "moult/system", cell: { x: 4, y: 0, w: 4, h: 4 } },
  { instance: "notes-1", widget: "moult/notes", cell: { x: 8, y: 0, w: 4, h: 4 } },
  { instance: "tasks-1", widget: "moult/tasks", cell: { x: 0, y: 2, w: 4, h: 4 } },
  { instance: "pomodoro-1", widget: "moult/pomodoro", cell: { x: 4, y: 4, w: 4, h: 2 } },
  { instance: "feed-1", widget: "moult/feed", cell: { x: 8, y: 4, w: 4, h: 2 } },
];
overview.installed = overview.installed.filter(({ subject }) =>
  /^(app|shell|w\/moult\/(clock|notes|system|tasks))$/.test(subject),
);
const may = (...capabilities: string[]) => ({
  permissions: capabilities.map((capability) => ({ permission: { capability, reason: "" }, granted: true })),
});
overview.installed.push(
  widget("moult/pomodoro", "Pomodoro", "1.0.0", may("notifications", "bus")),
  widget("moult/feed", "Feed", "1.0.0", may("network", "open.url")),
);

/** The schemas that the bundles write. */
const SCHEMAS: Record<string, number> = { shell: 1, clock: 1, system: 1, notes: 3, tasks: 1, pomodoro: 1, feed: 1 };

/** What the preview's only site publishes. */
const FEED = `<rss><channel><title>Field Journal</title>${[
  "The quiet return of the paper map",
  "Birds that moult at sea",
]
  .map((title) => `<item><title>${title}</title><link>https://journal.example/${title.length}</link></item>`)
  .join("")}</channel></rss>`;

let number = 0;
const saved = new Map<string, SavedState>();
const reports: StageReport[] = [];
const calls: string[] = [];
let tell: (event: StageEvent) => void = () => {};

function load(name: string, instance: string | null, version: string, bundle = name): Load {
  const subject = instance === null ? "shell" : `w/moult/${name}`;
  const granted = overview.installed
    .find((part) => part.subject === subject)
    ?.permissions.filter((one) => one.granted)
    .map((one) => one.permission.capability);
  return {
    token: `load-${++number}`,
    url: `/_load/${bundle}/index.html?load=${number}`,
    subject,
    version,
    instance,
    state_schema: SCHEMAS[name] ?? null,
    saved: (instance !== null && saved.get(instance)) || null,
    granted: granted ?? [],
    settings: valuesOf(
      overview.installed.find((part) => part.subject === subject)?.settings ?? {},
      overview.board.tiles.find((tile) => tile.instance === instance)?.settings,
    ),
  };
}

const host = new FakeHost(overview);
host.settled = (instance, settings) => tell({ kind: "settings", instance, settings });
const native: Native = {
  open(onEvent) {
    tell = onEvent;
    host.connect({
      start: () => Promise.resolve(),
      kept: () => ({ view: "board", section: "", why: null, seen: {}, dismissed: [] }),
      restore: () => {},
      themed: () => {},
      renamed: () => {},
      hear: (news) => {
        if (news.kind === "overview") tell({ kind: "overview", overview: news.overview });
      },
    });
    const widgets = overview.board.tiles.map(({ instance, widget }) => load(widget.slice(6), instance, "1.0.0"));
    return Promise.resolve({ key: "none", shell: load("shell", null, "1.8.4"), widgets, overview, watch: "none" });
  },
  report(report) {
    if (report.kind !== "heartbeat") reports.push(report);
    return Promise.resolve();
  },
  saveState(instance, state) {
    saved.set(instance, state);
    return Promise.resolve();
  },
  capability(_token, capability) {
    calls.push(capability);
    if (capability === "network.fetch") return Promise.resolve({ status: 200, url: "", headers: {}, body: FEED });
    if (capability !== "system.figures") return Promise.resolve(null);
    const wave = 30 + 20 * Math.sin(Date.now() / 4000);
    return Promise.resolve({
      cpu_percent: wave,
      cores: 8,
      memory_used: 9.8e9,
      memory_total: 16e9,
      disk_used: 412e9,
      disk_total: 512e9,
      network_received: Date.now() * (1 + Math.sin(Date.now() / 9000) / 1e7),
      network_sent: Date.now() / 9,
    });
  },
  shellCommand: (command) => host.carryOut(command),
};

interface SwapWish extends Partial<SwapOrder> {
  version: string;
  /** Another bundle than the instance's own. */
  bundle?: string;
}

const controls = {
  reports,
  saved,
  calls,
  widget,
  event: (event: StageEvent) => tell(event),
  swap(instance: string | null, { version, bundle, ...more }: SwapWish) {
    const name = instance === null ? "shell" : instance.replace(/-\d+$/, "");
    const times = { quiet_ms: 0, patience_ms: 30_000, ready_ms: 4000, trial_ms: 800, max_error_percent: 5 };
    const order = {
      load: load(name, instance, version, bundle),
      from: "1.0.0",
      reason: "update" as const,
      ...times,
      ...more,
    };
    tell({ kind: "swap", order });
    return order.load.token;
  },
};
Object.assign(globalThis, { __moultPreview: controls });

void openStage(native);
