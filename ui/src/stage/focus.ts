// Who has the keyboard. The user gives it with a press in a tile or with Tab; a frame that takes it by itself gets no
// key: the watch in each frame (`frame_watch.js`) lets none through without a word from here. What was typed meanwhile
// goes to whoever has the keyboard. One that takes it again and again is ended.
//
// Keys never wait for this page: the watch holds them back in the frame itself, at once. It knows no widget and no message
// of the protocol.

import type { Frame } from "./frame";
import type { KeyStroke } from "../protocol";
import { Retirement } from "./retirement";

/** After Tab the focus may come to another frame within this time, in milliseconds. */
const TAB_MS = 500;

/** So many thefts within this time end a frame, in milliseconds: of a field in it, and of the frame as a whole. */
const THEFTS = { taken: 3, focus: 300 };
const THEFT_MS = 10_000;

/** After so long a frame gets its keys itself again, whatever is still on its way to it, in milliseconds. */
const SETTLE_MS = 300;

/** After so long keys are sent whether or not the watch has said that its field has the focus, in milliseconds. */
const BACK_MS = 150;

/** How often the page looks for itself, in milliseconds: a frame could lose its watch. */
const LOOK_MS = 100;

/** What the watch in a frame says. */
type Word =
  | { kind: "pressed" | "tab" | "focus" | "taken" | "backed" }
  | { kind: "let"; round: number }
  | { kind: "key"; stroke: KeyStroke }
  | { kind: "denied"; what: string[] };

/** The words that are no more than that. */
const PLAIN = new Set(["pressed", "tab", "focus", "taken", "backed"]);

/** What follows from it. */
export interface KeyboardOwner {
  frames(): Frame[];
  /** Tells of something that was tried and denied. */
  denied(frame: Frame, what: string): void;
  /** Calls back once everything is here that was said to this page before now. */
  afterAllSaid(then: () => void): void;
  /** Ends a frame that takes the keyboard again and again. */
  end(frame: Frame, detail: string): void;
}

export class Keyboard {
  readonly #owner: KeyboardOwner;
  readonly #secret: string;
  /** The place that the user has put the keyboard: an instance, the shell (`null`), or none. */
  #holder: string | null | undefined;
  #tabAt = -Infinity;
  /** The frame that still has to type what was held back elsewhere. */
  #settling: Frame | null = null;
  #settleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Which time it is that a frame settles: another theft begins another one. */
  #round = 0;
  /** While a frame that took the keyboard goes, the page itself has it. */
  #retirement: Retirement | null = null;
  /** Keys that wait until the field has the focus again that they are for. */
  #waiting: KeyStroke[] | null = null;
  readonly #thefts = { taken: new WeakMap<Frame, number[]>(), focus: new WeakMap<Frame, number[]>() };

  constructor(owner: KeyboardOwner, secret: string) {
    this.#owner = owner;
    this.#secret = secret;
  }

  /** The instance that has the keyboard; null for the shell, undefined for nobody. */
  get holder(): string | null | undefined {
    return this.#holder;
  }

  /** Whether keys that this frame says it got are the user's. */
  has(frame: Frame): boolean {
    return frame.isShell || this.#holder === frame.load.instance;
  }

