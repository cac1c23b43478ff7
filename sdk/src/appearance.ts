// The look that the host chose, put on the page's root where the style sheets find it. Knows no message and no widget.

import type { FrameTheme } from "./protocol.js";

/** Sets `data-theme`, `data-motion` and the colour scheme. */
export function applyTheme(document: Document, theme: FrameTheme, reducedMotion: boolean): void {
  const root = document.documentElement;
  root.dataset["theme"] = theme;
  root.dataset["motion"] = reducedMotion ? "reduced" : "full";
  // Frame and iframe must have one scheme, or the browser paints an opaque backdrop behind the page.
  root.style.colorScheme = theme === "light" ? "light" : "dark";
}

/** Sets the page's language. */
export function applyLocale(document: Document, locale: string): void {
  document.documentElement.lang = locale;
}

/** When two frames have been drawn, or the page is not being drawn at all (a minimised window draws none). */
export function twoFrames(scope: Window): Promise<void> {
  const drawn = new Promise<void>((resolve) => {
    scope.requestAnimationFrame(() => scope.requestAnimationFrame(() => resolve()));
  });
  const patience = scope.document.visibilityState === "hidden" ? 0 : UNDRAWN_MS;
  const undrawn = new Promise<void>((resolve) => scope.setTimeout(resolve, patience));
  return Promise.race([drawn, undrawn]);
}

/** A page that has drawn nothing for this long is taken for one that is not shown, in milliseconds. */
const UNDRAWN_MS = 1_000;
