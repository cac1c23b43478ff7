// The pace of a frame's timers (`frame_pace.js`), run as the engine runs it: before the page, with the page's window.

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import SCRIPT from "../../../src-tauri/src/frame_pace.js?raw";

type Scope = Pick<typeof globalThis, "setTimeout" | "setInterval" | "clearTimeout" | "clearInterval">;

let scope: Scope;
let reported: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  reported = [];
  const page = {
    top: {},
    performance,
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    clearTimeout: globalThis.clearTimeout,
    reportError: (thrown: unknown) => reported.push(thrown),
  };
  new Function("window", SCRIPT)(page);
  scope = page as unknown as Scope;
});
afterEach(() => vi.useRealTimers());

it("leaves a page with few timers as it is", () => {
  const seen: unknown[] = [];
  scope.setTimeout((...given: unknown[]) => seen.push(given), 30, "a", 2);
  const clock = scope.setInterval(() => seen.push("tick"), 20);
  vi.advanceTimersByTime(45);
  scope.clearInterval(clock);
  const gone = scope.setTimeout(() => seen.push("never"), 10);
  scope.clearTimeout(gone);
  vi.advanceTimersByTime(100);
  expect(seen).toEqual(["tick", ["a", 2], "tick"]);
});

it("lets a hundred run within 16 ms, and the others after them in the order in which they were due", () => {
  const seen: number[] = [];
  for (let index = 0; index < 250; index += 1) scope.setTimeout(() => seen.push(index), 10);
  vi.advanceTimersByTime(10);
  expect(seen.length).toBe(100);
  vi.advanceTimersByTime(16);
  expect(seen.length).toBe(200);
  vi.advanceTimersByTime(16);
  expect(seen).toEqual(Array.from({ length: 250 }, (_, index) => index));
});

it("forgets one that waits when it is cleared, and lets a clock that is late tick once", () => {
  const seen: string[] = [];
  for (let index = 0; index < 100; index += 1) scope.setTimeout(() => seen.push("first"), 10);
  const late = scope.setTimeout(() => seen.push("late"), 10);
  scope.setInterval(() => seen.push("tick"), 10);
  vi.advanceTimersByTime(20);
  scope.clearTimeout(late);
  expect(seen.length).toBe(100);
  vi.advanceTimersByTime(6);
  expect(seen.slice(100)).toEqual(["tick"]);
});

it("goes on after an error, and the page hears of it", () => {
  const seen: string[] = [];
  for (let index = 0; index < 100; index += 1) scope.setTimeout(() => seen.push("first"), 10);
  scope.setTimeout(() => {
    throw new Error("mistake");
  }, 10);
  scope.setTimeout(() => seen.push("last"), 10);
  vi.advanceTimersByTime(26);
  expect(reported).toEqual([new Error("mistake")]);
  expect(seen.at(-1)).toBe("last");
});

it("can't be taken away", () => {
  expect(() => delete (scope as { setTimeout?: unknown }).setTimeout).toThrow(TypeError);
});