  /** From now on keys are meant for this place. */
  give(instance: string | null): void {
    this.#holder = instance;
    for (const frame of this.#holders()) allow(frame, {});
  }

  /** Tab was pressed where no frame has the keyboard. */
  tab(now: number): void {
    this.#tabAt = now;
  }

  /** Lets a frame's watch know whose it is. */
  welcome(frame: Frame): void {
    if (frame.isShell) allow(frame, { always: true });
    // Another version of what has the keyboard: it need not ask, and no key waits for the answer.
    else if (this.has(frame)) allow(frame, {});
  }

  /** Takes a message to the window. Says whether it came from a watch. */
  hear(event: MessageEvent, frame: Frame, now: number): boolean {
    const word = readWord(event.data, this.#secret);
    if (!word) return false;
    switch (word.kind) {
      case "pressed":
        // What was typed before the press was meant for who had the keyboard then.
        this.#send(this.#retirement?.keys() ?? []);
        this.#holder = frame.load.instance;
        break;
      case "tab":
        if (this.has(frame)) this.#tabAt = now;
        break;
      case "focus":
      case "taken":
        this.#asked(frame, word.kind, now);
        break;
      case "key":
        this.#type(word.stroke);
        break;
      case "backed":
        if (this.has(frame)) this.#typeWaiting();
        break;
      case "let":
        if (word.round === this.#round) this.#settled(frame);
        break;
      case "denied":
        for (const what of word.what) this.#owner.denied(frame, what);
    }
    return true;
  }

  /** Removes a frame that took the keyboard, once no key of the user's is in it any more. */
  retire(frame: Frame): void {
    if (this.#holder === undefined || this.#retirement) return frame.remove();
    this.#retirement = new Retirement({
      afterAllSaid: (then) => this.#owner.afterAllSaid(then),
      settled: () => this.#settling === null && this.#waiting === null,
      over: (keys) => {
        this.#retirement = null;
        frame.remove();
        this.#send(keys);
        this.#comeBack();
      },
    });
  }

  /** A message of a frame that is gone: a key that it held back is still the user's. */
  late(event: MessageEvent): void {
    const word = readWord(event.data, this.#secret);
    if (word?.kind === "key") this.#type(word.stroke);
  }

  /** A key came to the page itself, at most at a frame's edge: it is its owner's. Says whether it was given to anybody. */
  stray(stroke: KeyStroke, at: Frame | undefined): boolean {
    // A key comes here at once, and one that a frame held back before it may still be on its way.
    if (this.#holder !== undefined) this.#owner.afterAllSaid(() => this.#type(stroke));
    else at?.send({ kind: "keys", keys: [stroke] });
    return this.#holder !== undefined || at !== undefined;
  }

  #type(stroke: KeyStroke): void {
    if (this.#retirement) this.#retirement.type(stroke);
    else if (this.#waiting) this.#waiting.push(stroke);
    else this.#send([stroke]);
  }

  #typeWaiting(): void {
    const keys = this.#waiting ?? [];
    this.#waiting = null;
    this.#send(keys);
  }

  #send(keys: KeyStroke[]): void {
    if (keys.length > 0) this.#holders()[0]?.send({ kind: "keys", keys });
  }

  /** Looks for itself, as long as the page lives. */
  watch(): void {
    let before: Frame | undefined;
    setInterval(() => {
      const frame = this.#owner.frames().find((one) => one.focused && !this.has(one));
      // A press is told a moment after the focus has moved: what is seen twice was told by nobody.
      if (frame && frame === before) this.#asked(frame, "focus", performance.now());
      before = frame;
    }, LOOK_MS);
  }

  #asked(frame: Frame, what: "taken" | "focus", now: number): void {
    if (now - this.#tabAt <= TAB_MS) {
      this.#tabAt = -Infinity;
      this.#holder = frame.load.instance;
    }
    if (this.has(frame)) return frame === this.#settling ? undefined : allow(frame, {});
    this.#giveBack(frame);
    const before = this.#thefts[what].get(frame) ?? [];
    const thefts = [...before, now].filter((at) => now - at <= THEFT_MS);
    this.#thefts[what].set(frame, thefts);
    // A frame as a whole is focused by tools as well, which look into one after the other: that is told once.
    if (what === "taken" || before.length === 0) {
      this.#owner.denied(frame, "took the keyboard without a press or Tab");
    }
    if (thefts.length >= THEFTS[what]) {
      this.#owner.end(frame, `took the keyboard ${thefts.length} times within ${THEFT_MS / 1000} s`);
    }
  }

  #giveBack(thief: Frame): void {
    thief.element.blur();
    if (this.#retirement) this.#retirement.take();
    else this.#comeBack();
  }

  #comeBack(): void {
    const holder = this.#holders()[0];
    if (!holder) return;
    holder.element.focus({ preventScroll: true });
    this.#waiting ??= [];
    setTimeout(() => this.#typeWaiting(), BACK_MS);
    allow(holder, { back: true, held: !holder.isShell });
    if (!holder.isShell) this.#settle(holder);
  }

  /**
   * What was typed elsewhere comes to the frame by way of its port, and must be typed before what it is given directly. So
   * its own watch holds keys back as well, and they go the same way. Then the frame itself holds back what it is given from
   * now on, its watch lets go and says so, and with that word every key of before is here: the frame types its own.
   */
  #settle(frame: Frame): void {
    this.#settling = frame;
    const round = (this.#round += 1);
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.#settled(frame), SETTLE_MS);
    frame.send({ kind: "hold_keys", limit_ms: 2 * SETTLE_MS });
    // A frame answers in turn: it holds by then.
    frame.ask({ kind: "snapshot" }, () => {
      if (round !== this.#round) return;
      // While the page has the keyboard, all keys come by way of it: one that the frame got directly would overtake them.
      allow(frame, this.#retirement ? { told: round, held: true } : { told: round, here: true });
    });
  }

  #settled(frame: Frame): void {
    if (this.#settling !== frame) return;
    this.#settling = null;
    clearTimeout(this.#settleTimer);
    // Where the page has the keyboard, the frame is to hold back what it is given after that.
    if (!this.#retirement) allow(frame, { here: true });
    this.#typeWaiting();
    frame.send({ kind: "release_keys" });
  }

  #holders(): Frame[] {
    if (this.#holder === undefined) return [];
    const frames = this.#owner.frames().filter(({ load }) => load.instance === this.#holder);
    return frames.sort((a, b) => Number(b.state === "live") - Number(a.state === "live"));
  }
}

interface Allowance {
  always?: boolean;
  back?: boolean;
  held?: boolean;
  here?: boolean;
  told?: number;
}

/**
 * Says to a frame's watch that keys are meant for it; `back`, that the field is to be focused again that was so last; `held`,
 * that keys are still to be held back; `here`, that they are if it has the focus; `told`, that it is to say when it lets
 * go. Its page may hear it as well; it can say nothing of the kind.
 */
function allow(frame: Frame, how: Allowance): void {
  frame.element.contentWindow?.postMessage({ moult: 1, kind: "keyboard", ...how }, "*");
}

function readWord(data: unknown, secret: string): Word | null {
  if (typeof data !== "object" || data === null) return null;
  const { watch, kind, stroke, what, round } = data as Record<string, unknown>;
  if (watch !== secret) return null;
  if (typeof kind === "string" && PLAIN.has(kind)) return { kind } as Word;
  if (kind === "key") return { kind, stroke: stroke as KeyStroke };
  if (kind === "let" && typeof round === "number") return { kind, round };
  if (kind === "denied" && Array.isArray(what)) return { kind, what: what.filter((one) => typeof one === "string") };
  return null;
}
