import { expect, test } from "vitest";

import { chartPaths } from "../src/chart.js";

const scale = { low: 0, high: 100 };

test("the newest sample lies at the right end, one of a minute ago at the left", () => {
  const points = [0, 3, 6].map((second) => ({ at: 54_000 + second * 1000, value: second === 6 ? 100 : 50 }));
  expect(chartPaths(points, scale, 60_000)).toEqual({
    line: "M216 32L228 32L240 0",
    area: "M216 32L228 32L240 0L240 64L216 64Z",
  });
});

test("time without samples is a gap, not a line", () => {
  const points = [0, 1, 20, 21].map((second) => ({ at: second * 1000, value: 0 }));
  expect(chartPaths(points, scale, 60_000).line.match(/M/g)).toHaveLength(2);
});

test.each([
  ["nothing", []],
  ["a lone sample", [{ at: 1, value: 1 }]],
])("%s draws nothing", (_, points) => {
  expect(chartPaths(points, scale, 60_000)).toEqual({ line: "", area: "" });
});

test("values beyond the scale stay on its edge", () => {
  const points = [-5, 300].map((value, index) => ({ at: index * 1000, value }));
  expect(chartPaths(points, scale, 1_000).line).toBe("M236 64L240 0");
});
