// How much a frame may say. Pure: it is told of each message by the clock, and says what becomes of it.
// A flood is dropped unread, since reading is what costs; one that goes on ends its frame.

/** Messages in a second, on average. */
const RATE = 1000;

/** Messages at once. */
const BURST = 2000;

/** For how long a flood may go on before its frame is ended, in milliseconds. */
const PATIENCE_MS = 10_000;

/** A flood is over when nothing was dropped for so long, in milliseconds. */
const CALM_MS = 1000;

/** So many dropped messages without a calm end the frame at once: only counting them holds up the others. */
const TORRENT = 12_000;

/** What becomes of a message. */
export type Verdict = "read" | "drop" | "end";

export class Flood {
  #left = BURST;
  #at = 0;
  /** When the first message of this flood was dropped, when the last, and how many. */
  #began: number | null = null;
  #lastDrop = 0;
  #dropped = 0;

  /** The messages that this flood has had dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A message comes, at this time in milliseconds. */
  take(now: number): Verdict {
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) * RATE) / 1000);
    this.#at = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return "read";
    }
    if (this.#began === null || now - this.#lastDrop > CALM_MS) [this.#began, this.#dropped] = [now, 0];
    this.#lastDrop = now;
    this.#dropped += 1;
    return now - this.#began >= PATIENCE_MS || this.#dropped >= TORRENT ? "end" : "drop";
  }
}
