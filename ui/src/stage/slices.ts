// Work that comes in any amount is done in order, so much at a time: all frames share one thread, and what is done in one
// go holds up the pictures of all. Knows no message.

/** So much within a slice, in milliseconds. Who does not flood stays far below it, and waits for nothing. */
const AT_ONCE = 100;
const SLICE_MS = 16;

export class Slices<T> {
  readonly #handle: (work: T) => void;
  #waiting: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #began = -Infinity;
  #handled = 0;

  constructor(handle: (work: T) => void) {
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
    if (this.#handled >= AT_ONCE) return false;
    this.#handled += 1;
    return true;
  }
}
