// How frames lie above each other and change places. A frame is never moved in the document: that would load it
// anew. Stacking is z-index alone. It knows no message.

import type { Frame } from "./frame";

/** The swap's fade in milliseconds: usual, and where the system asks for less motion. */
const FADE_MS = { full: 320, reduced: 90 };

/** A frame of the usual screen, in milliseconds. */
const FRAME_MS = 1000 / 60;

/** After so long the switch happens even if the screen asks for no frame, as in a hidden window; in milliseconds. */
const NO_FRAME_MS = 120;

const LEVEL = { under: "1", live: "2", over: "3" };

/** Calls back with the next frame of the screen, or soon if there is none. Returns what calls it off. */
export function atNextFrame(callback: () => void): () => void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    callback();
  };
  const timer = setTimeout(once, NO_FRAME_MS);
  requestAnimationFrame(once);
  return () => {
    done = true;
    clearTimeout(timer);
  };
}

/** Shows a frame that is alone in its place. */
export function stand(frame: Frame): void {
  frame.element.style.zIndex = LEVEL.live;
  show(frame);
  take(frame, true);
}

/** Lays a frame that is not ready yet where nobody sees it, but where it is painted and has its size. */
export function hide(frame: Frame): void {
  frame.element.style.zIndex = LEVEL.under;
  // What is under an opaque widget frame needs no hiding; the shell is transparent, and a first load has nothing above.
  if (frame.isShell || frame.state === "live") frame.element.style.opacity = "0";
  take(frame, false);
}

/** Puts `upper` before `lower`, as it was or as it will be, and lets it fade away: what is the same never flickers. */
export function fade(upper: Frame, lower: Frame, reducedMotion: boolean): void {
  stand(lower);
  // What never got ready has nothing to fade from.
  if (!upper.ready) return hide(upper);
  const { element } = upper;
  element.style.zIndex = LEVEL.over;
  take(upper, false);
  const duration = reducedMotion ? FADE_MS.reduced : FADE_MS.full;
  const animation = element.animate([{ opacity: 1 }, { opacity: 0 }], { duration, easing: "linear", fill: "forwards" });
  // An animation shows its first picture, which is no change at all, for one frame, and waits for another before that. The
  // new version is seen with the very next frame instead.
  const now = document.timeline?.currentTime;
  if (typeof now === "number") animation.startTime = now - FRAME_MS;
  const end = () => {
    // A frame that was called back meanwhile stands at another level and is left alone.
    if (element.style.zIndex !== LEVEL.over) return;
    element.style.zIndex = LEVEL.under;
    element.style.opacity = upper.isShell ? "0" : "";
    animation.cancel();
  };
  setTimeout(end, duration + 20);
}

function show({ element }: Frame): void {
  for (const animation of element.getAnimations()) animation.cancel();
  element.style.opacity = "";
}

function take({ element }: Frame, input: boolean): void {
  element.style.pointerEvents = input ? "" : "none";
  element.tabIndex = input ? 0 : -1;
}
