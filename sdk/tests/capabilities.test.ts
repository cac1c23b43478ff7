import { afterEach, beforeEach, expect, test, vi } from "vitest";

import * as bus from "../src/bus.js";
import { connect } from "../src/connect.js";
import { copy, notify, open } from "../src/desktop.js";
import { fetchFrom } from "../src/network.js";
import * as shared from "../src/shared.js";
import * as storage from "../src/storage.js";
import * as timers from "../src/timers.js";
import type { Host } from "../src/widget.js";
import { START, Stage } from "./stage.js";

const REFUSED = { code: "consent_needed", happened: "It was not granted.", kept: "", advice: null, detail: "" };

let stage: Stage;
let host: Host;

beforeEach(async () => {
  host = connect<null>({ schema: 1, start: () => undefined, snapshot: () => null });
  stage = new Stage();
  stage.say(START);
  await stage.next("ready");
});
afterEach(() => stage.close());

/** Answers the next call, and tells what it was. */
async function reply(value: unknown): Promise<[string, unknown]> {
  const { id, capability, request } = await stage.next("call");
  stage.say({ kind: "reply", id, ok: true, value });
  return [capability, request];
}

async function refuse(): Promise<void> {
  stage.say({ kind: "reply", id: (await stage.next("call")).id, ok: false, error: REFUSED });
}

test.each<[string, () => Promise<unknown>, string, unknown, unknown, unknown]>([
  ["storage.get", () => storage.get(host, "k"), "storage.get", { key: "k" }, 5, 5],
  ["storage.set", () => storage.set(host, "k", [1]), "storage.set", { key: "k", value: [1] }, null, undefined],
  ["storage.delete", () => storage.delete(host, "k"), "storage.delete", { key: "k" }, null, undefined],
  ["storage.keys", () => storage.keys(host), "storage.keys", {}, ["a"], ["a"]],
  [
    "notify",
    () => notify(host, "Rest", "5 min"),
    "notifications.show",
    { title: "Rest", body: "5 min" },
    null,
    undefined,
  ],
  ["copy", () => copy(host, "text"), "clipboard.write", { text: "text" }, null, undefined],
  ["open", () => open(host, "https://a.test/"), "open.url", { url: "https://a.test/" }, null, undefined],
  ["timers.set", () => timers.set(host, "end", 1500), "timers.set", { name: "end", after_ms: 1500 }, null, undefined],
  ["timers.clear", () => timers.clear(host, "end"), "timers.clear", { name: "end" }, null, undefined],
  ["bus.publish", () => bus.publish(host, "phase", 1), "bus.publish", { topic: "phase", data: 1 }, null, undefined],
  ["bus.ask", () => bus.ask(host, "w/a/b:c", 1), "bus.ask", { topic: "w/a/b:c", data: 1 }, 2, 2],
  ["shared.set", () => shared.set(host, "n", 1), "shared.set", { name: "n", value: 1 }, null, undefined],
])("%s calls as the contract says", async (_, act, capability, request, value, result) => {
  const done = act();
  expect(await reply(value)).toEqual([capability, request]);
  expect(await done).toEqual(result);
});

test("a refusal reaches the caller", async () => {
  const refused = expect(notify(host, "a", "b")).rejects.toMatchObject({ problem: REFUSED });
  await refuse();
  await refused;
});

test.each([
  [200, { body: '{"a":"é"}' }, true, '{"a":"é"}'],
  [404, { body: "" }, false, ""],
  [200, { body_base64: "/wD+" }, true, "\ufffd\0\ufffd"],
])("a reply of %i with %j is ok: %s", async (status, body, ok, text) => {
  const done = fetchFrom(host, "https://a.test/", { method: "POST", headers: { accept: "*/*" }, body: "x" });
  const asked = await reply({ status, url: "https://b.test/", headers: { etag: "1" }, ...body });
  const request = { url: "https://a.test/", method: "POST", headers: { accept: "*/*" }, body: "x" };
  expect(asked).toEqual(["network.fetch", request]);
  const answer = await done;
  expect([answer.ok, answer.status, answer.url, answer.headers["etag"]]).toEqual([ok, status, "https://b.test/", "1"]);
  expect(answer.text()).toBe(text);
});

