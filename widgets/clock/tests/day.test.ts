import { expect, test } from "vitest";

import { dayShare, daySpans, minutesAhead, untilNext, untilNextSecond } from "../src/day.js";

const hours = (minutes: number) => daySpans(minutes).map(({ from, to }) => [from * 24, to * 24].map(round));

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

test.each([
  ["the same zone", 0, [[7, 19]]],
  ["an hour ahead", 60, [[6, 18]]],
  [
    "eight hours behind: midnight cuts it in two",
    -8 * 60,
    [
      [0, 3],
      [15, 24],
    ],
  ],
  [
    "eight hours ahead: it began yesterday",
    8 * 60,
    [
      [0, 11],
      [23, 24],
    ],
  ],
  ["seven hours ahead: it ends with the bar's beginning", 7 * 60, [[0, 12]]],
  ["five hours behind: it ends with the bar", -5 * 60, [[12, 24]]],
  ["five and three quarters ahead", 345, [[1.25, 13.25]]],
  ["a whole day ahead is no shift", 24 * 60, [[7, 19]]],
])("daytime of %s", (_, minutes, expected) => {
  expect(hours(minutes)).toEqual(expected);
});

test("there are twelve hours of daytime, wherever they fall", () => {
  for (let minutes = -14 * 60; minutes <= 14 * 60; minutes += 15) {
    const total = daySpans(minutes).reduce((sum, { from, to }) => sum + to - from, 0);
    expect(total).toBeCloseTo(0.5, 10);
    for (const { from, to } of daySpans(minutes)) expect(0 <= from && from < to && to <= 1).toBe(true);
  }
});

test.each([
  ["2026-11-17T10:24:00Z", "America/Los_Angeles", "Europe/Lisbon", -480],
  ["2026-11-17T10:24:00Z", "Asia/Shanghai", "Europe/Lisbon", 480],
  ["2026-11-17T23:30:00Z", "Asia/Kathmandu", "UTC", 345],
  ["2026-12-31T23:30:00Z", "Pacific/Auckland", "Pacific/Honolulu", 23 * 60],
  // Between the two changes to summer time, New York is four hours behind London, not five.
  ["2026-03-20T12:00:00Z", "America/New_York", "Europe/London", -240],
])("at %s %s differs from %s by %i minutes", (at, zone, here, expected) => {
  expect(minutesAhead(new Date(at), zone, here)).toBe(expected);
});

test.each([
  ["2026-11-17T00:00:00Z", 0],
  ["2026-11-17T10:24:00Z", 0.4333],
  ["2026-11-17T23:59:59Z", 0.99999],
])("at %s the day is over by %d", (at, expected) => {
  expect(dayShare(new Date(at), "UTC")).toBeCloseTo(expected, 4);
});

test.each([
  [1_700_000_000_000, 1000],
  [1_700_000_000_001, 999],
  [1_700_000_000_999, 1],
])("from %i the next second is %i ms away", (now, expected) => {
  expect(untilNextSecond(now)).toBe(expected);
});

test.each([
  ["with seconds: the next one", 1_700_000_000_250, true, 750],
  ["without: the next minute", 1_700_000_035_000, false, 5_000],
  ["without, early in a minute: soon enough after sleep", 1_700_000_000_000, false, 10_000],
])("%s", (_, now, seconds, expected) => {
  expect(untilNext(now, seconds)).toBe(expected);
});
