// States on their way to the disk: one write in flight per instance, the newest state wins, a failed write is tried
// again. It knows neither frames nor Tauri; the write and the clock are given to it.

import type { SavedState } from "../host/bindings";

/** The least time between the starts of two writes of one instance, in milliseconds. */
const GAP_MS = 50;

/** How long after a failed write it is tried again, in milliseconds. */
const RETRY_MS = 2000;

/** Waits; resolves after so many milliseconds. */
export type Wait = (ms: number) => Promise<void>;

interface Line {
  pending: SavedState | null;
  running: Promise<void> | null;
  failures: number;
}

export class StateSaving {
  readonly #write: (instance: string, state: SavedState) => Promise<void>;
  readonly #failed: (instance: string, thrown: unknown) => void;
  readonly #wait: Wait;
  readonly #lines = new Map<string, Line>();

  constructor(
    write: (instance: string, state: SavedState) => Promise<void>,
    failed: (instance: string, thrown: unknown) => void,
    wait: Wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.#write = write;
    this.#failed = failed;
    this.#wait = wait;
  }

  /** Takes a state over. It is written as soon as the write before it has ended. */
  put(instance: string, state: SavedState): void {
    let line = this.#lines.get(instance);
    if (!line) this.#lines.set(instance, (line = { pending: null, running: null, failures: 0 }));
    line.pending = state;
    line.running ??= this.#run(instance, line);
  }

  /** Forgets what is not written yet: the instance is gone. */
  drop(instance: string): void {
    const line = this.#lines.get(instance);
    if (line) line.pending = null;
    this.#lines.delete(instance);
  }

  /** Resolves when everything that was put so far is on disk or has failed twice. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#lines.values()].flatMap(({ running }) => running ?? []));
  }

  async #run(instance: string, line: Line): Promise<void> {
    while (line.pending) {
      const state = line.pending;
      line.pending = null;
      try {
        await this.#write(instance, state);
        line.failures = 0;
        await this.#wait(GAP_MS);
      } catch (thrown) {
        line.failures += 1;
        this.#failed(instance, thrown);
        // A newer state is tried at once in its stead; the same state a second time, later, and then no more.
        if (!line.pending && line.failures < 2 && this.#lines.get(instance) === line) {
          await this.#wait(RETRY_MS);
          line.pending ??= state;
        }
      }
    }
    line.running = null;
  }
}
