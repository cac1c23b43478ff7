// The end of a frame that took the keyboard. The engine delivers no word of a frame that is gone, and a key that this one
// held back is still the user's. So the page itself has the keyboard meanwhile, and the frame goes once it had no focus
// from one moment to another and all that was said before the first of them is here: then no key is in it.

import type { KeyStroke } from "../protocol";
import { keyCatcher } from "./keyboard";

/** After so long it ends whatever the frame does, in milliseconds. */
const LIMIT_MS = 1000;

/** The time between two looks, in milliseconds. */
const LOOK_MS = 5;

/** Where the frame goes from, and what comes after it. */
export interface RetirementOwner {
  /** Calls back once everything is here that was said to this page before now. */
  afterAllSaid(then: () => void): void;
  /** Whether all keys of before have been typed. */
  settled(): boolean;
  /** No key is in the frame any more. These were typed meanwhile. */
  over(keys: KeyStroke[]): void;
}

export class Retirement {
  readonly #owner: RetirementOwner;
  readonly #keys: KeyStroke[] = [];
  /** Keys that came to the page itself; what a frame held back before may still be on its way. */
  readonly #direct: KeyStroke[] = [];
  readonly #catcher: HTMLElement;
  readonly #limit: ReturnType<typeof setTimeout>;
  /** Whether the page has had the keyboard since the last look. */
  #kept = false;
  #ended = false;

  constructor(owner: RetirementOwner) {
    this.#owner = owner;
    this.#catcher = keyCatcher((stroke) => {
      this.#direct.push(stroke);
      owner.afterAllSaid(() => this.#keys.push(...this.#direct.splice(0, 1)));
    });
    addEventListener("blur", this.#lost, true);
    this.#limit = setTimeout(() => this.#end(), LIMIT_MS);
    this.#look();
  }

  /** A key that is to be typed when it is over. */
  type(stroke: KeyStroke): void {
    this.#keys.push(stroke);
  }

  /** The keys of until now; they are the caller's from now on. */
  keys(): KeyStroke[] {
    return [...this.#keys.splice(0), ...this.#direct.splice(0)];
  }

  /** Takes the keyboard, also from who has just taken it. */
  take(): void {
    this.#catcher.focus({ preventScroll: true });
  }

  readonly #lost = (): void => void (this.#kept = false);

  #look(): void {
    if (this.#ended) return;
    this.take();
    this.#kept = true;
    this.#owner.afterAllSaid(() => {
      if (this.#kept && this.#owner.settled()) this.#end();
      else setTimeout(() => this.#look(), LOOK_MS);
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#limit);
    removeEventListener("blur", this.#lost, true);
    this.#owner.over(this.keys());
    this.#catcher.remove();
  }
}
