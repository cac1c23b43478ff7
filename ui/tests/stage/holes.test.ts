import { describe, expect, it } from "vitest";

import type { Box } from "../../src/protocol";
import { clipPath, difference, subtract } from "../../src/stage/holes";

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });
const area = (boxes: Box[]) => boxes.reduce((sum, { width, height }) => sum + width * height, 0);

describe("a hole less a cover", () => {
  it.each<[string, Box, Box[]]>([
    ["beside it", box(200, 0, 10, 10), [box(0, 0, 100, 100)]],
    ["touching its edge", box(100, 0, 10, 100), [box(0, 0, 100, 100)]],
    ["over all of it", box(-5, -5, 200, 200), []],
    [
      "in its middle",
      box(40, 40, 20, 20),
      [box(0, 0, 100, 40), box(0, 60, 100, 40), box(0, 40, 40, 20), box(60, 40, 40, 20)],
    ],
    ["over its upper half", box(-10, -10, 200, 60), [box(0, 50, 100, 50)]],
    ["over its right edge", box(80, 20, 50, 20), [box(0, 0, 100, 20), box(0, 40, 100, 60), box(0, 20, 80, 20)]],
    ["with no area", box(50, 50, 0, 10), [box(0, 0, 100, 100)]],
  ])("%s", (_, cover, expected) => {
    expect(subtract(box(0, 0, 100, 100), cover)).toEqual(expected);
  });

  it("keeps exactly what no cover takes, and nothing twice", () => {
    const covers = [box(10, 10, 50, 50), box(40, 40, 50, 50), box(0, 90, 100, 10)];
    const parts = difference(box(0, 0, 100, 100), covers);
    // 10,000 less 2,500, 2,500 and 1,000, and what two of them share is taken once.
    expect(area(parts)).toBe(10_000 - (2500 + 2500 - 400) - 1000);
    for (const [index, part] of parts.entries()) {
      expect(parts.slice(index + 1).every((other) => subtract(part, other)[0] === part)).toBe(true);
    }
  });
});

describe("the clip path", () => {
  it("is the whole window where nothing is to be seen through", () => {
    expect(clipPath(800, 600, [], [])).toBe('path(evenodd, "M0 0H800V600H0Z")');
  });

  it("cuts a hole, and rounds its corners if it is whole", () => {
    expect(clipPath(800, 600, [box(10, 20, 30, 40)], [])).toContain("M10 20h30v40h-30Z");
    expect(clipPath(800, 600, [{ ...box(10, 20, 30, 40), radius: 5 }], [])).toContain("M15 20h20a5 5 0 0 1 5 5v30");
    expect(clipPath(800, 600, [{ ...box(10, 20, 30, 40), radius: 5 }], [box(0, 0, 20, 30)])).not.toContain("a5");
  });

  it("leaves a covered hole closed", () => {
    expect(clipPath(800, 600, [box(10, 20, 30, 40)], [box(0, 0, 800, 600)])).toBe('path(evenodd, "M0 0H800V600H0Z")');
  });

  it("writes fractions short", () => {
    expect(clipPath(800.5, 600, [box(1 / 3, 2, 3, 4)], [])).toBe('path(evenodd, "M0 0H800.5V600H0ZM0.33 2h3v4h-3Z")');
  });
});
