// The stage with its real driver on a simulated page: frames whose port is in the test's hand, and a native side that
// notes what it is asked. What browsers do with focus, painting and clip paths is not seen here.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ordinaryDay, problem } from "../../src/host/fake";
import type { Load, Overview, SavedState, StageReport, SwapOrder } from "../../src/host/bindings";
import type { ShellStageMessage } from "../../src/protocol";
import type { Native } from "../../src/stage/native";
import { Stage } from "../../src/stage/stage";

type Told<Kind> = Extract<ShellStageMessage, { kind: Kind }>;

/** The page inside a frame, as the test plays it. */
class Page {
  readonly heard: ShellStageMessage[] = [];
  readonly port: MessagePort;
  state: SavedState = { schema: 1, data: "" };
  /** Whether it answers what the stage asks by itself. */
  answers = true;

  constructor(port: MessagePort) {
    this.port = port;
    port.onmessage = ({ data }: MessageEvent<ShellStageMessage>) => {
      this.heard.push(data);
      if (this.answers) this.#answer(data);
    };
  }

  say(message: unknown): void {
    this.port.postMessage(message);
  }

  all<Kind extends ShellStageMessage["kind"]>(kind: Kind): Told<Kind>[] {
    return this.heard.filter((message): message is Told<Kind> => message.kind === kind);
  }

  #answer(message: ShellStageMessage): void {
    if (message.kind === "snapshot") this.say({ kind: "snapshot", id: message.id, state: this.state });
    if (message.kind === "freeze")
      this.say({ kind: "frozen", id: message.id, state: this.state, focus: null, scroll: [] });
    if (message.kind === "restore") {
      if (message.state) this.state = message.state;
      this.say({ kind: "restored", id: message.id });
    }
    if (message.kind === "thaw" && message.state) this.state = message.state;
  }
}

const NOTES = "w/moult/notes";
const SYSTEM = "w/moult/system";
const GRACE = 40;

let pages: Map<string, Page>;
let reports: StageReport[];
let saved: [string, SavedState][];
let asked: string[];
let overview: Overview;
let stage: Stage;
let failure: string | null;
let native: Native;

const wait = (ms = GRACE) => new Promise((resolve) => setTimeout(resolve, ms));

function load(token: string, subject: string, instance: string | null, more: Partial<Load> = {}): Load {
  return {
    token,
    url: `about:blank#${token}`,
    subject,
    version: "1.0.0",
    instance,
    state_schema: 1,
    saved: null,
    granted: [],
    settings: {},
    ...more,
  };
}

function order(load: Load, more: Partial<SwapOrder> = {}): SwapOrder {
  const times = { quiet_ms: 0, patience_ms: 1000, ready_ms: 1500, trial_ms: 60, max_error_percent: 5 };
  return { load, from: "1.0.0", reason: "update", ...times, ...more };
}

function page(token: string): Page {
  const found = pages.get(token);
  if (!found) throw new Error(`no frame was loaded with ${token}`);
  return found;
}

/** Gives each frame that was made and has no page yet its page, as a browser would when it has loaded. */
async function loadFrames(): Promise<void> {
  for (const element of document.querySelectorAll<HTMLIFrameElement>("x-frame")) {
    const token = element.src.split("#")[1] ?? "";
    if (pages.has(token)) continue;
    Object.defineProperty(element, "contentWindow", {
      value: {
        postMessage: (_: unknown, __: string, [port]: MessagePort[] = []) => port && pages.set(token, new Page(port)),
      },
    });
    element.dispatchEvent(new Event("load"));
  }
  await wait(5);
}

/** Has a page say hello and, when it was started, that it is ready. */
async function ready(token: string): Promise<void> {
  page(token).say({ kind: "hello", sdk: "test" });
  await wait();
  page(token).say({ kind: "ready", token });
  await wait();
}

const frames = () => stage.frames.map(({ version, state }) => `${version} ${state}`);
const of = (kind: StageReport["kind"]) => reports.filter((report) => report.kind === kind);

