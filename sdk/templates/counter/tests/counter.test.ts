import assert from "node:assert/strict";
import { test } from "node:test";

import { add, dayOf, MIGRATIONS, onDay, readCounter } from "../src/counter";

test("it counts up and down and never below zero", () => {
  const counter = { count: 1, day: "2026-11-30" };
  assert.equal(add(counter, 1).count, 2);
  assert.equal(add(add(counter, -1), -1).count, 0);
});

test("each day begins at zero", () => {
  const counter = { count: 5, day: "2026-11-30" };
  assert.deepEqual(onDay(counter, "2026-11-30"), counter);
  assert.deepEqual(onDay(counter, "2026-12-01"), { count: 0, day: "2026-12-01" });
  assert.equal(dayOf(new Date(2026, 0, 2)), "2026-01-02");
});

test("a state of schema 1 is carried over", () => {
  const migrated = readCounter(MIGRATIONS[1]({ count: 3 }));
  assert.deepEqual(onDay(migrated, "2026-11-30"), { count: 3, day: "2026-11-30" });
});

test("a state that is none is refused", () => {
  assert.throws(() => readCounter({ count: "3", day: "" }));
});
