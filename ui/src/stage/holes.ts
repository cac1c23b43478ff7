// Where the shell lets the widgets be seen: holes in its clip path, less what covers them.
// Pure: rectangles in CSS px go in, a path comes out. It knows no element.

import type { Box } from "../protocol";

/** A hole, with the radius of its corners. */
export interface Hole extends Box {
  radius?: number;
}

/** The parts of `box` that `cover` leaves over: at most four, which do not overlap. */
export function subtract(box: Box, cover: Box): Box[] {
  const left = Math.max(box.x, cover.x);
  const top = Math.max(box.y, cover.y);
  const right = Math.min(box.x + box.width, cover.x + cover.width);
  const bottom = Math.min(box.y + box.height, cover.y + cover.height);
  if (left >= right || top >= bottom) return [box];
  const parts = [
    { x: box.x, y: box.y, width: box.width, height: top - box.y },
    { x: box.x, y: bottom, width: box.width, height: box.y + box.height - bottom },
    { x: box.x, y: top, width: left - box.x, height: bottom - top },
    { x: right, y: top, width: box.x + box.width - right, height: bottom - top },
  ];
  return parts.filter((part) => part.width > 0 && part.height > 0);
}

/** The parts of `box` that all of `covers` leave over. */
export function difference(box: Box, covers: readonly Box[]): Box[] {
  return covers.reduce<Box[]>((parts, cover) => parts.flatMap((part) => subtract(part, cover)), [box]);
}

/** The clip path of the shell's frame: the window less the open parts of the holes. */
export function clipPath(width: number, height: number, holes: readonly Hole[], covers: readonly Box[]): string {
  const path = holes.flatMap((hole) => {
    const parts = difference(hole, covers);
    const whole = parts.length === 1 && parts[0] === hole;
    return parts.map((part) => outline(part, whole ? (hole.radius ?? 0) : 0));
  });
  return `path(evenodd, "M0 0H${number(width)}V${number(height)}H0Z${path.join("")}")`;
}

function outline({ x, y, width, height }: Box, radius: number): string {
  const r = Math.min(radius, width / 2, height / 2);
  if (r <= 0) return `M${number(x)} ${number(y)}h${number(width)}v${number(height)}h${number(-width)}Z`;
  const across = number(width - 2 * r);
  const down = number(height - 2 * r);
  const corner = (dx: number, dy: number) => `a${number(r)} ${number(r)} 0 0 1 ${number(dx)} ${number(dy)}`;
  return (
    `M${number(x + r)} ${number(y)}h${across}${corner(r, r)}v${down}${corner(-r, r)}` +
    `h-${across}${corner(-r, -r)}v-${down}${corner(r, -r)}Z`
  );
}

/** A number as short as it can be to a hundredth of a px. */
function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}
