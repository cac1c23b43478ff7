import { describe, expect, it } from "vitest";

import type { Board, Cell } from "../../src/host/bindings";
import { arrange, columnsFor, firstFree, newInstance, newTile, resized, sizeOf, without } from "../../src/state/grid";

const cell = (x: number, y: number, w: number, h: number): Cell => ({ x, y, w, h });
const board = (...cells: Cell[]): Board => ({
  tiles: cells.map((cell, index) => ({ instance: `clock-${index + 1}`, widget: "moult/clock", cell })),
});

it.each([
  [320, 4],
  [759, 4],
  [760, 8],
  [1119, 8],
  [1120, 12],
  [1679, 12],
  [1680, 16],
])("a window of %s px has %s columns", (width, columns) => {
  expect(columnsFor(width)).toBe(columns);
});

describe("arranging", () => {
  const desk = board(cell(0, 0, 4, 2), cell(4, 0, 4, 4), cell(8, 0, 4, 2), cell(0, 2, 4, 4));

  it("keeps the saved places on 12 columns", () => {
    expect([...arrange(desk.tiles, 12).values()]).toEqual(desk.tiles.map(({ cell }) => cell));
  });

  it.each([4, 8, 16])("overlaps nothing and leaves no column on %s columns", (columns) => {
    const cells = [...arrange(desk.tiles, columns).values()];
    const taken = cells.flatMap(({ x, y, w, h }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(taken).size).toBe(taken.length);
    expect(cells.every(({ x, w }) => x >= 0 && x + w <= columns)).toBe(true);
  });

  it("keeps the reading order on fewer columns", () => {
    const order = [...arrange(desk.tiles, 4).entries()].sort(([, a], [, b]) => a.y - b.y).map(([instance]) => instance);
    expect(order).toEqual(["clock-1", "clock-2", "clock-3", "clock-4"]);
  });
});

it("finds the first gap in reading order", () => {
  expect(firstFree([], 12, { w: 4, h: 2 })).toEqual(cell(0, 0, 4, 2));
  expect(firstFree([cell(0, 0, 4, 2), cell(8, 0, 4, 2)], 12, { w: 4, h: 2 })).toEqual(cell(4, 0, 4, 2));
  expect(firstFree([cell(0, 0, 12, 2)], 12, { w: 2, h: 2 })).toEqual(cell(0, 2, 2, 2));
  expect(firstFree([], 2, { w: 4, h: 2 })).toEqual(cell(0, 0, 2, 2));
});

describe("a tile in another size", () => {
  it("stays where it is if it fits there", () => {
    expect(resized(board(cell(0, 0, 4, 2)), "clock-1", "l").tiles[0]?.cell).toEqual(cell(0, 0, 4, 4));
  });

  it("goes to the first free place if it does not", () => {
    const after = resized(board(cell(0, 0, 4, 2), cell(0, 2, 4, 2)), "clock-1", "l");
    expect(after.tiles[0]?.cell).toEqual(cell(4, 0, 4, 4));
  });

  it("does not hang over the edge", () => {
    expect(resized(board(cell(10, 0, 2, 2)), "clock-1", "m").tiles[0]?.cell).toEqual(cell(8, 0, 4, 2));
  });
});

it("knows a size by its cells", () => {
  expect(sizeOf(cell(3, 3, 2, 2))).toBe("s");
  expect(sizeOf(cell(3, 3, 3, 2))).toBeNull();
});

it("adds a tile under a name that is free, and takes one off", () => {
  const desk = board(cell(0, 0, 4, 2));
  expect(newInstance(desk, "moult/clock")).toBe("clock-2");
  expect(newTile(desk, "moult/clock", "clock-2", "s").cell).toEqual(cell(4, 0, 2, 2));
  expect(without(desk, "clock-1").tiles).toEqual([]);
});
