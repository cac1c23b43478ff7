// The dial: a ring of ticks, those that are left in the accent. A tick changes when its time is over and never between.
// Knows shares and angles; knows no phase and no clock.

const SIZE = 148;
const OUTER = 72;
const INNER = 60;

/** A drawn dial. */
export interface Dial {
  svg: SVGSVGElement;
  /** Shows how much is left of `minutes`, from 1 to 0. */
  show(left: number, minutes: number): void;
}

/** How many ticks a phase has: one a minute, but never so few that the ring falls apart, nor so many that it fills. */
export function tickCount(minutes: number): number {
  const whole = Math.max(1, Math.round(minutes));
  if (whole > 60) return 60;
  return whole * Math.max(1, Math.ceil(20 / whole));
}

/** How many ticks are lit. One whose time has begun is; at the end none is. */
export function litTicks(left: number, count: number): number {
  return Math.min(count, Math.max(0, Math.ceil(left * count - 1e-9)));
}

export function createDial(): Dial {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
  svg.setAttribute("role", "img");
  svg.classList.add("dial");
  let lit = -1;

  return {
    svg,
    show(left, minutes) {
      const count = tickCount(minutes);
      if (svg.childElementCount !== count) {
        svg.replaceChildren(...Array.from({ length: count }, (_, index) => tick(index / count)));
        lit = -1;
      }
      const now = litTicks(left, count);
      if (now === lit) return;
      lit = now;
      // What is over lies at the beginning of the ring, clockwise from the top, as on a clock.
      [...svg.children].forEach((one, index) => one.classList.toggle("over", index < count - now));
    },
  };
}

function tick(share: number): SVGLineElement {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const angle = share * 2 * Math.PI;
  const [x, y] = [Math.sin(angle), -Math.cos(angle)];
  const ends = { x1: x * INNER, y1: y * INNER, x2: x * OUTER, y2: y * OUTER };
  for (const [name, value] of Object.entries(ends)) line.setAttribute(name, (value + SIZE / 2).toFixed(2));
  return line;
}
