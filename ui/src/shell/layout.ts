// Tells the host where the tiles' bodies and what covers them lie. It reads the page alone: `data-body` names a body,
// `data-cover` anything that must not be cut, and its value the px around it. Told only when something moved.

import type { Body, Box } from "../protocol";

type Tell = (bodies: Body[], covers: Box[]) => void;

/** Watches the page. Returns what ends it. */
export function watchLayout(tell: Tell): () => void {
  let told = "";
  let waiting = false;

  function look(): void {
    waiting = false;
    const bodies = Array.from(document.querySelectorAll<HTMLElement>("[data-body]"), (element) => {
      const radius = Number(element.dataset["radius"] ?? 0);
      return { instance: element.dataset["body"] ?? "", ...snapped(boxOf(element)), ...(radius > 0 ? { radius } : {}) };
    });
    const covers = Array.from(document.querySelectorAll<HTMLElement>("[data-cover]"), (element) =>
      widened(boxOf(element), Number(element.dataset["cover"] ?? 0)),
    );
    const text = JSON.stringify([bodies, covers]);
    if (text === told) return;
    told = text;
    tell(bodies, covers);
  }

  function soon(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(look);
  }

  // A change of the page is looked at before it is painted, so that a menu and the hole behind it change together.
  const mutations = new MutationObserver(look);
  mutations.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const sizes = new ResizeObserver(look);
  sizes.observe(document.body);
  const moving = ["resize", "transitionend", "animationend"];
  for (const type of moving) addEventListener(type, soon);
  addEventListener("scroll", soon, { capture: true, passive: true });
  look();
  return () => {
    mutations.disconnect();
    sizes.disconnect();
    for (const type of moving) removeEventListener(type, soon);
    removeEventListener("scroll", soon, { capture: true });
  };
}

function boxOf(element: Element): Box {
  const { x, y, width, height } = element.getBoundingClientRect();
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

/** A box with its ring: what is drawn around an element is no part of its own box. */
function widened({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** The whole pixels of the screen inside a box. An edge across a pixel would let the ground shine through. */
function snapped({ x, y, width, height }: Box): Box {
  const scale = devicePixelRatio || 1;
  const up = (value: number) => Math.ceil(round(value * scale)) / scale;
  const down = (value: number) => Math.floor(round(value * scale)) / scale;
  const [left, top] = [up(x), up(y)];
  return { x: left, y: top, width: Math.max(0, down(x + width) - left), height: Math.max(0, down(y + height) - top) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
