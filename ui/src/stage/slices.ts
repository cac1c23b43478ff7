// Work that comes in any amount is done in order, so much at a time: all frames share one thread, and what is done in one
// go holds up the pictures of all. Knows no message.

/** The length of a slice, in milliseconds. */
const SLICE_MS = 16;

export class Slices<T> {
  readonly #handle: (work: T) => void;
  readonly #atOnce: number;
  #waiting: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #began = -Infinity;
  #handled = 0;

  /** `atOnce` within a slice. Who does not flood stays below it, and waits for nothing. */
  constructor(atOnce: number, handle: (work: T) => void) {
    this.#atOnce = atOnce;
    this.#handle = handle;
  }

  /** Work comes, at this time in milliseconds: done at once, or after what waits. */
  take(work: T, now: number): void {
    if (this.#waiting.length === 0 && this.#hasRoom(now)) return this.#handle(work);
    this.#waiting.push(work);
    this.#timer ??= setTimeout(() => this.#go(), SLICE_MS);
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #go(): void {
    this.#timer = undefined;
    const now = performance.now();
    let count = 0;
    while (count < this.#waiting.length && this.#hasRoom(now)) count += 1;
    const slice = this.#waiting.splice(0, count);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#go(), SLICE_MS);
    for (const work of slice) this.#handle(work);
  }

  #hasRoom(now: number): boolean {
    if (now - this.#began >= SLICE_MS) [this.#began, this.#handled] = [now, 0];
    if (this.#handled >= this.#atOnce) return false;
    this.#handled += 1;
    return true;
  }
}
