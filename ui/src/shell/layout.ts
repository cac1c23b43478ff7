// Tells the host where the tiles' bodies and what covers them lie. It reads the page alone: `data-body` names a body,
// `data-cover` anything that must not be cut. Told only when something moved.

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
      return { instance: element.dataset["body"] ?? "", ...boxOf(element), ...(radius > 0 ? { radius } : {}) };
    });
    const covers = Array.from(document.querySelectorAll<HTMLElement>("[data-cover]"), boxOf);
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

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
