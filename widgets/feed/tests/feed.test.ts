// @vitest-environment happy-dom
// The widget as the host sees it: with and without grants, network and articles, and across a swap.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { CallRefused } from "@moult/widget";
import type { Host, Settings, Widget } from "@moult/widget";

import { FIRST_ADDRESS, NONE } from "../src/articles.js";
import type { Kept } from "../src/articles.js";
import { createFeed } from "../src/feed.js";

const NOW = Date.parse("2026-11-17T10:24:00Z");
const RSS = `<rss><channel><title>Journal</title><item><title>One</title><link>https://j.test/1</link></item></channel></rss>`;
const PROBLEM = { code: "network", happened: "No network.", kept: "", advice: null, detail: "" };
const KEPT: Kept = {
  ...NONE,
  address: FIRST_ADDRESS,
  title: "Journal",
  articles: [{ id: "1", title: "Old", url: "https://j.test/0", at: NOW, author: "" }],
  fetched_at: NOW - 3 * 3_600_000,
  etag: '"e"',
};
const CONTEXT = {
  granted: [],
  theme: "light",
  reducedMotion: false,
  locale: "en",
  instance: "i",
  version: "1.0.0",
  settings: {} as Settings,
} as const;

let granted: string[] = [];
let calls: [string, Record<string, unknown>][] = [];
let answer: () => Promise<unknown> = () => Promise.resolve(null);
let header = vi.fn();
const widgets: Widget<Kept>[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["setTimeout", "clearTimeout", "Date"] });
  // Where no worker can be started, a short feed is read on the spot.
  vi.stubGlobal("Worker", undefined);
  granted = ["network", "open.url"];
  calls = [];
  header = vi.fn();
  answer = () => Promise.resolve({ status: 200, url: FIRST_ADDRESS, headers: { etag: '"f"' }, body: RSS });
});
afterEach(() => {
  for (const widget of widgets.splice(0)) widget.dispose?.();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function open(state: Kept | null, more: object = {}): Promise<Widget<Kept>> {
  const host: Partial<Host> = {
    header,
    changed: vi.fn(),
    granted: () => granted,
    onSettings: () => () => undefined,
    onGranted: () => () => undefined,
    call(capability, request) {
      calls.push([capability, request as Record<string, unknown>]);
      return capability === "network.fetch" ? answer() : Promise.resolve(null);
    },
  };
  const widget = createFeed(() => host as Host);
  widgets.push(widget);
  await widget.start({ ...CONTEXT, state, ...more });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return widget;
}

function titles(): string[] {
  return [...document.querySelectorAll(".title")].map(({ textContent }) => textContent ?? "");
}

function notice(): string | null | undefined {
  return document.querySelector<HTMLElement>(".foot")?.hidden ? "" : document.querySelector(".notice")?.textContent;
}

test("fetches at once, shows titles, and names itself after the feed", async () => {
  const widget = await open(null);
  expect(calls[0]?.[1]).toMatchObject({ url: FIRST_ADDRESS });
  expect(titles()).toEqual(["One"]);
  expect(header).toHaveBeenLastCalledWith("Journal", "1 new");
  expect(widget.snapshot()).toMatchObject({ address: FIRST_ADDRESS, etag: '"f"', fetched_at: NOW });
  expect(notice()).toBe("");
});

test("without a grant it asks for nothing and says what it waits for", async () => {
  granted = [];
  await open(null);
  expect(calls).toEqual([]);
  expect(notice()).toBe("Feed may not fetch from webkit.org yet.");
});

test("without a network the old articles stay, with their age", async () => {
  answer = () => Promise.reject(new CallRefused(PROBLEM));
  await open(KEPT);
  expect(titles()).toEqual(["Old"]);
  expect(notice()).toMatch(/^From \d\d:24\. webkit\.org can't be reached\.$/);
});

test.each([
  [{ status: 503, url: "", headers: {}, body: "" }, /webkit.org answered with status 503\.$/],
  [{ status: 200, url: "", headers: {}, body: "<html>" }, /What webkit.org sent is no feed\.$/],
])("an answer that is no feed is said and tried again", async (reply, said) => {
  answer = () => Promise.resolve(reply);
  await open(null);
  expect(notice()).toMatch(said);
  answer = () => Promise.resolve({ status: 200, url: "", headers: {}, body: RSS });
  document.querySelector<HTMLElement>("[data-testid=feed-again]")?.click();
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(titles()).toEqual(["One"]);
});

test("a server that has nothing newer need not send it again", async () => {
  answer = () => Promise.resolve({ status: 304, url: "", headers: {}, body: "" });
  const widget = await open(KEPT);
  expect(calls[0]?.[1]).toMatchObject({ headers: { "if-none-match": '"e"' } });
  expect(titles()).toEqual(["Old"]);
  expect(widget.snapshot().fetched_at).toBe(NOW);
});

test("an article that is pressed is opened by the host and no longer new", async () => {
  await open({ ...KEPT, fetched_at: NOW });
  document.querySelector<HTMLElement>(".link")?.click();
  expect(calls).toEqual([["open.url", { url: "https://j.test/0" }]]);
  expect(document.querySelector(".fresh")).toBeNull();
});

test("the list is one stop for Tab, and arrows go through it", async () => {
  const two = [...KEPT.articles, { id: "2", title: "Older", url: "https://j.test/2", at: NOW, author: "" }];
  await open({ ...KEPT, articles: two, fetched_at: NOW });
  const [first, second] = [...document.querySelectorAll<HTMLElement>(".link")];
  expect([first?.tabIndex, second?.tabIndex]).toEqual([0, -1]);
  first?.focus();
  first?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
  expect(document.activeElement).toBe(second);
  expect([first?.tabIndex, second?.tabIndex]).toEqual([-1, 0]);
});

test("drawing looks for nothing in the document: what is found would keep a released frame", async () => {
  const looks = [Document.prototype, Element.prototype].map((place) => vi.spyOn(place, "querySelectorAll"));
  const widget = await open({ ...KEPT, fetched_at: NOW });
  await widget.restore?.({ ...KEPT, fetched_at: NOW });
  for (const look of looks) expect(look).not.toHaveBeenCalled();
  looks.forEach((look) => look.mockRestore());
  expect(document.querySelector(".link")).not.toBeNull();
});

test("who may not open has text instead of links", async () => {
  granted = ["network"];
  await open({ ...KEPT, fetched_at: NOW });
  expect(titles()).toEqual(["Old"]);
  expect(document.querySelector(".link")).toBeNull();
});

test("a swap keeps what is shown and does not ask again", async () => {
  const before = await open(null);
  const state = JSON.parse(JSON.stringify(before.snapshot())) as unknown;
  calls = [];
  const parsed = before.parse?.(state) as Kept;
  const after = await open(parsed);
  await after.restore?.(parsed);
  expect(titles()).toEqual(["One"]);
  expect(calls).toEqual([]);
});

test("an address that is none is said", async () => {
  await open(null, { settings: { feed: "other", address: "nonsense" }, locale: "zh-CN" });
  expect(calls).toEqual([]);
  expect(notice()).toBe("这不是订阅地址。在这个组件的设置里修改。");
});
