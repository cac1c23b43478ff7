import { expect, test } from "vitest";

import {
  MAX_SAMPLES,
  NO_HISTORY,
  memoryScale,
  rateScale,
  ratesOf,
  readFigures,
  readHistory,
  withFigures,
} from "../src/figures.js";
import { wordsFor } from "../src/words.js";

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
  ["steady use: a thirty-second of the whole, ends on quarters", [9.8, 9.8], 16, [9.5, 10.25]],
  ["a little noise leaves it as it was", [9.75, 9.85], 16, [9.5, 10.25]],
  ["use that grows takes more room", [6, 9], 16, [5, 10]],
  ["near zero it begins at zero", [0.2, 0.3], 16, [0, 0.5]],
  ["near the end it ends with the whole", [15.8, 15.9], 16, [15.5, 16]],
  ["a large machine has larger steps", [100, 101], 256, [96, 108]],
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

function network(...samples: [at: number, received: number | undefined, sent: number | undefined][]) {
  return samples.map(([at, received, sent]) => ({ at, cpu: 0, memory: 0, received, sent }) as never);
}

test.each([
  ["two seconds apart", network([0, 0, 0], [2000, 3000, 500]), [[2000, 1500, 250]]],
  ["too far apart to tell", network([0, 0, 0], [9000, 3000, 500]), []],
  ["smaller than before: started anew", network([0, 900, 900], [1000, 10, 10], [2000, 20, 30]), [[2000, 10, 20]]],
  ["without figures, as an older version kept them", network([0, undefined, undefined], [1000, 10, 10]), []],
  ["alone", network([0, 0, 0]), []],
])("rates of samples that are %s", (_, samples, expected) => {
  expect(ratesOf(samples).map(({ at, received, sent }) => [at, received, sent])).toEqual(expected);
});

test.each([
  [0, 100_000],
  [100_001, 200_000],
  [240_000, 500_000],
  [1_200_000, 2_000_000],
  [9_000_000, 10_000_000],
  [10_000_000, 10_000_000],
])("a rate of at most %i is drawn up to %i", (most, high) => {
  expect(rateScale([{ at: 0, received: most, sent: 1 }])).toEqual({ low: 0, high });
});

test("state of a version that kept no network opens, and goes on with it", () => {
  const old = { samples: [{ at: 1_000, cpu: 2, memory: 3 }], memory_total: 16 * GIB, cores: 8 };
  const opened = readHistory(JSON.parse(JSON.stringify(old)));
  expect(opened).toEqual(old);
  const figures = { ...FIGURES, network_received: 5_000, network_sent: 100 };
  const later = withFigures(withFigures(opened, figures, 2_000), { ...figures, network_received: 7_000 }, 3_000);
  expect(ratesOf(later.samples)).toEqual([{ at: 3_000, received: 2_000, sent: 0 }]);
  expect(readHistory(JSON.parse(JSON.stringify(later)))).toEqual(later);
});

test.each([
  ["en", 84_000, "84 kB/s"],
  ["en", 1_240_000, "1.2 MB/s"],
  ["zh-CN", 240_000_000, "240 MB/s"],
  ["de", 1_240_000, "1,2 MB/s"],
])("in %s a rate of %i is written %s", (locale, rate, written) => {
  expect(wordsFor(locale).rate(rate).join(" ")).toBe(written);
});
