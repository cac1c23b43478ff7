import { expect, test } from "vitest";

import { MAX_SAMPLES, NO_HISTORY, memoryScale, readFigures, readHistory, withFigures } from "../src/figures.js";

const GIB = 1024 ** 3;
const FIGURES = { cpu_percent: 23.44, cores: 8, memory_used: 9.8 * GIB, memory_total: 16 * GIB };

function scaleOf(used: number[], total: number): [number, number] {
  const { low, high } = memoryScale(
    used.map((gib) => gib * GIB),
    total * GIB,
  );
  return [low / GIB, high / GIB];
}

test.each([
  ["steady use: a sixteenth of the whole, ends on half gigabytes", [9.8, 9.8], 16, [9, 10.5]],
  ["a little noise leaves it as it was", [9.75, 9.85], 16, [9, 10.5]],
  ["use that grows takes more room", [6, 9], 16, [4, 10]],
  ["near zero it begins at zero", [0.2, 0.3], 16, [0, 1]],
  ["near the end it ends with the whole", [15.8, 15.9], 16, [15, 16]],
  ["a large machine has larger steps", [100, 101], 256, [88, 112]],
  ["a small machine has quarters", [1.1, 1.2], 2, [1, 1.25]],
  ["nothing known yet: the whole", [], 16, [0, 16]],
])("%s", (_, used, total, expected) => {
  expect(scaleOf(used, total)).toEqual(expected);
});

test("whatever is used lies within the scale, and the scale within the memory", () => {
  for (const total of [1, 2, 7.7, 16, 31.2, 64, 512]) {
    for (let low = 0; low <= 1; low += 0.07) {
      for (let high = low; high <= 1; high += 0.07) {
        const [from, to] = scaleOf([low * total, high * total], total);
        expect(from).toBeLessThanOrEqual(low * total);
        expect(to).toBeGreaterThanOrEqual(high * total - 1e-9);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(total + 1e-9);
        expect(to).toBeGreaterThan(from);
      }
    }
  }
});

test("keeps a minute and no more than sixty samples", () => {
  let history = NO_HISTORY;
  for (let second = 0; second < 200; second += 1) history = withFigures(history, FIGURES, second * 1000);
  expect(history.samples).toHaveLength(MAX_SAMPLES);
  expect(history.samples.at(-1)).toEqual({ at: 199_000, cpu: 23.4, memory: Math.round(9.8 * GIB) });
  const later = withFigures(history, FIGURES, 400_000);
  expect(later.samples).toHaveLength(1);
});

test("drops samples that lie ahead after the clock was set back", () => {
  const history = withFigures(withFigures(NO_HISTORY, FIGURES, 90_000), FIGURES, 5_000);
  expect(history.samples.map((sample) => sample.at)).toEqual([5_000]);
});

test.each([null, {}, { ...FIGURES, cores: "8" }, { ...FIGURES, cpu_percent: NaN }, { ...FIGURES, memory_used: -1 }])(
  "refuses the answer %j",
  (answer) => {
    expect(() => readFigures(answer)).toThrow(TypeError);
  },
);

test("reads state back, without samples that can't be drawn", () => {
  const history = withFigures(NO_HISTORY, FIGURES, 1_000);
  expect(readHistory(JSON.parse(JSON.stringify(history)))).toEqual(history);
  expect(readHistory({ samples: [null, { at: 1 }, { at: 1, cpu: 2, memory: 3 }] }).samples).toHaveLength(1);
  expect(() => readHistory({})).toThrow("`samples` is not a list");
});
