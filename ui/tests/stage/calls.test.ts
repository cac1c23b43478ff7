import { describe, expect, it } from "vitest";

import { acts } from "../../src/stage/calls";

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
