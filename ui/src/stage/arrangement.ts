// Where frames lie and what of them is seen, as the shells say. It knows boxes and frames, and no message but the layout.

import type { Body, Box } from "../protocol";
import type { Frame } from "./frame";
import { clipPath, difference } from "./holes";

/** What a shell says: where the bodies of tiles lie, and what covers them. */
export interface Layout {
  bodies: Body[];
  covers: Box[];
}

export class Arrangement {
  /** The last layout of each shell frame; each is cut by its own. */
  readonly #layouts = new WeakMap<Frame, Layout>();

  set(shell: Frame, { bodies, covers }: Layout): void {
    this.#layouts.set(shell, { bodies, covers });
  }

  /** Cuts a shell's frame where a live widget is to be seen. */
  cut(shell: Frame, isLive: (instance: string) => boolean): void {
    const layout = this.#layouts.get(shell);
    if (!layout) return;
    const holes = layout.bodies.filter(({ instance }) => isLive(instance));
    shell.element.style.clipPath = clipPath(innerWidth, innerHeight, holes, layout.covers);
  }

  /** Lays the widgets among `frames` where this shell has them. */
  place(shell: Frame, frames: readonly Frame[]): void {
    const layout = this.#layouts.get(shell);
    if (!layout) return;
    for (const frame of frames) {
      if (!frame.isShell) placeFrame(frame, layout);
    }
  }
}

function placeFrame(frame: Frame, { bodies, covers }: Layout): void {
  const body = bodies.find(({ instance }) => instance === frame.load.instance);
  // Without a place it keeps its last one, unseen: a later layout may name it again.
  frame.element.style.visibility = body ? "" : "hidden";
  if (!body) return;
  frame.place(body, body.radius ?? 0);
  // What is covered is closed to the keyboard as well.
  frame.element.inert = difference(body, covers).length === 0;
}
