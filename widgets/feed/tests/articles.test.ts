import { expect, test } from "vitest";

import * as articles from "../src/articles.js";
import { wordsFor } from "../src/words.js";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-17T10:24:00Z");
const ARTICLE = { id: "a", title: "A", url: "https://a.test/", at: NOW, author: "" };
const KEPT = { ...articles.NONE, address: "https://a.test/feed", articles: [ARTICLE], fetched_at: NOW };
const WISH = articles.wishOf({});

test.each([
  [{}, articles.FIRST_ADDRESS, 60],
  [{ feed: "https://b.test/rss", every_minutes: 15 }, "https://b.test/rss", 15],
  [{ feed: "other", address: " https://c.test/x " }, "https://c.test/x", 60],
  [{ feed: "other", address: "http://c.test/x" }, null, 60],
  [{ feed: "other", address: "" }, null, 60],
  [{ feed: "other" }, null, 60],
  [{ every_minutes: 1 }, articles.FIRST_ADDRESS, 60],
])("the settings %j ask for %s every %i min", (settings, address, minutes) => {
  expect(articles.wishOf(settings)).toEqual({ address, every: minutes * MINUTE });
});

test.each([
  ["never fetched: at once", { fetched_at: null }, 0, 0],
  ["after an answer: an interval later", {}, 0, 60],
  ["after one failure: soon", {}, 1, 2],
  ["after a third: later", {}, 3, 8],
  ["never later than the interval", {}, 20, 60],
  ["the clock was set back: at once", { fetched_at: NOW + MINUTE }, 0, 0],
])("%s", (_, more, failures, minutes) => {
  expect(articles.nextAt({ ...KEPT, ...more }, WISH, failures, NOW, NOW)).toBe(NOW + minutes * MINUTE);
});

test("what was opened stays so while it is in the feed", () => {
  const read = articles.opened(articles.opened(KEPT, "a"), "a");
  expect(read.read).toEqual(["a"]);
  expect(articles.unread(read)).toBe(0);
  const feed = { title: "A", articles: [ARTICLE, { ...ARTICLE, id: "b" }] };
  expect(articles.unread(articles.withFeed(read, KEPT.address, feed, "", NOW))).toBe(1);
  expect(articles.withFeed(read, KEPT.address, { title: "A", articles: [] }, "", NOW).read).toEqual([]);
  expect(articles.withFeed(read, "https://else.test/", feed, "", NOW).read).toEqual([]);
});

test("another address has none of what is kept", () => {
  expect(articles.keptOf(KEPT, KEPT.address)).toBe(KEPT);
  expect(articles.keptOf(KEPT, "https://b.test/")).toEqual({ ...articles.NONE, address: "https://b.test/" });
});

test("only what is older than an interval and a while is stale", () => {
  expect(articles.isStale(KEPT, WISH, NOW + 65 * MINUTE)).toBe(false);
  expect(articles.isStale(KEPT, WISH, NOW + 71 * MINUTE)).toBe(true);
  expect(articles.isStale(articles.NONE, WISH, NOW)).toBe(false);
});

test.each([null, {}, { articles: "a" }])("refuses %j as state", (data) => {
  expect(() => articles.readKept(data)).toThrow("`articles` is not a list");
});

test("state is read back, an address that can't be opened is none", () => {
  expect(articles.readKept(JSON.parse(JSON.stringify(KEPT)))).toEqual(KEPT);
  const hostile = { ...KEPT, articles: [null, { ...ARTICLE, url: "javascript:alert(1)", at: "now" }] };
  expect(articles.readKept(hostile).articles).toEqual([{ ...ARTICLE, url: null, at: null }]);
});

test.each([
  ["en", 8 * MINUTE, "8 min"],
  ["en", 2 * 60 * MINUTE, "2 h"],
  ["en", 72 * 60 * MINUTE, "Nov 14"],
  ["zh-CN", 31 * MINUTE, "31 分钟"],
  ["zh-CN", 10, "刚刚"],
])("in %s an article of %i ms ago is of %j", (locale, ago, said) => {
  expect(wordsFor(locale).age(NOW - ago, NOW)).toBe(said);
});
