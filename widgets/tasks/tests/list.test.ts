import { expect, test } from "vitest";

import { placeAfter, shifted } from "../src/drag.js";
import * as lists from "../src/list.js";
import type { List } from "../src/list.js";
import { wordsFor } from "../src/words.js";

/** A list of tasks named by letters; a capital one is done. */
function list(letters: string): List {
  const tasks = [...letters].map((text, index) => ({ id: index + 1, text, done: text !== text.toLowerCase() }));
  return { ...lists.EMPTY, tasks };
}

function letters({ tasks }: List): string {
  return tasks.map(({ text }) => text).join("");
}

test("a new task comes last and takes the draft along", () => {
  const added = lists.add({ ...list("ab"), draft: "c" }, "  c ");
  expect(added).toMatchObject({ draft: "", tasks: [{}, {}, { id: 3, text: "c", done: false }] });
});

test.each(["", "   "])("%j is no task", (text) => {
  const before = list("ab");
  expect(lists.add(before, text)).toBe(before);
});

test("no more tasks than the state can hold", () => {
  const full = list("x".repeat(lists.MAX_TASKS));
  expect(lists.add(full, "one more")).toBe(full);
});

test.each([
  ["abcd", 2, 0, "bacd"],
  ["abcd", 2, 2, "acbd"],
  ["abcd", 1, 9, "bcda"],
  ["abcd", 4, -3, "dabc"],
  ["abcd", 9, 0, "abcd"],
])("of %s the task %i, moved to %i, makes %s", (from, id, to, after) => {
  expect(letters(lists.move(list(from), id, to))).toBe(after);
});

test.each([
  ["abcd", "b", "acd"],
  ["aBcD", "BD", "ac"],
  ["abc", "abc", ""],
  ["abc", "", "abc"],
])("from %s without %j there is %s, and undoing it makes it whole", (from, gone, left) => {
  const before = list(from);
  const after = lists.remove(before, ({ text }) => gone.includes(text));
  expect(letters(after)).toBe(left);
  expect(letters(lists.undo(after))).toBe(from);
});

test("a removal is taken back among what was added since, under its own number", () => {
  const removed = lists.remove(list("abc"), ({ text }) => text === "c");
  const back = lists.undo(lists.add(removed, "d"));
  expect(letters(back)).toBe("abcd");
  expect(new Set(back.tasks.map(({ id }) => id)).size).toBe(4);
});

test("a forgotten removal is not taken back", () => {
  const removed = lists.forget(lists.remove(list("abc"), ({ text }) => text === "c"));
  expect(letters(lists.undo(removed))).toBe("ab");
});

test("ticks are counted", () => {
  expect(lists.counts(lists.tick(list("aBc"), 1, true))).toEqual({ done: 2, all: 3 });
});

test.each([null, {}, { tasks: "a" }])("refuses %j", (data) => {
  expect(() => lists.readList(data)).toThrow("`tasks` is not a list");
});

test("what can't be read is left out, and each number is there once", () => {
  const { tasks, removed } = lists.readList({
    tasks: [null, { id: 1, text: "a", done: false }, { id: 1, text: "b", done: true }, { id: "2", text: "c" }],
    removed: [
      { index: 0, task: { id: 1, text: "a", done: false } },
      { index: 3, task: { id: 9, text: "z", done: true } },
    ],
  });
  expect(tasks.map(({ text }) => text)).toEqual(["a", "b"]);
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(2);
  expect(removed.map(({ task }) => task.id)).toEqual([9]);
});

test.each([
  [2, 0, 2],
  [2, 17, 2],
  [2, 19, 3],
  [2, -80, 0],
  [2, 500, 4],
])("a row at %i that is dragged by %i px lands at %i", (from, way, to) => {
  expect(placeAfter(from, way, 36, 5)).toBe(to);
});

test("the rows between make room by one place", () => {
  expect([0, 1, 2, 3, 4].map((index) => shifted(index, 1, 3))).toEqual([0, 0, -1, -1, 0]);
  expect([0, 1, 2, 3, 4].map((index) => shifted(index, 3, 1))).toEqual([0, 1, 1, 0, 0]);
});

test.each([
  ["en", "1 of 9", "Removed “Milk”."],
  ["zh-CN", "1 / 9", "已移除“Milk”。"],
])("in %s it says %j and %j", (locale, count, removed) => {
  const words = wordsFor(locale);
  expect([words.count("1", "9"), words.removed("Milk")]).toEqual([count, removed]);
});
