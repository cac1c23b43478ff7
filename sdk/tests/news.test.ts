import { afterEach, expect, test, vi } from "vitest";

import { connect } from "../src/connect.js";
import type { Host, Widget } from "../src/widget.js";
import { START, Stage, pause } from "./stage.js";

let stage: Stage;
let host: Host;
afterEach(() => stage.close());

async function started(more: Partial<Widget<null>> = {}, start = START): Promise<void> {
  host = connect<null>({ schema: 1, start: () => undefined, snapshot: () => null, ...more });
  stage = new Stage();
  stage.say(start);
  await stage.next("ready");
}

test("the settings are there at the start, and change as the user changes them", async () => {
  const start = vi.fn();
  await started({ start }, { ...START, settings: { seconds: true } });
  expect(start.mock.calls[0]?.[0].settings).toEqual({ seconds: true });
  expect(host.settings()).toEqual({ seconds: true });
  const listener = vi.fn(() => expect(host.settings()).toEqual({ seconds: false }));
  const stop = host.onSettings(listener);
  stage.say({ kind: "settings", settings: { seconds: false } });
  await stage.settled();
  stop();
  stage.say({ kind: "settings", settings: { seconds: true } });
  await stage.settled();
  expect(listener.mock.calls).toEqual([[{ seconds: false }]]);
});

test("a host that knows no settings gives none", async () => {
  await started();
  expect(host.settings()).toEqual({});
});

test("settings that change while the widget starts are told when it has started", async () => {
  const told: string[] = [];
  host = connect<null>({
    schema: 1,
    async start() {
      await pause(20);
      told.push("started");
    },
    snapshot: () => null,
  });
  host.onSettings(() => told.push("changed"));
  stage = new Stage();
  stage.say(START);
  stage.say({ kind: "settings", settings: {} });
  await stage.next("ready");
  expect(told).toEqual(["started", "changed"]);
});

test("an event to the logic is a call, and what the logic says is heard", async () => {
  await started();
  const listener = vi.fn();
  host.onLogic(listener);
  const answer = host.logic({ press: 1 });
  const call = await stage.next("call");
  expect(call).toMatchObject({ capability: "logic", request: { press: 1 } });
  stage.say({ kind: "reply", id: call.id, ok: true, value: "pressed" });
  stage.say({ kind: "logic", event: { tick: 2 } });
  expect(await answer).toBe("pressed");
  await stage.settled();
  expect(listener).toHaveBeenCalledWith({ tick: 2 });
});

test("a listener that throws is told of and keeps nothing from the next", async () => {
  await started();
  const next = vi.fn();
  host.onLogic(() => {
    throw new RangeError("broken");
  });
  host.onLogic(next);
  stage.say({ kind: "logic", event: 1 });
  expect((await stage.next("error")).message).toBe("RangeError: broken");
  expect(next).toHaveBeenCalledWith(1);
});

test("each state says how much news it contains, and the one of a freeze contains all that came before", async () => {
  let sum = 0;
  await started({ snapshot: () => null });
  host.hear("event", ({ data }) => {
    sum += data as number;
    if (sum === 1) host.changed();
  });
  const event = (data: number) => stage.say({ kind: "event", topic: "w/moult/a:b", data });
  event(1);
  expect((await stage.next("state")).heard).toBe(1);
  event(2);
  event(3);
  stage.say({ kind: "freeze", id: 1 });
  expect((await stage.next("frozen")).heard).toBe(3);
  stage.say({ kind: "thaw" });
  stage.say({ kind: "settings", settings: {} });
  stage.say({ kind: "snapshot", id: 2 });
  expect((await stage.next("snapshot")).heard).toBe(3);
  expect(sum).toBe(6);
});
