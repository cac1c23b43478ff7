import { describe, expect, it } from "vitest";

import { activity, entry, ordinaryDay, problem, SCENES, widget } from "../../src/host/fake";
import type { Overview, Phase } from "../../src/host/bindings";
import {
  awaitsConsent,
  compareVersions,
  isReadyApp,
  markOf,
  newsOf,
  nextOf,
  publisherOf,
  saved,
  seamOf,
  stagesOf,
  statusOf,
  stripOf,
} from "../../src/state/parts";

const NOW = Date.parse("2026-11-17T10:24:00Z");
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const SECOND = 1000;
const HOUR = 3600 * SECOND;

function scene(...changes: ((overview: Overview) => void)[]): Overview {
  const overview = ordinaryDay(NOW);
  for (const change of changes) change(overview);
  return overview;
}

const named = (name: string) => (overview: Overview) => SCENES[name]?.(overview, NOW);

describe("the status", () => {
  it.each<[string, Overview, string, string, number]>([
    ["an ordinary day", scene(), "current", "current", 0],
    ["never checked", scene((o) => (o.checked_at = null)), "current", "unchecked", 0],
    ["an update", scene(named("updating")), "on_its_way", "on_its_way", 1],
    ["no network", scene(named("offline")), "offline", "offline", 0],
    ["no network during an update", scene(named("updating"), named("offline")), "offline", "offline", 0],
    ["a consent", scene(named("consent")), "needs_you", "needs_you", 1],
    ["a consent and no network", scene(named("consent"), named("offline")), "needs_you", "needs_you", 1],
    ["an executable that may not restart by itself", scene(named("ready")), "needs_you", "needs_you", 1],
    [
      "an executable that restarts by itself",
      scene(named("ready"), (o) => (o.settings.mode = "silent")),
      "on_its_way",
      "on_its_way",
      1,
    ],
    [
      "a check that failed otherwise",
      scene((o) => (o.check_problem = problem("metadata_expired", "Too old."))),
      "needs_you",
      "check_failed",
      0,
    ],
    [
      "an update that is over",
      scene((o) => (o.activities = [activity("shell", "1.0.0", "1.1.0", { phase: "done" })])),
      "current",
      "current",
      0,
    ],
    [
      "an update that waits for the consent",
      scene(named("consent"), (o) => {
        const problems = [problem("consent_needed", "It asks for more.")];
        o.activities = [activity("w/moult/system", "2.8.0", "2.9.0", { phase: "waiting", problems })];
      }),
      "needs_you",
      "needs_you",
      1,
    ],
  ])("%s", (_, overview, shape, kind, count) => {
    expect(statusOf(overview)).toEqual({ shape, kind, count });
  });
});

describe("the mark of a fresh version", () => {
  it.each<[string, string | null, Record<string, string>, string | null]>([
    ["came with the application", null, {}, null],
    ["just now", ago(0), {}, "label"],
    ["by a clock that is ahead", ago(-5 * SECOND), {}, "label"],
    ["59 s ago", ago(59 * SECOND), {}, "label"],
    ["a minute ago", ago(60 * SECOND), {}, "glyph"],
    ["23 h ago", ago(23 * HOUR), {}, "glyph"],
    ["a day ago", ago(24 * HOUR), {}, null],
    ["just now, and looked at", ago(0), { "w/a/b": "2.0.0" }, null],
    ["just now, and an older one was looked at", ago(0), { "w/a/b": "1.0.0" }, "label"],
  ])("%s", (_, updated_at, seen, expected) => {
    expect(markOf(widget("a/b", "B", "2.0.0", { updated_at }), NOW, seen)).toBe(expected);
  });
});

describe("the strip", () => {
  const back = entry("1", "w/a/b", "1.0.0", "1.1.0", {
    outcome: "rolled_back",
    at: ago(HOUR),
    problems: [problem("hung", "It hung.")],
  });
  const failed = (code: Parameters<typeof problem>[0]) =>
    entry("2", "w/a/b", "1.0.0", "1.1.0", {
      outcome: "failed",
      at: ago(HOUR),
      problems: [problem(code, "It failed.")],
    });
  const well = entry("3", "w/a/b", "1.0.0", "1.1.0", { at: ago(HOUR) });
  const other = entry("4", "w/c/d", "1.0.0", "1.1.0", { at: ago(0) });

  it.each([
    ["a rollback", [back], [], "1"],
    ["a rollback, and something of another part since", [other, back], [], "1"],
    ["a rollback that was put away", [back], ["1"], null],
    ["a rollback, and an update since", [well, back], [], null],
    ["a rollback a day ago", [{ ...back, at: ago(24 * HOUR) }], [], null],
    ["a bad signature", [failed("signature_invalid")], [], "2"],
    ["an update that had no network", [failed("offline")], [], null],
    ["an update that waits for consent", [failed("consent_needed")], [], null],
    ["an update that was called off", [failed("cancelled")], [], null],
    ["nothing", [], [], null],
  ])("after %s", (_, history, dismissed, expected) => {
    expect(stripOf(history, "w/a/b", NOW, dismissed)?.id ?? null).toBe(expected);
  });
});

