// News that are one frame's alone: values of other widgets, and words of its load's logic. While a swap switches they are
// held, so that the version that goes on hears them after the state that it takes over. Events and requests are a place's,
// and the swap machine's business. It knows frames and an order, and not what any news means.

import type { NewsMessage } from "../protocol";
import type { Frame } from "./frame";

/** The most news held for one frame. A swap switches for half a second; a trial lasts longer, and the old version waits. */
const HELD = 1000;

export class News {
  readonly #held = new Map<Frame, NewsMessage[]>();

  /** Hands news to a frame, or keeps them for it. */
  tell(frame: Frame, news: NewsMessage): void {
    const held = this.#held.get(frame);
    if (!held) return frame.send(news);
    held.push(news);
    if (held.length > HELD) held.shift();
  }

  /** From now on these hear nothing until it is decided which of them goes on. */
  hold(...frames: Frame[]): void {
    for (const frame of frames) if (!this.#held.has(frame)) this.#held.set(frame, []);
  }

  /**
   * This one goes on: it hears what was held for it, in order. Before that the words of logic that were held for the one
   * whose state it took over: they are not in that state, and the logic that said them says nothing more. They stay held for
   * that one too, which may come back.
   */
  release(frame: Frame, before: Frame = frame): void {
    const words = before === frame ? [] : (this.#held.get(before) ?? []).filter(({ kind }) => kind === "logic");
    const held = this.#held.get(frame) ?? [];
    this.#held.delete(frame);
    for (const news of [...words, ...held]) frame.send(news);
  }

  /** This one is gone. */
  drop(frame: Frame): void {
    this.#held.delete(frame);
  }
}
