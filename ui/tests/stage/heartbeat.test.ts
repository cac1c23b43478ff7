import { describe, expect, it } from "vitest";

import type { Frame } from "../../src/stage/frame";
import { Pulses } from "../../src/stage/heartbeat";

function frame(instance: string, more: Partial<Frame> = {}): Frame {
  const element = document.createElement("div");
  return { load: { instance }, element, ready: true, state: "live", heardAt: 0, ...more } as unknown as Frame;
}

describe("a beat", () => {
  it("says who was at work since the one before, who loads, and who has the keyboard", () => {
    const frames = [frame("a", { heardAt: 5 }), frame("b", { ready: false }), frame("b", { state: "outgoing" })];
    const pulses = new Pulses({ widgetFrames: () => frames, keyboard: "a" });
    expect(pulses.take(10)).toMatchObject({ active: ["a", "b"], loading: ["b"], keyboard: "a", hidden: false });
    expect(pulses.take(20).active).toEqual([]);
    frames[1]!.heardAt = 25;
    expect(pulses.take(30).active).toEqual(["b"]);
  });

  it("says where widgets lie only when that has changed, and leaves out what is not seen", () => {
    const frames = [frame("a"), frame("b")];
    const pulses = new Pulses({ widgetFrames: () => frames, keyboard: null });
    expect(pulses.take(10).places?.map(({ instance }) => instance)).toEqual(["a", "b"]);
    expect(pulses.take(20).places).toBeNull();
    frames[1]!.element.style.visibility = "hidden";
    expect(pulses.take(30).places?.map(({ instance }) => instance)).toEqual(["a"]);
  });
});