beforeEach(async () => {
  document.body.replaceChildren();
  Object.assign(HTMLElement.prototype, { animate: () => ({ cancel: () => {} }), getAnimations: () => [] });
  vi.spyOn(console, "error").mockImplementation(() => {});
  // The simulated page would try to load a frame's address: here a frame is an element of no meaning.
  const create = document.createElement.bind(document);
  vi.spyOn(document, "createElement").mockImplementation((tag: string) => create(tag === "iframe" ? "x-frame" : tag));
  [pages, failure] = [new Map(), null];
  // A stage of an earlier test that still runs writes to its own.
  const [ownReports, ownSaved, ownAsked]: [StageReport[], [string, SavedState][], string[]] = [[], [], []];
  [reports, saved, asked] = [ownReports, ownSaved, ownAsked];
  overview = ordinaryDay(Date.now());
  for (const part of overview.installed) part.version = "1.0.0";
  native = {
    open: () => Promise.reject(new Error("opened by the test")),
    report: (report) => Promise.resolve(void ownReports.push(report)),
    saveState: (instance, state) => Promise.resolve(void ownSaved.push([instance, state])),
    capability: (token, capability) => {
      ownAsked.push(`${token} ${capability}`);
      return capability === "broken"
        ? Promise.reject(problem("disk_failed", "It broke."))
        : Promise.resolve({ cores: 8 });
    },
    shellCommand: (command) => Promise.resolve(void ownAsked.push(command.kind)),
  };
  const layers = { widgets: document.createElement("div"), shell: document.createElement("div") };
  document.body.append(layers.widgets, layers.shell);
  const ground = { ...layers, paint: () => {}, fail: (detail: string | null) => (failure = detail) };
  const widgets = [
    load("n1", NOTES, "notes-1", { saved: { schema: 1, data: "on disk" } }),
    load("s1", SYSTEM, "system-1", { granted: ["system.figures", "broken"] }),
  ];
  const start = { key: "k", shell: load("shell1", "shell", null), widgets, overview, watch: "w" };
  stage = new Stage(native, ground, start, { dark: false, contrast: false, reducedMotion: false });
  await loadFrames();
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const { port } of pages.values()) port.close();
});

describe("a first load", () => {
  it("starts with what the native side saved and granted, and with nothing of the native key", async () => {
    await ready("n1");
    expect(page("n1").all("start")[0]).toMatchObject({ token: "n1", instance: "notes-1", saved: { data: "on disk" } });
    expect(JSON.stringify(page("n1").heard)).not.toContain('"k"');
    expect(of("ready")).toEqual([{ kind: "ready", token: "n1" }]);
  });

  it("is not ready by another load's token", async () => {
    page("n1").say({ kind: "hello", sdk: "test" });
    page("n1").say({ kind: "ready", token: "s1" });
    await wait();
    expect(of("ready")).toEqual([]);
  });

  it("fails when it refuses its state, and says so to native and shell", async () => {
    await ready("shell1");
    page("n1").say({ kind: "refused", reason: "schema 9" });
    await wait();
    expect(of("load_failed")).toMatchObject([{ token: "n1", problem: { cause: "state_refused", detail: "schema 9" } }]);
    expect(page("shell1").all("frame").at(-1)).toMatchObject({ instance: "notes-1", phase: "failed" });
  });

  it("is painted once, when the shell is there", async () => {
    await ready("n1");
    expect(of("painted")).toEqual([]);
    await ready("shell1");
    await wait(300);
    expect(of("painted")).toHaveLength(1);
  });

  it("shows a message when it is the shell's and it fails", async () => {
    page("shell1").say({ kind: "refused", reason: "no" });
    await wait();
    expect(failure).toBe("no");
  });

  it("gets no second port when the frame goes to another page", async () => {
    await ready("n1");
    document.querySelector('[data-instance="notes-1"]')?.dispatchEvent(new Event("load"));
    page("n1").say({ kind: "state", state: { schema: 1, data: "late" } });
    await wait();
    expect(of("load_failed")).toMatchObject([{ token: "n1" }]);
    expect(saved).toEqual([]);
  });
});

