import { describe, expect, it } from "vitest";

import { MAX_STATE_BYTES, MAX_VALUE_BYTES } from "../../src/protocol";
import { readFrameMessage, stateBytes } from "../../src/stage/messages";

const CIRCLE: Record<string, unknown> = {};
CIRCLE["self"] = CIRCLE;

describe("what a frame posts", () => {
  it.each([
    ["nothing", null],
    ["a word", "ready"],
    ["no kind", { token: "x" }],
    ["an unknown kind", { kind: "invoke", command: "stage_open" }],
    ["a state without a schema", { kind: "state", state: { data: 1 } }],
    ["a state with a broken schema", { kind: "state", state: { schema: 1.5, data: 1 } }],
    ["a state above the limit", { kind: "state", state: { schema: 1, data: "x".repeat(MAX_STATE_BYTES) } }],
    ["a state that is no JSON", { kind: "state", state: { schema: 1, data: CIRCLE } }],
    ["a call without a number", { kind: "call", capability: "system.figures" }],
    ["a chord that is not the application's", { kind: "chord", key: "Ctrl+Q" }],
    ["a key without a name", { kind: "key", event: {} }],
    ["an answer without a number", { kind: "answer", ok: true, value: 1 }],
    ["an answer that is neither", { kind: "answer", id: 1, ok: 1, value: 1 }],
    ["an answer above the limit", { kind: "answer", id: 1, ok: true, value: "x".repeat(MAX_VALUE_BYTES) }],
    ["an answer that is no JSON", { kind: "answer", id: 1, ok: true, value: CIRCLE }],
  ])("is no message: %s", (_, data) => {
    expect(readFrameMessage(data, true)).toBeNull();
  });

  it.each([
    ["a layout", { kind: "layout", bodies: [], covers: [] }],
    ["a command", { kind: "command", id: 1, command: { kind: "restart_now" } }],
  ])("is a message only from the shell: %s", (_, data) => {
    expect(readFrameMessage(data, true)).toMatchObject(data);
    expect(readFrameMessage(data, false)).toBeNull();
  });

  it("loses the rectangles that are none", () => {
    const body = { instance: "a", x: 1, y: 2, width: 3, height: 4 };
    const broken = [{ ...body, x: NaN }, { ...body, width: "3" }, { x: 1, y: 2, width: 3, height: 4 }, null];
    expect(readFrameMessage({ kind: "layout", bodies: [body, ...broken], covers: 7 }, true)).toEqual({
      kind: "layout",
      bodies: [body],
      covers: [],
    });
  });

  it("is cut where a header would be longer than a tile", () => {
    const message = readFrameMessage({ kind: "header", title: "x".repeat(10_000), aside: 5 }, false);
    expect(message).toEqual({ kind: "header", title: "x".repeat(120), aside: "" });
  });

  it.each([
    [
      { ok: true, value: [1] },
      { ok: true, value: [1] },
    ],
    [{ ok: true }, { ok: true, value: null }],
    [
      { ok: true, value: "x".repeat(MAX_VALUE_BYTES - 2) },
      { ok: true, value: "x".repeat(MAX_VALUE_BYTES - 2) },
    ],
    [
      { ok: false, reason: "busy", value: 1 },
      { ok: false, reason: "busy" },
    ],
    [
      { ok: false, reason: "x".repeat(5000) },
      { ok: false, reason: "x".repeat(1000) },
    ],
    [{ ok: false }, { ok: false, reason: "" }],
  ])("answers a request with what the contract knows", (answer, read) => {
    expect(readFrameMessage({ kind: "answer", id: 4, ...answer }, false)).toEqual({ kind: "answer", id: 4, ...read });
  });

  it("has its state counted in bytes of UTF-8", () => {
    expect(stateBytes({ schema: 1, data: "é" })).toBe(4);
    expect(stateBytes(null)).toBe(0);
  });
});
