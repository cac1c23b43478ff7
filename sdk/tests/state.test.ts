import { expect, test } from "vitest";

import { MAX_STATE_BYTES } from "../src/protocol.js";
import { StateRefused, StateTooLarge, migrate, oldestReadable, packState } from "../src/state.js";

const steps = {
  1: (data: unknown) => ({ two: data }),
  2: (data: unknown) => ({ three: data }),
};

test("a chain reaches back to its first gap", () => {
  expect(oldestReadable(3, steps)).toBe(1);
  expect(oldestReadable(4, { 1: steps[1], 3: steps[2] })).toBe(3);
  expect(oldestReadable(1, {})).toBe(1);
});

test.each([
  [1, { three: { two: "a" } }],
  [2, { three: "a" }],
  [3, "a"],
])("state of schema %i is brought to schema 3 step by step", (schema, expected) => {
  expect(migrate({ schema, data: "a" }, 3, steps)).toEqual(expected);
});

test.each([0, 4, 1.5])("refuses state of schema %d and says what is readable", (schema) => {
  const attempt = () => migrate({ schema, data: null }, 3, steps);
  expect(attempt).toThrow(StateRefused);
  expect(attempt).toThrow(`The state has schema ${schema}; this version reads 1 to 3.`);
});

test("refuses state that a step can't migrate, and names the step", () => {
  const failing = {
    1: () => {
      throw new Error("no title");
    },
  };
  expect(() => migrate({ schema: 1, data: {} }, 2, failing)).toThrow("from schema 1 to 2: no title");
});

test("state of exactly 1 MiB is kept and one byte more is not", () => {
  const fits = "x".repeat(MAX_STATE_BYTES - 2);
  expect(packState(1, fits).data).toBe(fits);
  expect(() => packState(1, `${fits}x`)).toThrow(StateTooLarge);
});

test("the size counts bytes, not characters", () => {
  expect(() => packState(1, "字".repeat(MAX_STATE_BYTES / 2))).toThrow(StateTooLarge);
});

test("what JSON can't hold is dropped before the state leaves", () => {
  expect(packState(1, { kept: 1, draw: () => 1, none: undefined }).data).toEqual({ kept: 1 });
});