describe("the end of the start", () => {
  it("is told once, when every frame stands or has failed", async () => {
    await ready("n1");
    await ready("shell1");
    expect(of("settled")).toEqual([]);
    page("s1").say({ kind: "refused", reason: "no" });
    await wait(300);
    expect(of("settled")).toHaveLength(1);
  });
});

describe("a hand-over to another process", () => {
  const key = (text: string) => ({ key: text, code: "", text, alt: false, ctrl: false, meta: false, shift: false });
  const freeze = { kind: "freeze", quiet_ms: 0, patience_ms: 1000 } as const;
  const ground = () => document.querySelector<HTMLElement>("div")?.style.pointerEvents;

  beforeEach(async () => {
    for (const token of ["n1", "s1", "shell1"]) await ready(token);
  });

  it("freezes all frames, and keeps for the other what is not saved and what is typed from then on", async () => {
    page("n1").state = { schema: 1, data: "not saved" };
    stage.event(freeze);
    await wait(120);
    const report = of("frozen")[0] as Extract<StageReport, { kind: "frozen" }>;
    const held = report.carried.frames.map(({ instance, state }) => [instance, state?.data]);
    expect(new Map(held as [string | null, unknown][]).get("notes-1")).toBe("not saved");
    expect(held.map(([instance]) => instance).sort()).toEqual(["notes-1", "system-1", null].sort());
    expect(saved.map(([, state]) => state.data)).toContain("not saved");
    expect(ground()).toBe("none");
    page("n1").say({ kind: "key", event: key("x") });
    await wait();
    expect(of("keys")).toEqual([{ kind: "keys", keys: [{ instance: "notes-1", key: key("x") }] }]);
  });

  it("takes keys that came while it froze along", async () => {
    page("s1").answers = false;
    stage.event(freeze);
    page("n1").say({ kind: "key", event: key("e") });
    await wait(700);
    const report = of("frozen")[0] as Extract<StageReport, { kind: "frozen" }>;
    expect(report.carried.keys).toEqual([{ instance: "notes-1", key: key("e") }]);
    expect(report.carried.frames.map(({ instance }) => instance)).not.toContain("system-1");
    expect(of("keys")).toEqual([]);
  });

  it("waits for a pause in the input, and never freezes a composition", async () => {
    page("n1").say({ kind: "input", composing: true });
    await wait();
    stage.event({ ...freeze, patience_ms: 30 });
    await wait(100);
    expect(of("frozen")).toEqual([]);
    page("n1").say({ kind: "input", composing: false });
    await wait(160);
    expect(of("frozen")).toHaveLength(1);
  });

  it("goes on when it is called off, with what was typed meanwhile in its place", async () => {
    stage.event(freeze);
    await wait(120);
    page("n1").say({ kind: "key", event: key("y") });
    await wait();
    stage.event({ kind: "thaw" });
    await wait();
    expect(page("n1").all("thaw")).toEqual([{ kind: "thaw", keys: [key("y")] }]);
    expect(ground()).toBe("");
    page("n1").say({ kind: "state", state: { schema: 1, data: "after" } });
    await wait();
    expect(saved.at(-1)).toEqual(["notes-1", { schema: 1, data: "after" }]);
  });

  it("restores state, place and keys on the other side, and says so after the screen showed it", async () => {
    const frame = { instance: "notes-1", state: { schema: 1, data: "theirs" }, focus: { target: "id:a" }, scroll: [] };
    const keys = [
      { instance: "notes-1", key: key("1") },
      { instance: "system-1", key: key("2") },
    ];
    stage.event({ kind: "carry", carried: { frames: [{ ...frame, keyboard: true }], keys } });
    await wait(400);
    expect(page("n1").all("restore")).toMatchObject([{ state: { data: "theirs" }, focus: { target: "id:a" } }]);
    expect(page("n1").all("restore")[0]?.keys).toEqual([key("1")]);
    expect(page("s1").all("keys")).toEqual([{ kind: "keys", keys: [key("2")] }]);
    expect(of("carried")).toHaveLength(1);
    stage.event({ kind: "keys", keys: [{ instance: "notes-1", key: key("3") }] });
    await wait();
    expect(page("n1").all("keys")).toEqual([{ kind: "keys", keys: [key("3")] }]);
  });
});

