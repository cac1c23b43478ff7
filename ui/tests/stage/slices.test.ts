// What comes in any amount is handled in order, and not in one go.

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Slices } from "../../src/stage/slices";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function slices(handled: number[]): (count: number, from?: number) => Slices<number> {
  const made = new Slices<number>(100, (work) => handled.push(work));
  return (count, from = 0) => {
    for (let work = from; work < from + count; work += 1) made.take(work, performance.now());
    return made;
  };
}

it("is done at once as long as it is little", () => {
  const handled: number[] = [];
  const take = slices(handled);
  take(100);
  expect(handled.length).toBe(100);
  vi.advanceTimersByTime(16);
  take(100, 100);
  expect(handled.length).toBe(200);
});

it("is done in order, a hundred within 16 ms, when it is much, and what comes then waits for its turn", () => {
  const handled: number[] = [];
  const take = slices(handled);
  take(350);
  expect(handled.length).toBe(100);
  vi.advanceTimersByTime(16);
  expect(handled.length).toBe(200);
  take(1, 350);
  expect(handled.length).toBe(200);
  vi.advanceTimersByTime(2 * 16);
  expect(handled).toEqual(Array.from({ length: 351 }, (_, index) => index).slice(0, handled.length));
  vi.advanceTimersByTime(16);
  expect(handled.length).toBe(351);
});

it("is forgotten with who asked for it", () => {
  const handled: number[] = [];
  const made = slices(handled)(150);
  made.clear();
  vi.advanceTimersByTime(1000);
  expect(handled.length).toBe(100);
});
