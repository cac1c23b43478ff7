// What the user does in the frame that the stage must know: that there is input at all, and the keys that are the application's.
// Knows events; knows no message and no widget.

import { isTyping } from "./keys.js";
import { isEditable } from "./place.js";
import type { Chord } from "./protocol.js";

/** Input is told at most this often, in milliseconds. */
export const INPUT_EVERY_MS = 200;

/** Watches for input. */
export interface Activity {
  /** Whether an input method is composing. */
  composing(): boolean;
  stop(): void;
}

/** Tells of input: at once, then at most every 200 ms while it goes on, and at once when a composition begins or ends. */
export function watchActivity(scope: Window, tell: (composing: boolean) => void): Activity {
  let composing = false;
  let timer: number | null = null;
  let more = false;

  const rest = (): void => {
    timer = null;
    if (more) report();
  };
  const report = (): void => {
    more = false;
    tell(composing);
    timer = scope.setTimeout(rest, INPUT_EVERY_MS);
  };
  const seen = (event: Event): void => {
    // A pointer that only passes over is no input.
    if (isTyping() || (event.type === "pointermove" && (event as PointerEvent).buttons === 0)) return;
    const now = event.type === "compositionstart" || (composing && event.type !== "compositionend");
    const turned = now !== composing;
    composing = now;
    if (turned && timer !== null) {
      scope.clearTimeout(timer);
      timer = null;
    }
    if (timer === null) report();
    else more = true;
  };

  const types = ["keydown", "input", "pointerdown", "pointermove", "wheel", "paste", "drop"];
  types.push("compositionstart", "compositionupdate", "compositionend");
  const options = { capture: true, passive: true };
  for (const type of types) scope.addEventListener(type, seen, options);
  return {
    composing: () => composing,
    stop() {
      for (const type of types) scope.removeEventListener(type, seen, options);
      if (timer !== null) scope.clearTimeout(timer);
    },
  };
}

/** Tells of the application's own keys. A widget keeps one for itself with `preventDefault`. Returns what ends it. */
export function watchChords(scope: Window, tell: (chord: Chord) => void): () => void {
  const seen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const chord = chordOf(event);
    if (!chord) return;
    if (chord === "Ctrl+K") event.preventDefault();
    tell(chord);
  };
  // In the bubble phase: the widget's own listeners come first.
  scope.addEventListener("keydown", seen);
  return () => scope.removeEventListener("keydown", seen);
}

function chordOf(event: KeyboardEvent): Chord | null {
  const key = event.key.toLowerCase();
  const command = event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey;
  if (command && key === "k") return "Ctrl+K";
  const target = event.composedPath()[0];
  const typing = target instanceof Element && isEditable(target);
  if (command && key === "z" && !typing) return "Ctrl+Z";
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  if (key === "escape") return "Escape";
  return key === "e" && !typing ? "E" : null;
}