describe("progress", () => {
  const at = (phase: Phase) => activity("w/a/b", "1.0.0", "1.1.0", { phase, bytes_done: 30, bytes_total: 120 });

  it.each<[Phase, number | null]>([
    ["found", 0],
    ["planned", 0],
    ["scheduled", 0],
    ["fetching", 0.25],
    ["rebuilding", 1],
    ["verifying", 1],
    ["waiting", 1],
    ["switching", 1],
    ["confirming", null],
    ["rolling_back", null],
    ["done", null],
    ["rolled_back", null],
    ["failed", null],
  ])("fills the seam at %s by %s", (phase, expected) => {
    expect(seamOf(at(phase))).toBe(expected);
  });

  it("draws no seam for what waits for consent, or for nothing", () => {
    expect(seamOf({ ...at("waiting"), problems: [problem("consent_needed", "It asks.")] })).toBeNull();
    expect(seamOf(undefined)).toBeNull();
  });

  it("never divides by an empty plan, nor fills more than all", () => {
    expect(seamOf({ ...at("fetching"), bytes_total: 0 })).toBe(0);
    expect(seamOf({ ...at("fetching"), bytes_done: 200 })).toBe(1);
  });

  it("splits the line at the stage that is now", () => {
    expect(stagesOf(at("fetching")).map(({ state, share }) => [state, share])).toEqual([
      ["done", 1],
      ["done", 1],
      ["now", 0.25],
      ["open", 0],
      ["open", 0],
      ["open", 0],
      ["open", 0],
    ]);
    expect(stagesOf(at("waiting")).find(({ state }) => state === "now")?.stage).toBe("switching");
    expect(stagesOf(at("scheduled")).find(({ state }) => state === "now")?.stage).toBe("planned");
    expect(stagesOf(at("rolling_back")).find(({ state }) => state === "now")?.stage).toBe("confirming");
    expect(stagesOf(at("done")).every(({ state }) => state === "done")).toBe(true);
  });

  it("spares nothing when the plan costs more than the full file", () => {
    expect(saved({ bytes_total: 10, full_bytes: 100 })).toBe(90);
    expect(saved({ bytes_total: 110, full_bytes: 100 })).toBe(0);
  });
});

it("tells an executable that is ready from one that waits for consent", () => {
  const ready = activity("app", "1.0.0", "1.1.0", { phase: "waiting" });
  expect(isReadyApp(ready)).toBe(true);
  expect(isReadyApp({ ...ready, subject: "shell" })).toBe(false);
  expect(awaitsConsent({ ...ready, problems: [problem("consent_needed", "It asks.")] })).toBe(true);
});

it("finds what is new in the history, oldest first, and nothing in a first picture", () => {
  const before = scene();
  const after = scene(named("rollback"));
  expect(newsOf(before, after).map(({ id }) => id)).toEqual(["h0"]);
  expect(newsOf(null, after)).toEqual([]);
});

it("names the next version from what is on its way or asks", () => {
  expect(nextOf(scene(named("updating")), "w/moult/system")).toBe("2.9.1");
  expect(nextOf(scene(named("consent")), "w/moult/system")).toBe("2.8.0");
  expect(nextOf(scene(), "w/moult/system")).toBeNull();
});

it.each([
  ["w/hearth-works/pomodoro", "Hearth Works"],
  ["app", null],
])("reads the publisher of %s", (subject, expected) => {
  expect(publisherOf(subject)).toBe(expected);
});

it("orders versions as releases are ordered", () => {
  const ordered = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0",
    "1.2.0",
    "1.10.0",
    "2.0.0",
  ];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
  expect(compareVersions("1.0.0+one", "1.0.0+two")).toBe(0);
});
