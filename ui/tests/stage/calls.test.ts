import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { acts, call } from "../../src/stage/calls";
import type { Frame } from "../../src/stage/frame";
import type { Native } from "../../src/stage/native";
import { Slices } from "../../src/stage/slices";

describe("a call", () => {
  it.each([
    ["notifications.show", {}],
    ["clipboard.write", {}],
    ["open.url", {}],
    ["bus.publish", {}],
    ["bus.ask", {}],
    ["shared.set", {}],
    ["storage.set", {}],
    ["storage.delete", {}],
    ["timers.set", {}],
    ["timers.clear", {}],
    ["network.fetch", { method: "POST" }],
    ["network.fetch", { method: "get" }],
    ["network.fetch", { method: null }],
  ])("%s acts", (call, request) => expect(acts(call, request)).toBe(true));

  it.each([
    ["system.figures", {}],
    ["storage.get", {}],
    ["storage.keys", {}],
    ["shared.get", {}],
    ["bus.listen", {}],
    ["bus.answer", {}],
    ["logic", { do: "anything" }],
    ["network.fetch", {}],
    ["network.fetch", null],
    ["network.fetch", { method: "GET" }],
    ["network.fetch", { method: "HEAD" }],
  ])("%s reads", (call, request) => expect(acts(call, request)).toBe(false));
});

describe("many calls at once", () => {
  let begun: string[];
  let replies: { id: number; ok: boolean; error?: { code: string } }[];
  let frame: Frame;

  /** A native side that never answers. */
  const native = {
    capability: (_token: string, capability: string) => {
      begun.push(capability);
      return new Promise(() => {});
    },
  } as unknown as Native;

  beforeEach(() => {
    vi.useFakeTimers();
    [begun, replies] = [[], []];
    frame = {
      load: { subject: "w/a/b", version: "1.0.0", token: "t" },
      state: "live",
      granted: ["storage"],
      calls: 0,
      focused: false,
      element: document.createElement("iframe"),
      begins: new Slices<() => void>(8, (begin) => begin()),
      send: (message: (typeof replies)[number]) => replies.push(message),
    } as unknown as Frame;
  });
  afterEach(() => vi.useRealTimers());

  it("are begun a few at a time, and one that takes long holds up no other", async () => {
    for (let id = 0; id < 20; id += 1) void call(native, frame, id, "storage.get", {});
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.length).toBe(8);
    await vi.advanceTimersByTimeAsync(16);
    expect(begun.length).toBe(16);
    await vi.advanceTimersByTimeAsync(16);
    expect(begun.length).toBe(20);
  });

  it("do nothing if the frame gave way to another before their turn", async () => {
    for (let id = 0; id < 9; id += 1) void call(native, frame, id, "storage.set", {});
    await vi.advanceTimersByTimeAsync(0);
    frame.state = "outgoing";
    await vi.advanceTimersByTimeAsync(16);
    expect(begun.length).toBe(8);
    expect(replies.map(({ id, error }) => [id, error?.code])).toEqual([[8, "cancelled"]]);
  });
});
