// The swap machine as tables: each state, each event that matters, what is done and in which order.

import { describe, expect, it } from "vitest";

import {
  ANSWER_MS,
  begin,
  GRACE_MS,
  next,
  type Plan,
  type Step,
  type SwapEffect,
  type SwapEvent,
  type SwapState,
} from "../../src/stage/swap";
import type { KeyStroke, NewsMessage, SavedState } from "../../src/protocol";

const state = (text: string, schema = 1): SavedState => ({ schema, data: { text } });
const stroke = (key: string): KeyStroke => ({
  key,
  code: `Key${key.toUpperCase()}`,
  text: key,
  alt: false,
  ctrl: false,
  meta: false,
  shift: false,
});

const PLAN: Plan = {
  token: "right",
  saved: state("on disk"),
  oldAnswers: true,
  oldSchema: 1,
  quietMs: 2000,
  patienceMs: 30_000,
  readyMs: 10_000,
  trialMs: 60_000,
  oldTold: 0,
  maxErrorPercent: 5,
};

type Without<T> = T extends unknown ? Omit<T, "now"> : never;
type Timed = [now: number, event: Without<SwapEvent>];

/** Runs events and returns the state after them with everything that was done. */
function run(events: Timed[], plan: Partial<Plan> = {}, inputAt = -10_000, composing = false): Step {
  const first = begin({ ...PLAN, ...plan }, 0, inputAt, composing);
  return events.reduce<Step>(({ state, effects }, [now, event]) => {
    const step = next(state, { ...event, now } as SwapEvent);
    return { state: step.state, effects: [...effects, ...step.effects] };
  }, first);
}

/** What a state and an event lead to, alone. */
function last(events: Timed[], plan: Partial<Plan> = {}, inputAt?: number, composing?: boolean): Step {
  const { state } = run(events.slice(0, -1), plan, inputAt, composing);
  const [now, event] = events.at(-1) as Timed;
  return next(state, { ...event, now } as SwapEvent);
}

const verbs = (effects: SwapEffect[]) => effects.filter((one) => one.do !== "wake").map((one) => one.do);
const cause = (state: SwapState) => (state.at === "reverted" ? state.failure.cause : `not reverted but ${state.at}`);

const HELLO: Timed = [10, { on: "hello" }];
const SNAPSHOT: Timed = [20, { on: "snapshot", state: state("fresh") }];
const READY: Timed = [100, { on: "ready", token: "right" }];
const FROZEN: Timed = [120, { on: "frozen", state: state("frozen"), focus: null, scroll: [] }];
const RESTORED: Timed = [140, { on: "restored" }];
const SHOWN: Timed = [150, { on: "shown" }];
const TO_SWITCHING = [HELLO, SNAPSHOT, READY];
const TO_TRIAL = [...TO_SWITCHING, FROZEN, RESTORED, SHOWN];

