// News for frames on their way: events, requests and values of other widgets, and words of a frame's logic. While a swap
// switches they are held, so that each version that goes on hears each once, after the state that it takes over.
// It knows frames and an order, and not what any news means.

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

  /** This one goes on: it hears what was held for it, in order. */
  release(frame: Frame): void {
    const held = this.#held.get(frame) ?? [];
    this.#held.delete(frame);
    for (const news of held) frame.send(news);
  }

  /** This one is gone. */
  drop(frame: Frame): void {
    this.#held.delete(frame);
  }
}
