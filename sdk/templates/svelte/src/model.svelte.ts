// What the page shows, as values that Svelte follows.

import { add, FIRST, onDay, today } from "./counter";
import type { Counter } from "./counter";

export class Model {
  counter: Counter = $state.raw(FIRST);
  goal = $state(8);
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get count(): number {
    return onDay(this.counter, today()).count;
  }

  add(amount: number): void {
    this.counter = add(onDay(this.counter, today()), amount);
    this.#changed();
  }
}
