// Carries out what the swap machine decides: one run for one order. It owns the two frames while they are two, one
// timer, and nothing of the machine's judgement.

import type { SavedState, StageReport, SwapOrder } from "../host/bindings";
import type { NewsMessage, ShellFrameMessage, ShellStageMessage } from "../protocol";
import type { Frame } from "./frame";
import { handKeyboard } from "./keyboard";
import { atNextFrame, fade, stand } from "./layers";
import { begin, next, type Step, type SwapEffect, type SwapEvent, type SwapState } from "./swap";

/** How long a disposed frame may take to say goodbye, in milliseconds. */
const GOODBYE_MS = 300;

/** After so long nothing of a frame that fades is seen any more, in milliseconds. */
const FADED_MS = 400;

type Without<T> = T extends unknown ? Omit<T, "now"> : never;

/** What a run needs of the stage. */
export interface SwapStage {
  report(report: StageReport): void;
  tellShell(message: ShellStageMessage): void;
  start(frame: Frame, saved: SavedState | null, hurry: boolean): void;
  save(state: SavedState): void;
  reducedMotion(): boolean;
  /** The frame that the user now has is this one. */
  handTo(frame: Frame): void;
  /** The run is over; this frame stays. */
  ended(frame: Frame): void;
}

export class SwapRun {
  readonly old: Frame;
  readonly new: Frame;
  readonly #order: SwapOrder;
  readonly #stage: SwapStage;
  #state: SwapState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #callOff: () => void = () => {};
  #callOffKeyboard: () => void = () => {};

  constructor(order: SwapOrder, old: Frame, incoming: Frame, stage: SwapStage) {
    this.old = old;
    this.new = incoming;
    this.#order = order;
    this.#stage = stage;
    const plan = {
      token: order.load.token,
      saved: order.load.saved,
      oldAnswers: old.ready,
      oldSchema: old.load.state_schema,
      oldTold: old.told,
      quietMs: order.quiet_ms,
      patienceMs: order.patience_ms,
      readyMs: order.ready_ms,
      trialMs: order.trial_ms,
      maxErrorPercent: order.max_error_percent,
    };
    const step = begin(plan, performance.now(), old.inputAt, old.composing);
    this.#state = step.state;
    this.#carryOut(step);
  }

  /** Whether the user has the new version, on trial. */
  get onTrial(): boolean {
    return this.#state.at === "trial";
  }

  /** Calls the swap off: the old frame stays. */
  withdraw(detail: string): void {
    this.#on({ on: "withdraw", detail });
  }

  /** Something happened that the widget listens to: it goes to whichever version wins. */
  tell(news: NewsMessage): void {
    this.#on({ on: "news", news });
  }

  /** A call of the new version was answered. */
  handled(well: boolean): void {
    this.#on({ on: "handled", well });
  }

  /** The new frame is lost. */
  lost(detail: string): void {
    this.#on({ on: "error", detail });
  }

  /** Takes a message of one of the two frames. */
  receive(frame: Frame, message: ShellFrameMessage): void {
    if (frame === this.old) {
      if (message.kind === "input") this.#on({ on: "input", composing: message.composing });
      else if (message.kind === "key") this.#on({ on: "key", key: message.event });
      return;
    }
    switch (message.kind) {
      case "hello":
        return this.#on({ on: "hello" });
      case "ready":
        return this.#on({ on: "ready", token: message.token });
      case "refused":
        return this.#on({ on: "refused", reason: message.reason });
      case "error":
        return this.#on({ on: "error", detail: `${message.message}\n${message.stack}`.trim() });
      case "state":
        return this.#on({ on: "state", state: message.state, heard: message.heard });
      case "answer":
        return this.#on({ on: "handled", well: message.ok });
      default:
    }
  }

  #on(event: Without<SwapEvent>): void {
    const before = this.#state.at;
    const step = next(this.#state, { ...event, now: performance.now() });
    this.#state = step.state;
    if (before === "loading" && step.state.at !== "loading" && step.state.at !== "reverted") this.new.ready = true;
    this.#carryOut(step);
  }

