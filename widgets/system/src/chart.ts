// A line through values over the last minute, as the path of an SVG. No DOM.

import { GAP_MS, SPAN_MS } from "./figures.js";
import type { Scale } from "./figures.js";

/** The size of the chart's own coordinates; it is stretched to the room it has. */
export const BOX = { width: 240, height: 64 } as const;

/** A value at a time, in milliseconds since 1970. */
export interface Point {
  at: number;
  value: number;
}

/** The line and the area under it, ending at `now` on the right. A lone point draws nothing. */
export function chartPaths(
  points: readonly Point[],
  { low, high }: Scale,
  now: number,
): { line: string; area: string } {
  const runs: Point[][] = [];
  let last: Point | undefined;
  for (const point of points) {
    if (last && point.at - last.at <= GAP_MS) runs.at(-1)?.push(point);
    else runs.push([point]);
    last = point;
  }
  const x = ({ at }: Point): string => fixed((1 - (now - at) / SPAN_MS) * BOX.width);
  const y = ({ value }: Point): string => {
    const share = (value - low) / (high - low || 1);
    return fixed((1 - Math.min(1, Math.max(0, share))) * BOX.height);
  };
  let [line, area] = ["", ""];
  for (const run of runs) {
    const [first, end] = [run[0], run.at(-1)];
    if (!first || !end || run.length < 2) continue;
    const drawn = `M${run.map((point) => `${x(point)} ${y(point)}`).join("L")}`;
    line += drawn;
    area += `${drawn}L${x(end)} ${BOX.height}L${x(first)} ${BOX.height}Z`;
  }
  return { line, area };
}

function fixed(value: number): string {
  return (Math.round(value * 10) / 10).toString();
}
