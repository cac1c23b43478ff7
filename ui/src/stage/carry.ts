// The stage's part when one process hands over to the next: the old stage holds still and says all that it had, also
// what was typed and not saved; the new stage takes it over. It knows frames and messages, and not how any of it
// travels from one process to the other.

import type { Carried, CarriedFrame, CarriedKey, StageReport } from "../host/bindings";
import type { Focus, KeyStroke, Scroll } from "../protocol";
import type { Frame } from "./frame";

/** How often the old stage looks whether the user pauses, in milliseconds. */
const LOOK_MS = 20;

/** How long a frame may take to hold still, in milliseconds. One that takes longer is left with its saved state. */
const FREEZE_MS = 500;

/** How long a frame may take to restore, in milliseconds. */
const RESTORE_MS = 1000;

/** How long the last states may take to the disk before they go on all the same, in milliseconds: the other has them too. */
const SAVE_MS = 500;

/**
 * How long the frame with the keyboard holds its own keys back, in milliseconds. The old page's last keys come until the
 * old process has heard that this window is on top and has answered: 0.2 s, and longer on a busy machine.
 */
const HOLD_MS = 1000;

type Report = (report: StageReport) => void;

/** Whether nobody has typed or clicked for so long, and nothing is being composed. */
export function isQuiet(frames: readonly Frame[], now: number, quietMs: number): boolean {
  return frames.every(({ composing, inputAt }) => !composing && now - inputAt >= quietMs);
}

/** A stage that is to hold still, from the wish to the thaw. */
export class Holding {
  readonly #frames: () => Frame[];
  readonly #report: Report;
  readonly #save: (frames: readonly CarriedFrame[]) => Promise<void>;
  readonly #held: Frame[] = [];
  /** Keys that came while the frames froze, and go with them. */
  readonly #early: CarriedKey[] = [];
  /** All keys that the frames cancelled, for the thaw. */
  readonly #cancelled = new Map<Frame, KeyStroke[]>();
  #at: "waiting" | "freezing" | "frozen" | "over" = "waiting";

  /** `save` resolves when the states are on the disk. */
  constructor(frames: () => Frame[], report: Report, save: (frames: readonly CarriedFrame[]) => Promise<void>) {
    this.#frames = frames;
    this.#report = report;
    this.#save = save;
  }

  /** Waits for a pause, then freezes every frame and reports what they had. */
  begin(quietMs: number, patienceMs: number): void {
    const latest = performance.now() + patienceMs;
    const look = () => {
      if (this.#at !== "waiting") return;
      const [frames, now] = [this.#frames(), performance.now()];
      const composing = frames.some((frame) => frame.composing);
      if (isQuiet(frames, now, quietMs) || (now >= latest && !composing)) void this.#freeze(frames);
      else setTimeout(look, LOOK_MS);
    };
    look();
  }

  /** A key that a frame cancelled because it holds still, or that came to the page itself. */
  key(frame: Frame, stroke: KeyStroke): void {
    if (this.#at === "over") return;
    this.#cancelled.set(frame, [...(this.#cancelled.get(frame) ?? []), stroke]);
    const key = { instance: frame.load.instance, key: stroke };
    if (this.#at === "frozen") this.#report({ kind: "keys", keys: [key] });
    else this.#early.push(key);
  }

  /** Goes on as if nothing had been, with what was typed meanwhile. */
  thaw(): void {
    this.#at = "over";
    for (const frame of this.#held) frame.send({ kind: "thaw", keys: this.#cancelled.get(frame) ?? [] });
  }

  async #freeze(frames: Frame[]): Promise<void> {
    this.#at = "freezing";
    this.#held.push(...frames);
    const answers = (await Promise.all(frames.map(freeze))).filter((answer) => answer !== null);
    await Promise.race([this.#save(answers), new Promise((resolve) => setTimeout(resolve, SAVE_MS))]);
    if (this.#at !== "freezing") return;
    this.#at = "frozen";
    this.#report({ kind: "frozen", carried: { frames: answers, keys: this.#early.splice(0) } });
  }
}

function freeze(frame: Frame): Promise<CarriedFrame | null> {
  const { instance } = frame.load;
  const keyboard = frame.focused;
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), FREEZE_MS);
    frame.ask({ kind: "freeze" }, (answer) => {
      if (answer.kind !== "frozen") return;
      const { state, focus, scroll } = answer;
      resolve({ instance, state, focus, scroll, keyboard });
    });
  });
}

/** Gives the frames what their predecessors in the other process had. Resolves when they stand, or at the limit. */
export async function carry(carried: Carried, frameOf: (instance: string | null) => Frame | null): Promise<void> {
  const restored = carried.frames.map(({ instance, state, focus, scroll, keyboard }) => {
    const frame = frameOf(instance);
    if (!frame) return Promise.resolve();
    // Only a page that has the keyboard may give it to one of its frames; if it comes later, the frame asks again.
    if (keyboard) frame.element.focus({ preventScroll: true });
    const keys = keysOf(carried.keys, instance);
    return new Promise<void>((resolve) => {
      setTimeout(resolve, RESTORE_MS);
      const place = { focus: focus as Focus | null, scroll: scroll as Scroll[] };
      frame.ask({ kind: "restore", state, ...place, keys, hold_ms: HOLD_MS }, () => resolve());
    });
  });
  // A frame that did not answer has no line of its own here; its keys are not lost with it.
  const answered = new Set(carried.frames.map(({ instance }) => instance));
  typeKeys(
    carried.keys.filter(({ instance }) => !answered.has(instance)),
    frameOf,
  );
  await Promise.all(restored);
}

/** Types keys into the frames that they were meant for, in order. */
export function typeKeys(keys: readonly CarriedKey[], frameOf: (instance: string | null) => Frame | null): void {
  for (const { instance, key } of keys) frameOf(instance)?.send({ kind: "keys", keys: [key as KeyStroke] });
}

function keysOf(keys: readonly CarriedKey[], instance: string | null): KeyStroke[] {
  return keys.filter((key) => key.instance === instance).map(({ key }) => key as KeyStroke);
}