  #carryOut({ state, effects }: Step): void {
    for (const effect of effects) this.#do(effect);
    if (state.at === "confirmed" || state.at === "reverted") {
      clearTimeout(this.#timer);
      this.#callOff();
    }
  }

  #do(effect: SwapEffect): void {
    const { old } = this;
    switch (effect.do) {
      case "ask_old":
        return old.ask({ kind: "snapshot" }, (answer) => {
          if (answer.kind === "snapshot") this.#on({ on: "snapshot", state: answer.state, heard: answer.heard });
        });
      case "start_new":
        return this.#stage.start(this.new, effect.saved, this.#order.quiet_ms === 0);
      case "wake":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#on({ on: "wake" }), Math.max(0, effect.at - performance.now()) + 1);
        return;
      case "tell": {
        const problem = effect.problem ? { problem: effect.problem } : {};
        const { instance, version } = this.#order.load;
        return this.#stage.tellShell({ kind: "swap", instance, step: effect.step, version, ...problem });
      }
      case "freeze_old":
        return old.ask({ kind: "freeze" }, (answer) => {
          if (answer.kind !== "frozen") return;
          const { state, heard, focus, scroll } = answer;
          this.#on({ on: "frozen", state, heard, focus, scroll });
        });
      case "restore_new":
        return this.new.ask({ kind: "restore", ...effect.handover, keys: effect.keys }, (answer) => {
          if (answer.kind === "restored") this.#on({ on: "restored" });
        });
      case "keys_to_new":
        return this.new.send({ kind: "keys", keys: effect.keys });
      case "news_to_old":
        return old.tell(effect.news);
      case "news_to_new":
        return this.new.tell(effect.news);
      case "show_new":
        this.#callOff = atNextFrame(() => {
          this.#show(old, this.new);
          this.#callOff = atNextFrame(() => this.#on({ on: "shown" }));
        });
        return;
      case "ask_new":
        return this.new.ask({ kind: "snapshot" }, (answer) => {
          if (answer.kind === "snapshot") this.#on({ on: "answer", state: answer.state });
        });
      case "report":
        return this.#stage.report(effect.report);
      case "thaw_old":
        return old.send(effect.state ? { kind: "thaw", state: effect.state, keys: [] } : { kind: "thaw" });
      case "show_old":
        this.#callOff();
        // Called off before the screen's next frame: the new one was never seen.
        if (this.new.state === "live") this.#show(this.new, old);
        return;
      case "save":
        return this.#stage.save(effect.state);
      case "remove_new":
        return this.#removeNew();
      case "settle_new":
        this.new.send({ kind: "switched" });
        this.new.state = "live";
        return this.#stage.ended(this.new);
      case "dispose_old":
        return old.dispose(GOODBYE_MS);
    }
  }

  #show(from: Frame, to: Frame): void {
    const focused = from.focused;
    fade(from, to, this.#stage.reducedMotion());
    from.state = "outgoing";
    to.state = "live";
    this.#stage.handTo(to);
    this.#callOffKeyboard();
    if (!focused) return;
    // Back to the old frame there is no hurry: it thaws only now. Forward, keys may be on their way.
    if (to === this.old) to.element.focus({ preventScroll: true });
    else this.#callOffKeyboard = handKeyboard(from, to, (key) => this.#on({ on: "key", key }));
  }

  #removeNew(): void {
    const shown = this.new.state !== "incoming";
    this.new.state = "outgoing";
    this.old.state = "live";
    if (!shown) stand(this.old);
    this.#stage.ended(this.old);
    // One that was shown fades first; it is dead to messages all the same, for it belongs to no run any more.
    if (shown) setTimeout(() => this.new.dispose(GOODBYE_MS), FADED_MS);
    else this.new.dispose(0);
  }
}
