// Short messages that go by themselves. Runes, no page: who shows them tells when one is held.

import type { Problem } from "../host/bindings";

/** How long a toast stands, in milliseconds. One with a problem stands until it is put away. */
const STAND_MS = 8000;

export interface Toast {
  id: number;
  /** What it says: words, or a problem whose words the screen finds. */
  says: { text: string } | { problem: Problem };
  action: { label: string; run: () => void } | null;
}

export class Toasts {
  all: Toast[] = $state.raw([]);
  #last = 0;
  #held = false;
  /** The passing ones; none has a timer while they are held. Nothing on the screen depends on it. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- timers, which nobody draws
  readonly #due = new Map<number, ReturnType<typeof setTimeout> | undefined>();

  say(text: string, action: Toast["action"] = null): void {
    this.#add({ text }, action, true);
  }

  problem(problem: Problem): void {
    this.#add({ problem }, null, false);
  }

  close(id: number): void {
    clearTimeout(this.#due.get(id));
    this.#due.delete(id);
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  /** While the pointer or the keyboard is on one, none goes. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    for (const id of [...this.#due.keys()]) this.#arm(id);
  }

  #add(says: Toast["says"], action: Toast["action"], passing: boolean): void {
    const id = ++this.#last;
    this.all = [...this.all, { id, says, action }].slice(-3);
    if (passing) this.#arm(id);
  }

  #arm(id: number): void {
    clearTimeout(this.#due.get(id));
    this.#due.set(id, this.#held ? undefined : setTimeout(() => this.close(id), STAND_MS));
  }
}
