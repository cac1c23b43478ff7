import { expect, test } from "vitest";

import { count, wordsFor } from "../src/words.js";

const NOW = Date.parse("2026-11-17T10:24:00Z");

test.each([
  ["en", "2026-11-17T10:23:30Z", "just now"],
  ["en", "2026-11-17T10:30:00Z", "just now"],
  ["en", "2026-11-17T10:22:00Z", "2 min ago"],
  ["en", "2026-11-17T09:24:00Z", "1 h ago"],
  ["en", "2026-11-15T12:00:00Z", "Nov 15"],
  ["zh-CN", "2026-11-17T10:22:00Z", "2 分钟前"],
  ["zh-CN", "2026-11-17T05:22:00Z", "5 小时前"],
])("in %s an edit at %s was %j", (locale, edited, said) => {
  expect(wordsFor(locale).age(edited, NOW)).toBe(said);
});

test("a note that was never edited has no age", () => {
  expect(wordsFor("en").age(null, NOW)).toBe("");
});

test.each([
  ["", 0, 0],
  ["One two\nthree", 3, 12],
  ["don't re-read 1.5 times", 4, 23],
  ["更新 2 个 widgets", 5, 14],
  ["a👩‍👩‍👧b", 2, 7],
])("%j has %i words and %i characters", (text, words, characters) => {
  expect(count(text)).toEqual({ words, characters });
});

test.each([
  ["en", "One", "1 word · 3 characters"],
  ["en", "A", "1 word · 1 character"],
  ["zh-CN", "你好", "2 字 · 2 个字符"],
])("in %s the length of %j is said as %j", (locale, text, said) => {
  expect(wordsFor(locale).length(text)).toBe(said);
});

test("a note of many thousand words is counted whole", () => {
  const text = "word 字 ".repeat(40_000);
  expect(count(text).words).toBe(80_000);
});