describe("calls", () => {
  it("go to the native side only with a grant", async () => {
    await ready("n1");
    await ready("s1");
    page("n1").say({ kind: "call", id: 1, capability: "system.figures", request: null });
    page("s1").say({ kind: "call", id: 1, capability: "system.figures", request: null });
    page("s1").say({ kind: "call", id: 2, capability: "broken", request: null });
    await wait();
    expect(asked).toEqual(["s1 system.figures", "s1 broken"]);
    expect(page("n1").all("reply")).toMatchObject([{ id: 1, ok: false, error: { code: "consent_needed" } }]);
    expect(page("s1").all("reply")).toMatchObject([
      { id: 1, ok: true, value: { cores: 8 } },
      { id: 2, ok: false, error: { code: "disk_failed" } },
    ]);
  });

  it("are allowed and forbidden as the grants change", async () => {
    await ready("s1");
    const installed = overview.installed.map((part) => (part.subject === SYSTEM ? { ...part, permissions: [] } : part));
    stage.event({ kind: "overview", overview: { ...overview, installed } });
    page("s1").say({ kind: "call", id: 1, capability: "system.figures", request: null });
    await wait();
    expect(page("s1").all("granted")).toEqual([{ kind: "granted", granted: [] }]);
    expect(asked).toEqual([]);
  });

  it("as commands are the live shell's alone", async () => {
    await ready("shell1");
    await ready("n1");
    page("n1").say({ kind: "command", id: 1, command: { kind: "restart_now" } });
    stage.event({ kind: "swap", order: order(load("shell2", "shell", null)) });
    await loadFrames();
    page("shell2").say({ kind: "command", id: 1, command: { kind: "restart_now" } });
    page("shell1").say({ kind: "command", id: 1, command: { kind: "check_now" } });
    await wait();
    expect(asked).toEqual(["check_now"]);
  });
});

