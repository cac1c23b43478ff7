import { expect, test } from "vitest";

import { litTicks, tickCount } from "../src/dial.js";
import * as rounds from "../src/rounds.js";
import type { Rounds } from "../src/rounds.js";
import { wordsFor } from "../src/words.js";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-17T10:24:28Z");
const DAY = "2026-11-17";
const PLAN = rounds.planOf({});
const GOING_ON = rounds.planOf({ goes_on: true });

function at(more: Partial<Rounds>): Rounds {
  return { ...rounds.FIRST, day: DAY, ...more };
}

test("settings out of their bounds, or none at all, are the defaults", () => {
  const plan = rounds.planOf({
    work_minutes: 50,
    rest_minutes: 0,
    long_rest_minutes: "15",
    rounds: 3.2,
    goes_on: true,
  });
  expect(plan).toEqual({ lengths: { work: 50, rest: 5, long_rest: 15 }, rounds: 3, goes_on: true });
  expect(PLAN).toEqual({ lengths: { work: 25, rest: 5, long_rest: 15 }, rounds: 4, goes_on: false });
});

test("a phase runs to an instant, and what is left follows from the clock alone", () => {
  const running = rounds.start(at({}), PLAN, NOW);
  expect(running.ends_at).toBe(NOW + 25 * MINUTE);
  expect(rounds.leftOf(running, PLAN, NOW + 8 * MINUTE)).toBe(17 * MINUTE);
  // The clock was set back by an hour: never more than a whole phase.
  expect(rounds.leftOf(running, PLAN, NOW - 60 * MINUTE)).toBe(25 * MINUTE);
});

test("a pause keeps what is left, however long it lasts", () => {
  const paused = rounds.pause(rounds.start(at({}), PLAN, NOW), PLAN, NOW + 10 * MINUTE);
  expect(paused).toMatchObject({ ends_at: null, left_ms: 15 * MINUTE });
  expect(rounds.start(paused, PLAN, NOW + 300 * MINUTE).ends_at).toBe(NOW + 315 * MINUTE);
});

test.each([
  ["work is done: a break", { phase: "work", done: 0 }, "rest", 1],
  ["the fourth work is done: a long break", { phase: "work", done: 3 }, "long_rest", 4],
  ["a break is over: work", { phase: "rest", done: 1 }, "work", 1],
  ["a long break is over: work", { phase: "long_rest", done: 4 }, "work", 4],
] as const)("%s", (_, from, phase, done) => {
  const { rounds: after, ended } = rounds.passed(at({ ...from, ends_at: NOW }), PLAN, NOW, DAY);
  expect(after).toMatchObject({ phase, done, ends_at: null, left_ms: null });
  expect(ended).toBe(from.phase);
});

test("a phase that goes on by itself begins when the one before ended, not when that was noticed", () => {
  const { rounds: after } = rounds.passed(at({ ends_at: NOW }), GOING_ON, NOW + 700, DAY);
  expect(after).toMatchObject({ phase: "rest", ends_at: NOW + 5 * MINUTE });
});

test("a phase that ended unseen is done, but nobody is told and none follows by itself", () => {
  const { rounds: after, ended } = rounds.passed(at({ ends_at: NOW }), GOING_ON, NOW + 90 * MINUTE, DAY);
  expect(after).toMatchObject({ phase: "rest", ends_at: null, done: 1 });
  expect(ended).toBeNull();
});

test("a new day begins with none done", () => {
  expect(rounds.passed(at({ done: 7, day: "2026-11-16" }), PLAN, NOW, DAY).rounds).toMatchObject({ done: 0, day: DAY });
});

test("skipped work does not count, and the clock goes on if it went", () => {
  expect(rounds.skip(at({ ends_at: NOW + 1 }), PLAN, NOW)).toMatchObject({
    phase: "rest",
    done: 0,
    ends_at: NOW + 5 * MINUTE,
  });
  expect(rounds.skip(at({ phase: "rest", left_ms: 5 }), PLAN, NOW)).toMatchObject({
    phase: "work",
    ends_at: null,
    left_ms: null,
  });
});

test.each([
  ["work", 0, 0],
  ["work", 3, 3],
  ["long_rest", 4, 4],
  ["work", 4, 0],
  ["rest", 5, 1],
] as const)("during %s with %i done, %i blocks are full", (phase, done, full) => {
  expect(rounds.doneInSet(at({ phase, done }), PLAN)).toBe(full);
});

test.each([null, {}, { phase: "nap" }])("refuses %j", (data) => {
  expect(() => rounds.readRounds(data)).toThrow("`phase` is none");
});

test("what can't be read of a state is as at the first time", () => {
  const read = rounds.readRounds({ phase: "rest", ends_at: "soon", done: -1, subject: "x".repeat(200) });
  expect(read).toEqual({ ...rounds.FIRST, phase: "rest", subject: "x".repeat(80) });
});

test.each([
  [1, 20],
  [5, 20],
  [15, 30],
  [25, 25],
  [60, 60],
  [90, 60],
])("a phase of %i min has %i ticks", (minutes, ticks) => {
  expect(tickCount(minutes)).toBe(ticks);
});

test.each([
  [1, 25],
  [0.7013, 18],
  [0.72, 18],
  [0.0001, 1],
  [0, 0],
])("with %d left, %i of 25 ticks are lit", (left, lit) => {
  expect(litTicks(left, 25)).toBe(lit);
});

test.each([
  [25 * MINUTE, "25:00"],
  [17 * MINUTE + 31_200, "17:32"],
  [400, "00:01"],
  [0, "00:00"],
  [90 * MINUTE, "90:00"],
])("%i ms left are written %s", (left, written) => {
  expect(wordsFor("en").left(left)).toBe(written);
});

test("the day is the one here", () => {
  expect(rounds.dayOf(new Date(2026, 0, 5, 23, 59))).toBe("2026-01-05");
});