describe("a swap that goes well", () => {
  it("does each thing once and in order", () => {
    const end = 150 + PLAN.trialMs;
    const { state: after, effects } = run([
      ...TO_TRIAL,
      [end, { on: "wake" }],
      [end + 5, { on: "answer", state: null }],
    ]);
    expect(verbs(effects)).toEqual([
      "tell",
      "ask_old",
      "start_new",
      "tell",
      "tell",
      "freeze_old",
      "restore_new",
      "show_new",
      "save",
      "report",
      "ask_new",
      "settle_new",
      "dispose_old",
      "report",
      "tell",
    ]);
    expect(after).toEqual({ at: "confirmed" });
  });

  it("saves what the new version holds when it is confirmed", () => {
    const end = 150 + PLAN.trialMs;
    const answer: Timed = [end + 5, { on: "answer", state: state("migrated", 2) }];
    const { effects } = run([...TO_TRIAL, [end, { on: "wake" }], answer]);
    expect(effects).toContainEqual({ do: "save", state: state("migrated", 2) });
  });

  it("starts the new version with the fresh snapshot and restores what was frozen", () => {
    const { effects } = run(TO_TRIAL);
    expect(effects).toContainEqual({ do: "start_new", saved: state("fresh") });
    expect(effects).toContainEqual({
      do: "restore_new",
      handover: { state: state("frozen"), focus: null, scroll: [] },
      keys: [],
    });
  });

  it("reports the times, the bytes and the keys", () => {
    const { effects } = run([
      ...TO_SWITCHING,
      [110, { on: "key", key: stroke("a") }],
      FROZEN,
      [130, { on: "key", key: stroke("b") }],
      RESTORED,
      SHOWN,
    ]);
    const report = effects.find((one) => one.do === "report");
    expect(report).toEqual({
      do: "report",
      report: {
        kind: "switched",
        token: "right",
        ready_ms: 100,
        switch_ms: 50,
        state_bytes: JSON.stringify({ text: "frozen" }).length,
        replayed_keys: 2,
      },
    });
  });

  it("hands keys over in the order in which they were typed, before and after the restore", () => {
    const { effects } = run([
      ...TO_SWITCHING,
      [110, { on: "key", key: stroke("a") }],
      [111, { on: "key", key: stroke("b") }],
      FROZEN,
      [130, { on: "key", key: stroke("c") }],
      RESTORED,
      [145, { on: "key", key: stroke("d") }],
      SHOWN,
      [160, { on: "key", key: stroke("e") }],
    ]);
    const typed = effects.flatMap((one) => (one.do === "restore_new" || one.do === "keys_to_new" ? one.keys : []));
    expect(typed.map(({ key }) => key)).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("loading", () => {
  it("starts the new version only when it said hello and the old one's state is known", () => {
    expect(verbs(run([HELLO]).effects)).not.toContain("start_new");
    expect(verbs(run([SNAPSHOT]).effects)).not.toContain("start_new");
    expect(verbs(run([SNAPSHOT, HELLO]).effects)).toContain("start_new");
  });

  it("falls back to the state on disk when the old version gives no snapshot in time", () => {
    const { effects } = run([
      HELLO,
      [ANSWER_MS, { on: "wake" }],
      [ANSWER_MS + 50, { on: "snapshot", state: state("late") }],
    ]);
    expect(effects.filter((one) => one.do === "start_new")).toEqual([{ do: "start_new", saved: state("on disk") }]);
  });

  it.each<[string, Timed]>([
    ["another load's token", [100, { on: "ready", token: "wrong" }]],
    ["an empty token", [100, { on: "ready", token: "" }]],
  ])("ignores a readiness with %s", (_, event) => {
    expect(last([HELLO, SNAPSHOT, event])).toMatchObject({ state: { at: "loading" }, effects: [] });
  });

  it("ignores a readiness that comes before the start", () => {
    expect(last([HELLO, READY]).state.at).toBe("loading");
  });

  it.each<[string, Timed[], string]>([
    ["not ready in time", [HELLO, SNAPSHOT, [PLAN.readyMs, { on: "wake" }]], "not_ready"],
    [
      "not even hello in time",
      [
        [ANSWER_MS, { on: "wake" }],
        [PLAN.readyMs, { on: "wake" }],
      ],
      "not_ready",
    ],
    ["the state refused", [HELLO, SNAPSHOT, [60, { on: "refused", reason: "schema 1" }]], "state_refused"],
    [
      "an error, and then not ready soon",
      [HELLO, SNAPSHOT, [50, { on: "error", detail: "boom" }], [50 + GRACE_MS, { on: "wake" }]],
      "exception",
    ],
    [
      "a second error gives no second grace",
      [
        HELLO,
        SNAPSHOT,
        [50, { on: "error", detail: "boom" }],
        [1000, { on: "error", detail: "boom again" }],
        [50 + GRACE_MS, { on: "wake" }],
      ],
      "exception",
    ],
    ["withdrawn", [HELLO, [50, { on: "withdraw", detail: "closed" }]], "withdrawn"],
  ])("goes back: %s", (_, events, expected) => {
    const { state: after, effects } = run(events);
    expect(cause(after)).toBe(expected);
    expect(verbs(effects)).toContain("remove_new");
    // Nothing was frozen, so there is nothing to thaw, and nothing was shown.
    expect(verbs(effects)).not.toContain("thaw_old");
    expect(verbs(effects)).not.toContain("show_old");
  });

  it("forgives an error of a version that gets ready all the same", () => {
    expect(run([HELLO, [15, { on: "error", detail: "boom" }], SNAPSHOT, READY]).state.at).toBe("switching");
  });

  it("wakes no earlier than something can be late", () => {
    const { effects } = last([HELLO, [ANSWER_MS - 1, { on: "wake" }]]);
    expect(effects).toEqual([{ do: "wake", at: ANSWER_MS }]);
  });
});

describe("waiting", () => {
  const typedAt: Timed = [90, { on: "input", composing: false }];

  it("does not switch while there is input, and wakes when the quiet would be long enough", () => {
    const step = last([HELLO, SNAPSHOT, typedAt, READY]);
    expect(step.state.at).toBe("waiting");
    expect(step.effects).toContainEqual({ do: "wake", at: 90 + PLAN.quietMs });
  });

  it.each<[string, Timed[], string]>([
    ["before the quiet is over", [[90 + PLAN.quietMs - 1, { on: "wake" }]], "waiting"],
    ["when the quiet is over", [[90 + PLAN.quietMs, { on: "wake" }]], "switching"],
    [
      "when input goes on until patience ends",
      [
        [30_000, { on: "input", composing: false }],
        [100 + PLAN.patienceMs, { on: "wake" }],
      ],
      "switching",
    ],
    [
      "never during a composition, whatever the patience",
      [
        [30_000, { on: "input", composing: true }],
        [100 + PLAN.patienceMs * 2, { on: "wake" }],
      ],
      "waiting",
    ],
    [
      "at the end of a composition that used up all patience",
      [
        [30_000, { on: "input", composing: true }],
        [100 + PLAN.patienceMs * 2, { on: "input", composing: false }],
      ],
      "switching",
    ],
  ])("%s", (_, events, expected) => {
    expect(run([HELLO, SNAPSHOT, typedAt, READY, ...events]).state.at).toBe(expected);
  });

  it.each<[string, Partial<Plan>]>([
    ["a forced swap", { quietMs: 0 }],
    ["an old version that never got ready", { oldAnswers: false }],
  ])("is left out by %s, even while composing", (_, plan) => {
    expect(run([HELLO, ...(plan.oldAnswers === false ? [] : [SNAPSHOT]), READY], plan, 99, true).state.at).toBe(
      "switching",
    );
  });

  it.each<[Timed, string]>([
    [[200, { on: "error", detail: "boom" }], "exception"],
    [[200, { on: "refused", reason: "no" }], "state_refused"],
    [[200, { on: "withdraw", detail: "closed" }], "withdrawn"],
  ])("goes back on %j", (event, expected) => {
    const { state: after, effects } = last([HELLO, SNAPSHOT, typedAt, READY, event]);
    expect(cause(after)).toBe(expected);
    expect(verbs(effects)).toEqual(["remove_new", "report", "tell"]);
  });
});

describe("switching", () => {
  it.each<[string, Timed[], string]>([
    ["the old version does not freeze", [[100 + ANSWER_MS, { on: "wake" }]], "hung"],
    ["the new version does not take over", [FROZEN, [120 + ANSWER_MS, { on: "wake" }]], "hung"],
    ["the new version throws while it takes over", [FROZEN, [130, { on: "error", detail: "boom" }]], "exception"],
    ["the new version refuses the last state", [FROZEN, [130, { on: "refused", reason: "no" }]], "state_refused"],
  ])("goes back and thaws the old version with its own keys: %s", (_, events, expected) => {
    const { state: after, effects } = run([...TO_SWITCHING, ...events]);
    expect(cause(after)).toBe(expected);
    expect(effects).toContainEqual({ do: "thaw_old", state: null });
    expect(verbs(effects)).not.toContain("show_old");
  });

  it("shows the old one again when it fails between being shown and having been seen", () => {
    const { effects } = last([...TO_SWITCHING, FROZEN, RESTORED, [145, { on: "error", detail: "boom" }]]);
    expect(verbs(effects).slice(0, 3)).toEqual(["show_old", "thaw_old", "remove_new"]);
  });

  it("goes on without the freeze when the swap is forced and the old version hangs", () => {
    const { state: after, effects } = run([...TO_SWITCHING, [100 + ANSWER_MS, { on: "wake" }]], { quietMs: 0 });
    expect(after.at).toBe("switching");
    expect(effects).toContainEqual({
      do: "restore_new",
      handover: { state: state("fresh"), focus: null, scroll: [] },
      keys: [],
    });
  });

  it("asks nothing of an old version that never got ready", () => {
    const { state: after, effects } = run([HELLO, READY, SHOWN], { oldAnswers: false });
    expect(after.at).toBe("trial");
    expect(verbs(effects)).not.toContain("ask_old");
    expect(verbs(effects)).not.toContain("freeze_old");
  });

  it.each<[string, Timed]>([
    ["a second frozen", [125, { on: "frozen", state: null, focus: null, scroll: [] }]],
    ["a shown that nobody asked for", [125, { on: "shown" }]],
    ["a second ready", [125, { on: "ready", token: "right" }]],
    ["a late snapshot", [125, { on: "snapshot", state: null }]],
    ["a wake before its time", [125, { on: "wake" }]],
  ])("is not moved by %s", (_, event) => {
    const { state: after, effects } = last([...TO_SWITCHING, FROZEN, event]);
    expect(after).toMatchObject({ at: "switching", step: "restoring" });
    expect(verbs(effects)).toEqual([]);
  });
});

describe("the trial", () => {
  const END = 150 + PLAN.trialMs;

  it.each<[string, Timed[], string]>([
    ["an exception", [[5000, { on: "error", detail: "boom" }]], "exception"],
    [
      "no answer at the end",
      [
        [END, { on: "wake" }],
        [END + ANSWER_MS, { on: "wake" }],
      ],
      "hung",
    ],
    ["a newer order", [[5000, { on: "withdraw", detail: "a newer order" }]], "withdrawn"],
  ])("ends with the old version back: %s", (_, events, expected) => {
    const { state: after, effects } = run([...TO_TRIAL, ...events]);
    expect(cause(after)).toBe(expected);
    expect(verbs(effects)).toContain("show_old");
    expect(verbs(effects)).not.toContain("dispose_old");
    const report = effects.filter((one) => one.do === "report").at(-1);
    expect(report).toMatchObject({ report: { kind: "reverted", token: "right", problem: { cause: expected } } });
  });

  it.each<[string, SavedState | null, SavedState | null, SavedState]>([
    ["nothing newer is known", null, null, state("frozen")],
    ["the newer state has the old version's schema", state("newer", 1), state("newer", 1), state("newer", 1)],
    ["the newer state has a schema the old version can't read", state("newer", 2), null, state("frozen")],
  ])("gives the old version a state that it can read, and saves that one: %s", (_, latest, thawed, saved) => {
    const changed: Timed[] = latest ? [[3000, { on: "state", state: latest }]] : [];
    const { effects } = run([...TO_TRIAL, ...changed, [5000, { on: "error", detail: "boom" }]]);
    expect(effects).toContainEqual({ do: "thaw_old", state: thawed });
    expect(effects).toContainEqual({ do: "save", state: saved });
  });

  it("is not confirmed by an answer that nobody asked for", () => {
    expect(last([...TO_TRIAL, [1000, { on: "answer", state: null }]]).state.at).toBe("trial");
  });

  it("is not over before its time", () => {
    const { state: after, effects } = last([...TO_TRIAL, [END - 1, { on: "wake" }]]);
    expect(after.at).toBe("trial");
    expect(effects).toEqual([{ do: "wake", at: END }]);
  });
});

describe("an ended swap", () => {
  const ended: SwapState[] = [{ at: "confirmed" }, { at: "reverted", failure: { cause: "hung", detail: "" } }];
  const events: Without<SwapEvent>[] = [
    { on: "hello" },
    { on: "ready", token: "right" },
    { on: "error", detail: "boom" },
    { on: "frozen", state: null, focus: null, scroll: [] },
    { on: "wake" },
    { on: "withdraw", detail: "again" },
  ];
  it.each(ended.flatMap((state) => events.map((event) => [state, event] as const)))(
    "%j does nothing on %j",
    (state, event) => {
      expect(next(state, { ...event, now: 1 } as SwapEvent)).toEqual({ state, effects: [] });
    },
  );
});

describe("events", () => {
  const event = (number: number): NewsMessage => ({ kind: "event", topic: "w/moult/a:b", data: number });
  const news = (now: number, number: number): Timed => [now, { on: "news", news: event(number) }];
  /** The numbers that each version was told, in order. */
  const told = (effects: SwapEffect[]) => {
    const of = (which: "news_to_old" | "news_to_new") =>
      effects.flatMap((one) => (one.do === which ? one.news : [])).map((one) => "data" in one && one.data);
    return { old: of("news_to_old"), new: of("news_to_new") };
  };
  const END: Timed = [150 + PLAN.trialMs, { on: "wake" }];
  const BOOM: Timed = [300, { on: "error", detail: "boom" }];
  const frozen = (heard?: number): Timed => [
    120,
    { on: "frozen", state: state("frozen"), focus: null, scroll: [], heard },
  ];
  const latest = (schema: number, heard?: number): Timed => [250, { on: "state", state: state("new", schema), heard }];
  const all = [
    news(5, 1),
    ...TO_SWITCHING,
    news(110, 2),
    frozen(1),
    news(130, 3),
    RESTORED,
    news(145, 4),
    SHOWN,
    news(200, 5),
  ];

  it.each<[string, Timed[], unknown[], unknown[]]>([
    ["go to the old version until it is frozen, then to the new one", [...all, END], [1], [2, 3, 4, 5]],
    ["that came since the freeze go to the old one if it stays", [...all.slice(0, -2), BOOM], [1, 2, 3, 4], []],
    ["are told again to the old one that goes on with its own state", [...all, BOOM], [1, 2, 3, 4, 5], [2, 3, 4, 5]],
    ["in the new one's last state are not told again", [...all, latest(1, 3), BOOM], [1, 5], [2, 3, 4, 5]],
    ["in a state that the old one can't read are", [...all, latest(2, 3), BOOM], [1, 2, 3, 4, 5], [2, 3, 4, 5]],
    ["of a kit that does not count are in its state", [...all, latest(1), BOOM], [1], [2, 3, 4, 5]],
    [
      "that the old one's state does not hold are told to the new one",
      [news(5, 1), ...TO_SWITCHING, news(110, 2), frozen(0), RESTORED, SHOWN, END],
      [1],
      [1, 2],
    ],
  ])("%s", (_, events, old, fresh) => {
    expect(told(run(events).effects)).toEqual({ old, new: fresh });
  });

  it("count from what the old version had heard before", () => {
    const { effects } = run([news(5, 8), ...TO_SWITCHING, frozen(7), RESTORED, SHOWN], { oldTold: 7 });
    expect(told(effects).new).toEqual([8]);
  });
});

describe("errors on trial", () => {
  const handled = (count: number, failed: number): Timed[] =>
    Array.from({ length: count }, (_, number) => [200 + number, { on: "handled", well: number < count - failed }]);
  const END: Timed = [150 + PLAN.trialMs, { on: "wake" }];

  it.each<[string, Timed[], string]>([
    ["one of twenty is five per cent, which may be", handled(20, 1), "not reverted but trial"],
    ["two of twenty are too much", handled(20, 2), "errors"],
    ["a hundred with five are not", handled(100, 5), "not reverted but trial"],
    ["nineteen are too few to judge by", handled(19, 19), "not reverted but trial"],
    ["at the end five are enough", [...handled(5, 1), END], "errors"],
    ["and four are not", [...handled(4, 4), END], "not reverted but trial"],
  ])("%s", (_, events, expected) => {
    expect(cause(run([...TO_TRIAL, ...events]).state)).toBe(expected);
  });

  it("have the manifest's limit", () => {
    expect(cause(run([...TO_TRIAL, ...handled(20, 9)], { maxErrorPercent: 50 }).state)).toBe("not reverted but trial");
    expect(cause(run([...TO_TRIAL, ...handled(20, 1)], { maxErrorPercent: 0 }).state)).toBe("errors");
  });
});
