import { expect, test } from "vitest";

import { call, CallRefused, defineLogic, exported, log, now, random, say } from "../src/logic.js";
import type { LentHost, LogicDefinition } from "../src/logic.js";

interface Notes {
  lines: string[];
}

/** A host that notes what it is asked, and answers calls as told. */
function stage(answer: (capability: string, request: unknown) => unknown = () => null) {
  const said: unknown[] = [];
  const logged: string[] = [];
  const host: LentHost = {
    call: (capability, json) => JSON.stringify(answer(capability, JSON.parse(json))),
    say: (json) => said.push(JSON.parse(json)),
    now: () => 1_800_000_000_000n,
    random: (count) => new Uint8Array(count).fill(7),
    log: (line) => logged.push(line),
  };
  return { host, said, logged };
}

/** Logic that keeps lines, with some of it otherwise. */
function notes(host: LentHost, change: Partial<LogicDefinition<Notes>> = {}) {
  let kept: Notes = { lines: [] };
  const logic = defineLogic<Notes>({
    schema: 3,
    migrate: { 2: (data) => ({ lines: [data] }) },
    parse(data) {
      if (!Array.isArray((data as Partial<Notes>).lines)) throw new Error("There are no lines.");
      return data as Notes;
    },
    handle({ kind }) {
      if (kind) kept.lines.push(kind);
      return kept.lines.length;
    },
    snapshot: () => kept,
    restore(state) {
      kept = state;
    },
    ...change,
  });
  const world = exported(host, logic);
  world.init("{}");
  return world;
}

const bytes = (data: unknown) => new TextEncoder().encode(JSON.stringify(data));
const data = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

test("events and answers are JSON, and a state goes from one to the other", () => {
  const world = notes(stage().host);
  expect([world.handle('{"kind":"a"}'), world.handle('{"kind":"b"}')]).toEqual(["1", "2"]);
  const beside = notes(stage().host);
  beside.restore(world.snapshot(), 3);
  expect(data(beside.snapshot())).toEqual({ lines: ["a", "b"] });
});

test.each(["null", "7", '"text"', "[]"])("an event that is %s is handled like any other", (event) => {
  expect(notes(stage().host).handle(event)).toBe("0");
});

test("an answer that is nothing is null", () => {
  expect(notes(stage().host, { handle: () => undefined }).handle("{}")).toBe("null");
});

test("an older state takes its steps", () => {
  const world = notes(stage().host);
  world.restore(bytes("first"), 2);
  expect(data(world.snapshot())).toEqual({ lines: ["first"] });
});

test.each([
  ["of a schema without a step", bytes("x"), 1, "this version reads 2 to 3"],
  ["of a newer schema", bytes("x"), 4, "this version reads 2 to 3"],
  ["that is no such state", bytes({}), 3, "There are no lines."],
  ["that is no JSON", new Uint8Array([0xff]), 3, "JSON"],
])("a state %s is refused in words, and the one before stays", (_, state, schema, words) => {
  const { host, logged } = stage();
  const world = notes(host);
  world.handle('{"kind":"a"}');
  let refused: unknown;
  try {
    world.restore(state, schema);
  } catch (thrown) {
    refused = thrown;
  }
  // A text: what the engine takes for the error of the world.
  expect(refused).toEqual(expect.stringContaining(words));
  expect(data(world.snapshot())).toEqual({ lines: ["a"] });
  expect(logged).toEqual([]);
});

test("settings are there from the start", () => {
  const seen: unknown[] = [];
  const world = notes(stage().host, { start: (settings) => seen.push(settings) });
  world.init('{"goal":8}');
  expect(seen).toEqual([{}, { goal: 8 }]);
});

test("what the host lends is at hand", () => {
  const { host, said, logged } = stage((capability, request) => ({ capability, request }));
  notes(host);
  say({ tick: 1 });
  log("here");
  expect([said, logged]).toEqual([[{ tick: 1 }], ["here"]]);
  expect([now(), random(2)]).toEqual([1_800_000_000_000, new Uint8Array([7, 7])]);
  expect(call("storage.get", { key: "a" })).toEqual({ capability: "storage.get", request: { key: "a" } });
  expect(call("system.figures")).toEqual({ capability: "system.figures", request: {} });
});

test("a call that is refused throws the problem", () => {
  const problem = { code: "denied", happened: "No.", kept: "All.", advice: null, detail: "" };
  const { host } = stage();
  notes({
    ...host,
    call() {
      throw Object.assign(new Error("an error of the engine"), { payload: JSON.stringify(problem) });
    },
  });
  expect(() => call("network.fetch")).toThrow(CallRefused);
  expect(() => call("network.fetch")).toThrow("No.");
});

test("an error that nobody caught is left in the log and ends the logic", () => {
  const { host, logged } = stage();
  const world = notes(host, {
    handle() {
      throw new RangeError("too far");
    },
  });
  expect(() => world.handle("{}")).toThrow(RangeError);
  expect(logged).toEqual([expect.stringMatching(/^RangeError: too far\n.*logic\.test\.ts/s)]);
});
