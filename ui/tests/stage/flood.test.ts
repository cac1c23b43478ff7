import { describe, expect, it } from "vitest";

import { Flood, type Verdict } from "../../src/stage/flood";

/** Sends so many messages a millisecond for so long, and counts what became of them. */
function send(flood: Flood, perMs: number, ms: number, from = 0): Record<Verdict, number> {
  const verdicts = { read: 0, drop: 0, end: 0 };
  for (let at = from; at < from + ms; at += 1) {
    for (let index = 0; index < perMs; index += 1) {
      const verdict = flood.take(at);
      verdicts[verdict] += 1;
      if (verdict === "end") return verdicts;
    }
  }
  return verdicts;
}

describe("what a frame says", () => {
  it("is read up to a thousand a second, for as long as it likes", () => {
    expect(send(new Flood(), 1, 60_000)).toEqual({ read: 60_000, drop: 0, end: 0 });
  });

  it("is read up to two thousand at once, and the rest is dropped", () => {
    expect(send(new Flood(), 5000, 1)).toEqual({ read: 2000, drop: 3000, end: 0 });
  });

  it("may be a flood now and then", () => {
    const flood = new Flood();
    for (let burst = 0; burst < 5; burst += 1) expect(send(flood, 3000, 1, burst * 5000).end).toBe(0);
  });

  it("ends its frame when it floods for ten seconds", () => {
    const flood = new Flood();
    expect(send(flood, 2, 11_900).end).toBe(0);
    expect(send(flood, 2, 200, 11_900).end).toBe(1);
  });

  it("ends its frame at once when counting it holds up the others", () => {
    const verdicts = send(new Flood(), 1000, 1000);
    expect(verdicts).toMatchObject({ end: 1, drop: 11_999 });
  });
});