describe("a swap", () => {
  const next = (more: Partial<Load> = {}) => load("n2", NOTES, "notes-1", { version: "2.0.0", ...more });

  beforeEach(async () => {
    await ready("shell1");
    await ready("s1");
    await ready("n1");
    page("n1").state = { schema: 1, data: "typed" };
    reports.length = 0;
  });

  it("hands the state over, is confirmed, and loads nothing else anew", async () => {
    stage.event({ kind: "swap", order: order(next()) });
    await loadFrames();
    expect(frames()).toContain("2.0.0 incoming");
    await ready("n2");
    await wait(700);
    expect(page("n2").all("start")[0]?.saved).toEqual({ schema: 1, data: "typed" });
    expect(reports.map(({ kind }) => kind)).toEqual(["switching", "switched", "confirmed"]);
    expect(page("n1").all("dispose")).toHaveLength(1);
    expect(page("n2").all("switched")).toHaveLength(1);
    expect(stage.loads).toEqual({ shell: 1, "notes-1": 2, "system-1": 1 });
    expect(document.querySelectorAll('[data-instance="notes-1"]')).toHaveLength(1);
    expect(
      page("shell1")
        .all("swap")
        .map(({ step }) => step),
    ).toEqual(["loading", "ready", "switching", "confirmed"]);
  });

  it.each<[string, number, unknown[]]>([
    ["of the old one's schema", 1, ["typed", "by the new", "by the new"]],
    ["of a schema that the old one can't read", 2, ["typed", "typed"]],
  ])("saves what the new version says on trial only if it is %s", async (_, schema, data) => {
    stage.event({ kind: "swap", order: order(next({ state_schema: schema }), { trial_ms: 5000 }) });
    await loadFrames();
    await ready("n2");
    await wait(400);
    page("n2").say({ kind: "state", state: { schema, data: "by the new" } });
    page("n1").say({ kind: "state", state: { schema: 1, data: "of the frozen" } });
    await wait();
    page("n2").say({ kind: "error", message: "boom", stack: "" });
    await wait(150);
    expect(saved).toEqual(data.map((one) => ["notes-1", { schema: 1, data: one }]));
    expect(of("reverted")).toMatchObject([{ token: "n2", problem: { cause: "exception", detail: "boom" } }]);
    expect(page("n1").all("thaw")).toHaveLength(1);
    expect(frames()).toEqual(["1.0.0 live", "1.0.0 live", "1.0.0 live"]);
  });

  it("lets only the frame that the user has act, and both read", async () => {
    const granted = ["storage"];
    stage.event({ kind: "close", instance: "notes-1" });
    stage.event({ kind: "open", load: load("n0", NOTES, "notes-1", { granted }) });
    await loadFrames();
    await ready("n0");
    const both = (first: number) => {
      for (const token of ["n0", "n2"]) {
        page(token).say({ kind: "call", id: first, capability: "storage.set", request: { key: "a", value: 1 } });
        page(token).say({ kind: "call", id: first + 1, capability: "storage.get", request: { key: "a" } });
      }
    };
    stage.event({ kind: "swap", order: order(next({ granted }), { trial_ms: 5000 }) });
    await loadFrames();
    both(1);
    await wait();
    expect(asked).toEqual(["n0 storage.set", "n0 storage.get", "n2 storage.get"]);
    const error = { code: "cancelled", happened: "The widget is not shown yet." };
    expect(page("n2").all("reply")[0]).toMatchObject({ id: 1, ok: false, error });
    asked.length = 0;
    await ready("n2");
    await wait(400);
    both(3);
    await wait();
    expect(frames()).toContain("2.0.0 live");
    expect(asked).toEqual(["n0 storage.get", "n2 storage.set", "n2 storage.get"]);
  });

  it("is thrown out when the new version does not answer at the end", async () => {
    stage.event({ kind: "swap", order: order(next()) });
    await loadFrames();
    await ready("n2");
    page("n2").answers = false;
    await wait(1100);
    expect(of("reverted")).toMatchObject([{ problem: { cause: "hung" } }]);
  });

  it("gives way to a newer order", async () => {
    stage.event({ kind: "swap", order: order(next()) });
    await loadFrames();
    stage.event({ kind: "swap", order: order(load("n3", NOTES, "notes-1", { version: "3.0.0" })) });
    await loadFrames();
    expect(of("reverted")).toMatchObject([{ token: "n2", problem: { cause: "withdrawn" } }]);
    await ready("n3");
    await wait(700);
    expect(of("confirmed")).toEqual([{ kind: "confirmed", token: "n3" }]);
  });

  it("is called off when its frame is closed", async () => {
    stage.event({ kind: "swap", order: order(next()) });
    await loadFrames();
    stage.event({ kind: "close", instance: "notes-1" });
    await wait();
    expect(of("reverted")).toMatchObject([{ token: "n2", problem: { cause: "withdrawn" } }]);
    expect(document.querySelectorAll('[data-instance="notes-1"]')).toHaveLength(0);
  });

  it("of a frame that is not there is answered", () => {
    stage.event({ kind: "swap", order: order(load("x", NOTES, "notes-9")) });
    expect(of("reverted")).toMatchObject([{ token: "x", problem: { cause: "withdrawn" } }]);
  });

  const event = (number: number) => ({ kind: "event", topic: "w/moult/a:b", data: number }) as const;
  const news = (number: number) => stage.event({ kind: "news", instance: "notes-1", token: "n1", news: event(number) });
  const heard = (token: string) =>
    page(token)
      .all("event")
      .map(({ data }) => data);

  it("hands events over: each to one version, and to the old one again if it goes on", async () => {
    news(1);
    stage.event({ kind: "swap", order: order(next(), { trial_ms: 5000 }) });
    await loadFrames();
    news(2);
    await ready("n2");
    await wait(400);
    news(3);
    page("n2").say({ kind: "state", state: { schema: 1, data: "by the new" }, heard: 1 });
    news(4);
    await wait();
    expect([heard("n1"), heard("n2")]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    page("n2").say({ kind: "error", message: "boom", stack: "" });
    await wait(150);
    expect(heard("n1")).toEqual([1, 2, 4]);
    expect(page("n1").all("thaw").at(-1)?.state).toEqual({ schema: 1, data: "by the new" });
    news(5);
    await wait();
    expect(heard("n1")).toEqual([1, 2, 4, 5]);
  });

  it("is taken back when too many calls fail by the version's own fault", async () => {
    native.capability = () => Promise.reject(problem("invalid_request", "That makes no sense."));
    stage.event({ kind: "swap", order: order(next({ granted: ["storage"] }), { trial_ms: 5000 }) });
    await loadFrames();
    await ready("n2");
    await wait(300);
    for (let id = 0; id < 20; id += 1) page("n2").say({ kind: "call", id, capability: "storage.get", request: {} });
    await wait(150);
    expect(of("reverted")).toMatchObject([{ token: "n2", problem: { cause: "errors" } }]);
    expect(frames()).toEqual(["1.0.0 live", "1.0.0 live", "1.0.0 live"]);
  });

  it("is not taken back for a network that is not there", async () => {
    native.capability = () => Promise.reject(problem("offline", "There is no network."));
    stage.event({ kind: "swap", order: order(next({ granted: ["network"] })) });
    await loadFrames();
    await ready("n2");
    for (let id = 0; id < 30; id += 1) page("n2").say({ kind: "call", id, capability: "network.fetch", request: {} });
    await wait(700);
    expect(of("confirmed")).toHaveLength(1);
  });

  it("of several places goes on in each at once, while the shell is swapped too", async () => {
    stage.event({ kind: "swap", order: order(next(), { trial_ms: 300 }) });
    stage.event({ kind: "swap", order: order(load("s2", SYSTEM, "system-1", { version: "2.0.0" })) });
    stage.event({ kind: "swap", order: order(load("shell2", "shell", null, { version: "2.0.0" })) });
    await loadFrames();
    await Promise.all(["n2", "s2", "shell2"].map((token) => ready(token)));
    await wait(1000);
    expect(frames().sort()).toEqual(["2.0.0 live", "2.0.0 live", "2.0.0 live"]);
    expect(of("confirmed")).toHaveLength(3);
    const told = page("shell2").all("swap").at(-1);
    expect(told).toMatchObject({ step: "confirmed" });
  });

  it("removes the old frame as soon as that has ended, and in any case soon", async () => {
    stage.event({ kind: "swap", order: order(next()) });
    await loadFrames();
    await ready("n2");
    await wait(250);
    expect(of("confirmed")).toHaveLength(1);
    expect(document.querySelectorAll('[data-instance="notes-1"]')).toHaveLength(2);
    page("n1").say({ kind: "disposed" });
    await wait();
    expect(document.querySelectorAll('[data-instance="notes-1"]')).toHaveLength(1);
  });

  it("of resources alone loads nothing: the frame is told which", async () => {
    const resources = { token: "n1", instance: "notes-1", version: "1.0.1", paths: ["a.svg"], settings: { big: true } };
    stage.event({ kind: "resources", order: resources });
    await wait();
    expect(page("n1").all("resources")).toEqual([{ kind: "resources", version: "1.0.1", paths: ["a.svg"] }]);
    expect(page("n1").all("settings")).toEqual([{ kind: "settings", settings: { big: true } }]);
    expect(of("confirmed")).toEqual([{ kind: "confirmed", token: "n1" }]);
    expect(stage.loads).toEqual({ shell: 1, "notes-1": 1, "system-1": 1 });
    expect(page("shell1").all("frame").at(-1)).toMatchObject({ instance: "notes-1", phase: "live", version: "1.0.1" });
    stage.event({ kind: "resources", order: { ...resources, token: "n0" } });
    expect(of("reverted")).toMatchObject([{ token: "n0", problem: { cause: "withdrawn" } }]);
  });

  it("of the shell touches no widget, and tells the new one all that there is to know", async () => {
    page("n1").say({ kind: "header", title: "Draft", aside: "now" });
    await wait();
    stage.event({ kind: "swap", order: order(load("shell2", "shell", null, { version: "2.0.0" })) });
    await loadFrames();
    await ready("shell2");
    await wait(700);
    expect(stage.shellVersion).toBe("2.0.0");
    expect(stage.loads).toEqual({ shell: 2, "notes-1": 1, "system-1": 1 });
    expect(page("shell2").all("overview")).toHaveLength(1);
    expect(page("shell2").all("header")).toContainEqual({
      kind: "header",
      instance: "notes-1",
      title: "Draft",
      aside: "now",
    });
    expect(page("shell2").all("frame")).toContainEqual({
      kind: "frame",
      instance: "notes-1",
      phase: "live",
      version: "1.0.0",
    });
  });
});

describe("news", () => {
  it("go to the frame that they are for, and what a frame answers goes to the native side", async () => {
    await ready("n1");
    const request = { kind: "request", id: 7, topic: "w/moult/notes:t", from: "w/moult/system", data: 1 };
    stage.event({ kind: "news", instance: "notes-1", token: "n1", news: request });
    stage.event({ kind: "news", instance: "unknown", token: "unknown", news: request });
    await wait();
    expect(page("n1").all("request")).toEqual([request]);
    expect(page("s1").all("request")).toEqual([]);
    page("n1").say({ kind: "answer", id: 7, ok: true, value: 2 });
    page("n1").say({ kind: "answer", id: 8, ok: false, reason: "no" });
    await wait();
    expect(of("answered")).toEqual([
      { kind: "answered", token: "n1", id: 7, ok: true, value: 2, reason: null },
      { kind: "answered", token: "n1", id: 8, ok: false, value: null, reason: "no" },
    ]);
  });

  it("of two versions reach each that goes on once, after the state that it takes over", async () => {
    await ready("n1");
    stage.event({ kind: "swap", order: order(load("n2", NOTES, "notes-1", { version: "2.0.0" })) });
    await loadFrames();
    page("n1").answers = false;
    await ready("n2");
    expect(of("switching")).toEqual([{ kind: "switching", token: "n2" }]);
    for (const token of ["n2", "n1"]) {
      stage.event({ kind: "news", instance: "notes-1", token, news: { kind: "logic", event: token } });
    }
    await wait();
    expect(page("n1").all("logic")).toHaveLength(0);
    expect(page("n2").all("logic")).toHaveLength(0);
    await wait(900);
    const kinds = page("n2").heard.map(({ kind }) => kind);
    // The old logic's last word is in no state that was handed over.
    expect(page("n2").all("logic")).toEqual(["n1", "n2"].map((event) => ({ kind: "logic", event })));
    expect(kinds.indexOf("logic")).toBeGreaterThan(kinds.indexOf("restore"));
    expect(page("n1").all("logic")).toHaveLength(0);
  });
});

it("needs no grant for a widget's own logic", async () => {
  await ready("n1");
  page("n1").say({ kind: "call", id: 1, capability: "logic", request: { do: "count" } });
  await wait();
  expect(asked).toContain("n1 logic");
});

it("saves every state before the application ends", async () => {
  await ready("n1");
  page("n1").state = { schema: 1, data: "the last word" };
  stage.event({ kind: "flush" });
  await wait(150);
  expect(saved).toEqual([["notes-1", { schema: 1, data: "the last word" }]]);
  expect(of("flushed")).toHaveLength(1);
});

it("lays widgets where the user's shell has them, and closes to the keyboard what is covered", async () => {
  await ready("shell1");
  await ready("n1");
  const body = { instance: "notes-1", x: 10, y: 20, width: 100, height: 50 };
  page("shell1").say({ kind: "layout", bodies: [body], covers: [] });
  await wait();
  const frame = document.querySelector<HTMLIFrameElement>('[data-instance="notes-1"]');
  const shell = document.querySelector<HTMLIFrameElement>('[data-instance="shell"]');
  expect([frame?.style.left, frame?.style.top, frame?.style.width, frame?.style.height]).toEqual([
    "10px",
    "20px",
    "100px",
    "50px",
  ]);
  expect(frame?.inert).toBe(false);
  expect(shell?.style.clipPath).toContain("M10 20h100v50");
  page("shell1").say({ kind: "layout", bodies: [body], covers: [{ x: 0, y: 0, width: 500, height: 500 }] });
  await wait();
  expect(frame?.inert).toBe(true);
  expect(shell?.style.clipPath).not.toContain("M10 20");
});