test("bytes and JSON are read from the body", async () => {
  const binary = fetchFrom(host, "https://a.test/");
  expect(await reply({ status: 200, url: "", headers: {}, body_base64: "/wD+" })).toEqual([
    "network.fetch",
    { url: "https://a.test/" },
  ]);
  expect([...(await binary).bytes()]).toEqual([255, 0, 254]);
  const text = fetchFrom(host, "https://a.test/");
  await reply({ status: 200, url: "", headers: {}, body: '{"n":1}' });
  expect((await text).json()).toEqual({ n: 1 });
});

test("a listener hears its topic alone, until it stops", async () => {
  const heard = vi.fn();
  const listening = bus.listen(host, "w/a/b:c", heard);
  expect(await reply(null)).toEqual(["bus.listen", { topic: "w/a/b:c" }]);
  const stop = await listening;
  stage.say({ kind: "event", topic: "w/a/b:other", data: 1 });
  stage.say({ kind: "event", topic: "w/a/b:c", data: 2 });
  await stage.settled();
  stop();
  stage.say({ kind: "event", topic: "w/a/b:c", data: 3 });
  await stage.settled();
  expect(heard.mock.calls).toEqual([[2]]);
});

test("who may not listen hears nothing", async () => {
  const heard = vi.fn();
  const refused = expect(bus.listen(host, "w/a/b:c", heard)).rejects.toMatchObject({ name: "CallRefused" });
  await refuse();
  await refused;
  stage.say({ kind: "event", topic: "w/a/b:c", data: 1 });
  await stage.settled();
  expect(heard).not.toHaveBeenCalled();
});

test.each<[string, (data: unknown, from: string) => unknown, unknown]>([
  ["a value", (data, from) => [data, from], { ok: true, value: [7, "w/a/b"] }],
  ["nothing", () => undefined, { ok: true, value: null }],
  ["a promise", () => Promise.resolve(1), { ok: true, value: 1 }],
  ["a rejection", () => Promise.reject(new Error("not today")), { ok: false, reason: "not today" }],
  [
    "more than 256 KiB",
    () => "x".repeat(256 * 1024),
    { ok: false, reason: "The answer has 262146 bytes as JSON; 262144 are allowed." },
  ],
])("a request that is answered by %s", async (_, answerer, outcome) => {
  const answering = bus.answer(host, "state", answerer);
  expect(await reply(null)).toEqual(["bus.answer", { topic: "state" }]);
  await answering;
  stage.say({ kind: "request", id: 9, topic: "w/moult/x:other", from: "w/a/b", data: 1 });
  stage.say({ kind: "request", id: 8, topic: "w/moult/x:state", from: "w/a/b", data: 7 });
  expect(await stage.next("answer")).toEqual({ kind: "answer", id: 8, ...(outcome as object) });
  await stage.settled();
  expect(stage.all("answer")).toEqual([]);
});

test("a shared value is told as it is, then as it changes", async () => {
  const seen = vi.fn();
  const observing = shared.observe(host, "w/a/b:n", seen);
  expect(await reply(1)).toEqual(["shared.get", { name: "w/a/b:n" }]);
  const stop = await observing;
  stage.say({ kind: "shared", name: "w/a/b:n", value: 2 });
  stage.say({ kind: "shared", name: "w/a/b:m", value: 3 });
  await stage.settled();
  stop();
  stage.say({ kind: "shared", name: "w/a/b:n", value: 4 });
  await stage.settled();
  expect(seen.mock.calls).toEqual([[1], [2]]);
});

test("a change that comes before the first value is the newer one", async () => {
  const seen = vi.fn();
  const observing = shared.observe(host, "w/a/b:n", seen);
  const { id } = await stage.next("call");
  stage.say({ kind: "shared", name: "w/a/b:n", value: 2 });
  stage.say({ kind: "reply", id, ok: true, value: 1 });
  await observing;
  await stage.settled();
  expect(seen.mock.calls).toEqual([[2]]);
});
