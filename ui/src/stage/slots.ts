// The places on the stage, and which frames hold each: one, or two while a version is swapped. It knows no message and no
// order.

import type { FramePhase } from "../protocol";
import type { Frame } from "./frame";
import type { SwapRun } from "./swap_driver";

/** A place for a frame: an instance of a widget, or the shell (`null`). */
export interface Slot {
  instance: string | null;
  /** The frame that the user has. */
  current: Frame;
  run: SwapRun | null;
  header: { title: string; aside: string } | null;
  phase: FramePhase;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The frames that hold a place. */
export function framesOf({ current, run }: Slot): Frame[] {
  return run ? [run.old, run.new] : [current];
}

export class Slots extends Map<string | null, Slot> {
  /** All frames, also those that are on their way in or out. */
  frames(): Frame[] {
    return [...this.values()].flatMap(framesOf);
  }

  /** Whether a frame holds its place, or is on its way in or out. */
  holds(frame: Frame): boolean {
    const slot = this.get(frame.load.instance);
    return slot !== undefined && (slot.current === frame || slot.run?.old === frame || slot.run?.new === frame);
  }

  /** The widgets' frames. */
  widgetFrames(): Frame[] {
    return this.frames().filter(({ isShell }) => !isShell);
  }

  /** The shell's frames. */
  shellFrames(): Frame[] {
    const slot = this.get(null);
    return slot ? framesOf(slot) : [];
  }

  /** The live frame in a place. */
  standing(instance: string | null): Frame | null {
    const slot = this.get(instance);
    return slot?.phase === "live" ? slot.current : null;
  }

  /** The live frames, each the one that the user has. */
  live(): Frame[] {
    return [...this.values()].filter(({ phase }) => phase === "live").map(({ current }) => current);
  }
}
