// The keyboard on its way from the old frame to the new one. Keys travel as messages and focus does not, so a key that
// is typed into the new frame could overtake one that the old frame still forwards. Between the two, therefore, the
// stage itself has the keyboard: it lets go only when the old frame has nothing more to forward and the new frame has
// typed all that it was sent. It knows frames and keys, and nothing of a swap's judgement.

import type { KeyStroke } from "../protocol";
import type { Frame } from "./frame";

/** After so long the new frame gets the keyboard whatever is missing, in milliseconds. */
const LIMIT_MS = 300;

/** Keys that enter nothing and are not sent. */
const MODIFIERS = new Set(["Alt", "AltGraph", "CapsLock", "Control", "Fn", "Meta", "NumLock", "Shift"]);

/** An element of the page that takes keys while it has the focus. Nobody sees it. */
export function keyCatcher(caught: (stroke: KeyStroke) => void): HTMLElement {
  const catcher = document.createElement("div");
  catcher.tabIndex = -1;
  catcher.setAttribute("aria-hidden", "true");
  catcher.style.cssText = "position:fixed;width:0;height:0;outline:none";
  catcher.addEventListener("keydown", (event) => {
    if (MODIFIERS.has(event.key)) return;
    event.preventDefault();
    caught(strokeOf(event));
  });
  document.body.append(catcher);
  return catcher;
}

/** Hands the keyboard over. `typed` gets each key that the stage took meanwhile, in order. Returns what calls it off. */
export function handKeyboard(from: Frame, to: Frame, typed: (stroke: KeyStroke) => void): () => void {
  const caught: KeyStroke[] = [];
  const catcher = keyCatcher((stroke) => caught.push(stroke));
  catcher.focus({ preventScroll: true });

  let done = false;
  const end = () => {
    if (done) return false;
    done = true;
    clearTimeout(timer);
    for (const stroke of caught.splice(0)) typed(stroke);
    return true;
  };
  const finish = () => {
    const kept = document.activeElement === catcher;
    if (!end()) return;
    // Whoever took the focus meanwhile keeps it.
    if (kept) to.element.focus({ preventScroll: true });
    catcher.remove();
  };
  const timer = setTimeout(finish, LIMIT_MS);

  // A frame answers in turn. The old one's answer comes after its last forwarded key, the new one's after it has typed
  // what it was sent; once nothing was caught in between, no key is on its way any more.
  const settle = () => {
    if (done) return;
    for (const stroke of caught.splice(0)) typed(stroke);
    to.ask({ kind: "snapshot" }, () => (caught.length > 0 ? settle() : finish()));
  };
  from.ask({ kind: "snapshot" }, settle);

  return () => {
    if (end()) catcher.remove();
  };
}

/**
 * A key that came to the page itself: WebKit sends a key to the frame that had the focus when it was pressed, and that is
 * one message late; and while a frame with the focus is taken away, no frame has it. The key, to be given to whoever has
 * the keyboard; null for one that is the page's own.
 */
export function strayKey(event: KeyboardEvent): KeyStroke | null {
  const { target } = event;
  const nobodys = target === document.body || target === document.documentElement;
  if (!nobodys && !(target instanceof HTMLIFrameElement)) return null;
  return MODIFIERS.has(event.key) || event.key === "Tab" ? null : strokeOf(event);
}

function strokeOf({ key, code, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent): KeyStroke {
  const entersText = [...key].length === 1 && !ctrlKey && !metaKey && !altKey;
  return { key, code, text: entersText ? key : null, alt: altKey, ctrl: ctrlKey, meta: metaKey, shift: shiftKey };
}
