// The board's grid: how many columns a window has, and where tiles stand on them.
// Pure. The board is kept for 12 columns; for other counts the places are derived in reading order.

import type { Board, Cell, Size, Tile } from "../host/bindings";

/** The columns that the saved board counts with. */
export const BOARD_COLUMNS = 12;

/** Cells of a size on 12 columns. */
export const SIZES: Record<Size, { w: number; h: number }> = {
  s: { w: 2, h: 2 },
  m: { w: 4, h: 2 },
  l: { w: 4, h: 4 },
};

/** The columns for a window's width in CSS px. */
export function columnsFor(width: number): number {
  if (width >= 1680) return 16;
  if (width >= 1120) return 12;
  return width >= 760 ? 8 : 4;
}

/** The size with these cells, if it is one of the three. */
export function sizeOf({ w, h }: Cell): Size | null {
  const entry = Object.entries(SIZES).find(([, size]) => size.w === w && size.h === h);
  return (entry?.[0] as Size | undefined) ?? null;
}

/** Where each tile stands on `columns` columns, by instance. */
export function arrange(tiles: readonly Tile[], columns: number): Map<string, Cell> {
  if (columns === BOARD_COLUMNS) return new Map(tiles.map(({ instance, cell }) => [instance, cell]));
  const inOrder = [...tiles].sort((a, b) => a.cell.y - b.cell.y || a.cell.x - b.cell.x);
  const placed = new Map<string, Cell>();
  for (const { instance, cell } of inOrder) {
    placed.set(instance, firstFree([...placed.values()], columns, { w: Math.min(cell.w, columns), h: cell.h }));
  }
  return placed;
}

/** The first place in reading order where so many cells are free. There always is one: the board has no bottom. */
export function firstFree(taken: readonly Cell[], columns: number, { w, h }: { w: number; h: number }): Cell {
  const width = Math.min(w, columns);
  for (let y = 0; ; y += 1) {
    for (let x = 0; x + width <= columns; x += 1) {
      const cell = { x, y, w: width, h };
      if (!taken.some((other) => overlap(cell, other))) return cell;
    }
  }
}

/** The board with one tile in another size: at its place if it fits there, else at the first free one. */
export function resized(board: Board, instance: string, size: Size): Board {
  const others = board.tiles.filter((tile) => tile.instance !== instance).map(({ cell }) => cell);
  const tiles = board.tiles.map((tile) => {
    if (tile.instance !== instance) return tile;
    const wanted = { ...tile.cell, ...SIZES[size] };
    wanted.x = Math.min(wanted.x, BOARD_COLUMNS - wanted.w);
    const fits = !others.some((other) => overlap(wanted, other));
    return { ...tile, cell: fits ? wanted : firstFree(others, BOARD_COLUMNS, SIZES[size]) };
  });
  return { tiles };
}

/** The board without one tile. */
export function without(board: Board, instance: string): Board {
  return { tiles: board.tiles.filter((tile) => tile.instance !== instance) };
}

/** A tile for a widget in the first free place. `instance` must be new. */
export function newTile(board: Board, widget: string, instance: string, size: Size): Tile {
  const taken = board.tiles.map(({ cell }) => cell);
  return { instance, widget, cell: firstFree(taken, BOARD_COLUMNS, SIZES[size]) };
}

/** A name for a new instance: the widget's own name and the lowest free number. */
export function newInstance(board: Board, widget: string): string {
  const name = widget.split("/").at(-1) ?? widget;
  const taken = new Set(board.tiles.map(({ instance }) => instance));
  for (let number = 1; ; number += 1) {
    const instance = `${name}-${number}`;
    if (!taken.has(instance)) return instance;
  }
}

function overlap(a: Cell, b: Cell): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
