// The order of a swap as a pure machine: `next(state, event)` gives the state after it and what is to be done.
// It knows no frame, port, clock or timer: time comes with the events, in milliseconds of any one clock.
//
//   loading -> waiting -> switching -> trial -> confirmed
//        \________\___________\__________\----> reverted

import type { Problem, StageReport, SwapCause, SwapFailure } from "../host/bindings";
import type { Focus, KeyStroke, NewsMessage, SavedState, Scroll, SwapStep } from "../protocol";

/** How long a frame may take to answer a snapshot, a freeze, a restore or the last question, in milliseconds. */
export const ANSWER_MS = 500;

/** How long a version that threw while it loaded may still take to get ready, in milliseconds. */
export const GRACE_MS = 2000;

/** From so many handled calls and events on a share of failures is judged: during the trial, and at its end. */
export const ENOUGH = { during: 20, atEnd: 5 };

/** What is to be swapped, and how patiently. Times in milliseconds. */
export interface Plan {
  /** Of the new load. */
  token: string;
  /** The state as last acknowledged by the native side, if the old frame gives none. */
  saved: SavedState | null;
  /** Whether the old frame ever got ready. If not, it is asked nothing. */
  oldAnswers: boolean;
  /** The schema that the old version writes. */
  oldSchema: number | null;
  /** How much news the old frame was sent before. */
  oldTold: number;
  /** 0 for a forced swap: it waits for nothing, and an old frame that does not answer cannot hold it up. */
  quietMs: number;
  patienceMs: number;
  readyMs: number;
  trialMs: number;
  /** The highest share of what is handled on trial that may fail, in percent. */
  maxErrorPercent: number;
}

/** What the old frame hands over. */
export interface Handover {
  state: SavedState | null;
  focus: Focus | null;
  scroll: Scroll[];
}

interface Running {
  plan: Plan;
  beganAt: number;
  /** The last activity in the old frame. */
  inputAt: number;
  composing: boolean;
  /** What is known of the old frame's state so far. */
  known: SavedState | null;
  /** The first error of the new frame while it loaded. */
  error: string | null;
  /** News that the old frame was sent since the beginning, and how much of it is in what is known of its state. */
  toOld: NewsMessage[];
  inKnown: number;
}

export type Loading = Running & {
  at: "loading";
  hello: boolean;
  snapshot: "asked" | "known";
  started: boolean;
  until: number;
};
export type Waiting = Running & { at: "waiting"; readyAt: number };
export type Switching = Running & {
  at: "switching";
  step: "freezing" | "restoring" | "showing";
  readyAt: number;
  frozenAt: number;
  until: number;
  handover: Handover;
  keys: KeyStroke[];
  /** News that came since the freeze. Whoever wins gets it. */
  held: NewsMessage[];
};
export type Trial = Running & {
  at: "trial";
  until: number;
  asked: boolean;
  handover: Handover;
  /** The new version's last state, and how much of its news is in it. */
  latest: SavedState | null;
  inLatest: number;
  /** News that the new frame was sent; the first `again` of it the old frame was sent as well. */
  toNew: NewsMessage[];
  again: number;
  handled: number;
  failed: number;
};
export type Ended = { at: "confirmed" } | { at: "reverted"; failure: SwapFailure };
export type SwapState = Loading | Waiting | Switching | Trial | Ended;

/** What happened. `now` in milliseconds. */
export type SwapEvent = { now: number } & (
  | { on: "hello" }
  | { on: "snapshot"; state: SavedState | null; heard?: number | undefined }
  | { on: "ready"; token: string }
  | { on: "refused"; reason: string }
  | { on: "error"; detail: string }
  | { on: "input"; composing: boolean }
  | ({ on: "frozen"; heard?: number | undefined } & Handover)
  | { on: "key"; key: KeyStroke }
  | { on: "restored" }
  | { on: "shown" }
  | { on: "state"; state: SavedState; heard?: number | undefined }
  /** Something happened outside that the widget listens to. */
  | { on: "news"; news: NewsMessage }
  /** The new version was answered, or answered: well, or by its own fault not. */
  | { on: "handled"; well: boolean }
  | { on: "answer"; state: SavedState | null }
  | { on: "wake" }
  | { on: "withdraw"; detail: string }
);

/** What is to be done, in order. */
export type SwapEffect =
  | { do: "ask_old" }
  | { do: "start_new"; saved: SavedState | null }
  /** Come back with `wake` at this time. Replaces the wake asked for before. */
  | { do: "wake"; at: number }
  | { do: "tell"; step: SwapStep; problem?: Problem }
  | { do: "freeze_old" }
  | { do: "restore_new"; handover: Handover; keys: KeyStroke[] }
  | { do: "keys_to_new"; keys: KeyStroke[] }
  | { do: "news_to_old"; news: NewsMessage[] }
  | { do: "news_to_new"; news: NewsMessage[] }
  /** Bring the new frame before the user at the next frame of the screen, then say `shown`. */
  | { do: "show_new" }
  | { do: "ask_new" }
  | { do: "report"; report: StageReport }
  /** The old frame goes on: with this state, or with its own and the keys that it held back. */
  | { do: "thaw_old"; state: SavedState | null }
  | { do: "show_old" }
  | { do: "save"; state: SavedState }
  | { do: "remove_new" }
  | { do: "settle_new" }
  | { do: "dispose_old" };

/** A state and what is to be done on entering it. */
export interface Step {
  state: SwapState;
  effects: SwapEffect[];
}

/** The beginning: the new frame was made, `inputAt` is the last activity in the old one. */
export function begin(plan: Plan, now: number, inputAt: number, composing: boolean): Step {
  const state: Loading = {
    at: "loading",
    plan,
    beganAt: now,
    inputAt,
    composing,
    known: plan.saved,
    error: null,
    toOld: [],
    inKnown: 0,
    hello: false,
    snapshot: plan.oldAnswers ? "asked" : "known",
    started: false,
    until: now + plan.readyMs,
  };
  const effects: SwapEffect[] = [{ do: "tell", step: "loading" }];
  if (plan.oldAnswers) effects.push({ do: "ask_old" });
  effects.push({ do: "wake", at: wakeOfLoading(state) });
  return { state, effects };
}

/** What follows from an event. An event that means nothing in a state leaves it as it is. */
export function next(state: SwapState, event: SwapEvent): Step {
  if (state.at === "confirmed" || state.at === "reverted") return { state, effects: [] };
  if (event.on === "withdraw") return revert(state, "withdrawn", event.detail);
  if (event.on === "input") return onInput({ ...state, inputAt: event.now, composing: event.composing }, event.now);
  if (event.on === "news") return onNews(state, event.news);
  switch (state.at) {
    case "loading":
      return inLoading(state, event);
    case "waiting":
      return inWaiting(state, event);
    case "switching":
      return inSwitching(state, event);
    case "trial":
      return inTrial(state, event);
  }
}

function inLoading(state: Loading, event: SwapEvent): Step {
  switch (event.on) {
    case "hello":
      return start({ ...state, hello: true });
    case "snapshot":
      if (state.snapshot === "known") return stay(state);
      return start({ ...state, snapshot: "known", ...knownFrom(state, event) });
    case "ready":
      if (event.token !== state.plan.token || !state.started) return stay(state);
      return ready(state, event.now);
    case "refused":
      return revert(state, "state_refused", event.reason);
    case "error": {
      if (state.error !== null) return stay(state);
      // It may still get ready. One that threw at its start will not, and need not be waited for so long.
      const hurried = { ...state, error: event.detail, until: Math.min(state.until, event.now + GRACE_MS) };
      return { state: hurried, effects: [{ do: "wake", at: wakeOfLoading(hurried) }] };
    }
    case "wake": {
      const { plan, beganAt, error } = state;
      if (event.now >= state.until) {
        if (error !== null) return revert(state, "exception", error);
        return revert(state, "not_ready", `no word of being ready within ${plan.readyMs} ms`);
      }
      const late = event.now >= beganAt + ANSWER_MS && state.snapshot === "asked";
      const step = late ? start({ ...state, snapshot: "known" }) : stay(state);
      return withEffect(step, { do: "wake", at: wakeOfLoading(step.state as Loading) });
    }
    default:
      return stay(state);
  }
}

/** The old version has the user and hears what happens; while it is frozen, nobody does; then the new one does. */
function onNews(state: Exclude<SwapState, Ended>, news: NewsMessage): Step {
  switch (state.at) {
    case "loading":
    case "waiting":
      return { state: { ...state, toOld: [...state.toOld, news] }, effects: [{ do: "news_to_old", news: [news] }] };
    case "switching":
      return stay({ ...state, held: [...state.held, news] });
    case "trial": {
      const trial = { ...state, toNew: [...state.toNew, news], handled: state.handled + 1 };
      return { state: trial, effects: [{ do: "news_to_new", news: [news] }] };
    }
  }
}

/** What the old frame said of its state. An older kit does not count its news: what it was sent counts as handled. */
function knownFrom(
  { plan, known, toOld, inKnown }: Running,
  said: { state: SavedState | null; heard?: number | undefined },
): Pick<Running, "known" | "inKnown"> {
  if (!said.state) return { known, inKnown };
  const handled = said.heard === undefined ? toOld.length : said.heard - plan.oldTold;
  return { known: said.state, inKnown: Math.min(toOld.length, Math.max(0, handled)) };
}

function start(state: Loading): Step {
  if (!state.hello || state.snapshot === "asked" || state.started) return stay(state);
  return { state: { ...state, started: true }, effects: [{ do: "start_new", saved: state.known }] };
}

function wakeOfLoading({ beganAt, until, snapshot }: Loading): number {
  return snapshot === "asked" ? Math.min(until, beganAt + ANSWER_MS) : until;
}

function ready(state: Loading, now: number): Step {
  const waiting: Waiting = { ...running(state), at: "waiting", readyAt: now };
  const step = tryToSwitch(waiting, now);
  const tells: SwapEffect[] = [{ do: "tell", step: "ready" }];
  if (step.state.at === "waiting") tells.push({ do: "tell", step: "waiting" });
  return { state: step.state, effects: [...tells, ...step.effects] };
}

function inWaiting(state: Waiting, event: SwapEvent): Step {
  switch (event.on) {
    case "wake":
      return tryToSwitch(state, event.now);
    case "error":
      return revert(state, "exception", event.detail);
    case "refused":
      return revert(state, "state_refused", event.reason);
    default:
      return stay(state);
  }
}

function onInput(state: Exclude<SwapState, Ended>, now: number): Step {
  // A composition that ends after all patience was used up is what the switch waited for.
  return state.at === "waiting" ? tryToSwitch(state, now) : stay(state);
}

function tryToSwitch(state: Waiting, now: number): Step {
  const { plan, inputAt, readyAt, composing } = state;
  const quietAt = Math.min(inputAt + plan.quietMs, readyAt + plan.patienceMs);
  const forced = plan.quietMs === 0;
  if (plan.oldAnswers && !forced && (composing || now < quietAt)) {
    // While composing there is nothing to wait for but the next event of the composition.
    return { state, effects: composing ? [] : [{ do: "wake", at: quietAt }] };
  }
  const switching: Switching = {
    ...running(state),
    at: "switching",
    step: "freezing",
    readyAt,
    frozenAt: now,
    until: now + ANSWER_MS,
    handover: { state: state.known, focus: null, scroll: [] },
    keys: [],
    held: [],
  };
  const tell: SwapEffect = { do: "tell", step: "switching" };
  if (!plan.oldAnswers) {
    return { state: { ...switching, step: "showing" }, effects: [tell, { do: "show_new" }] };
  }
  return { state: switching, effects: [tell, { do: "freeze_old" }, { do: "wake", at: switching.until }] };
}

function inSwitching(state: Switching, event: SwapEvent): Step {
  switch (event.on) {
    case "frozen":
      if (state.step !== "freezing") return stay(state);
      return restore({ ...state, ...knownFrom(state, event) }, event, event.now);
    case "key": {
      const keys = [...state.keys, event.key];
      const effects: SwapEffect[] = state.step === "freezing" ? [] : [{ do: "keys_to_new", keys: [event.key] }];
      return { state: { ...state, keys }, effects };
    }
    case "restored":
      if (state.step !== "restoring") return stay(state);
      return { state: { ...state, step: "showing" }, effects: [{ do: "show_new" }] };
    case "shown":
      return state.step === "showing" ? shown(state, event.now) : stay(state);
    case "error":
      return revert(state, "exception", event.detail);
    case "refused":
      return revert(state, "state_refused", event.reason);
    case "wake":
      if (state.step === "showing") return stay(state);
      if (event.now < state.until) return { state, effects: [{ do: "wake", at: state.until }] };
      if (state.step === "freezing" && state.plan.quietMs === 0)
        return restore(state, { focus: null, scroll: [] }, event.now);
      return revert(
        state,
        "hung",
        state.step === "freezing" ? "the old version did not freeze" : "the state was not taken over",
      );
    default:
      return stay(state);
  }
}

function restore(state: Switching, { focus, scroll }: Omit<Handover, "state">, now: number): Step {
  const until = now + ANSWER_MS;
  const handover = { state: state.known, focus, scroll };
  return {
    state: { ...state, step: "restoring", until, handover },
    effects: [
      { do: "restore_new", handover, keys: state.keys },
      { do: "wake", at: until },
    ],
  };
}

function shown(state: Switching, now: number): Step {
  const { plan, beganAt, readyAt, frozenAt, handover, keys, held } = state;
  const until = now + plan.trialMs;
  // An old frame that did not answer may have been sent what its last known state does not hold yet.
  const missing = state.toOld.slice(state.inKnown);
  const toNew = [...missing, ...held];
  const report: StageReport = {
    kind: "switched",
    token: plan.token,
    ready_ms: readyAt - beganAt,
    switch_ms: now - frozenAt,
    state_bytes: bytes(handover.state),
    replayed_keys: keys.length,
  };
  return {
    state: {
      ...running(state),
      at: "trial",
      until,
      asked: false,
      handover,
      latest: null,
      inLatest: 0,
      toNew,
      again: missing.length,
      handled: toNew.length,
      failed: 0,
    },
    effects: [
      // If everything ends now, this is what comes back, in whichever version.
      ...(handover.state ? [{ do: "save", state: handover.state } as const] : []),
      ...(toNew.length > 0 ? [{ do: "news_to_new", news: toNew } as const] : []),
      { do: "report", report },
      { do: "wake", at: until },
    ],
  };
}

function inTrial(state: Trial, event: SwapEvent): Step {
  switch (event.on) {
    case "error":
      return revert(state, "exception", event.detail);
    case "refused":
      return revert(state, "state_refused", event.reason);
    case "key":
      return { state, effects: [{ do: "keys_to_new", keys: [event.key] }] };
    case "state":
      return stay({ ...state, latest: event.state, inLatest: event.heard ?? state.toNew.length });
    case "handled": {
      const trial = { ...state, handled: state.handled + 1, failed: state.failed + (event.well ? 0 : 1) };
      return tooManyFailed(trial, ENOUGH.during) ?? stay(trial);
    }
    case "answer":
      return state.asked ? confirm(state.plan, event.state) : stay(state);
    case "wake": {
      if (event.now < state.until) return { state, effects: [{ do: "wake", at: state.until }] };
      if (state.asked) return revert(state, "hung", `no answer within ${ANSWER_MS} ms at the end of the trial`);
      const failed = tooManyFailed(state, ENOUGH.atEnd);
      if (failed) return failed;
      const until = event.now + ANSWER_MS;
      return { state: { ...state, asked: true, until }, effects: [{ do: "ask_new" }, { do: "wake", at: until }] };
    }
    default:
      return stay(state);
  }
}

/** The way back if too much of what it handled failed, once there is enough to judge by. */
function tooManyFailed(state: Trial, enough: number): Step | null {
  const { plan, handled, failed } = state;
  if (handled < enough || failed * 100 <= handled * plan.maxErrorPercent) return null;
  return revert(state, "errors", `${failed} of ${handled} calls and events failed; ${plan.maxErrorPercent} % may`);
}

/** From here on the new version's state is what comes back after a restart, also if nothing changes any more. */
function confirm(plan: Plan, latest: SavedState | null): Step {
  return {
    state: { at: "confirmed" },
    effects: [
      ...(latest ? [{ do: "save", state: latest } as const] : []),
      { do: "settle_new" },
      { do: "dispose_old" },
      { do: "report", report: { kind: "confirmed", token: plan.token } },
      { do: "tell", step: "confirmed" },
    ],
  };
}

function revert(state: Exclude<SwapState, Ended>, cause: SwapCause, detail: string): Step {
  const failure: SwapFailure = { cause, detail };
  const effects: SwapEffect[] = [];
  if (state.at === "trial") effects.push({ do: "show_old" }, ...giveBack(state));
  else if (state.at === "switching") {
    if (state.step === "showing") effects.push({ do: "show_old" });
    if (state.plan.oldAnswers) effects.push({ do: "thaw_old", state: null });
    if (state.held.length > 0) effects.push({ do: "news_to_old", news: state.held });
  }
  effects.push(
    { do: "remove_new" },
    { do: "report", report: { kind: "reverted", token: state.plan.token, problem: failure } },
    { do: "tell", step: "reverted", problem: problemOf(failure) },
  );
  return { state: { at: "reverted", failure }, effects };
}

/** After the switch the user worked with the new version: what it last knew goes back, if the old one can read it. */
function giveBack({ plan, latest, inLatest, handover, toNew, again }: Trial): SwapEffect[] {
  const readable = latest && latest.schema === (plan.oldSchema ?? handover.state?.schema) ? latest : null;
  const keep = readable ?? handover.state;
  const effects: SwapEffect[] = plan.oldAnswers ? [{ do: "thaw_old", state: readable }] : [];
  if (keep) effects.push({ do: "save", state: keep });
  // Each event is in the state that goes on, once: those that are not yet are told to the old version.
  const untold = toNew.slice(readable ? inLatest : again);
  if (untold.length > 0) effects.push({ do: "news_to_old", news: untold });
  return effects;
}

function problemOf({ cause, detail }: SwapFailure): Problem {
  const code = {
    hung: "hung",
    exception: "crashed",
    errors: "too_many_errors",
    state_refused: "state_refused",
  } as const;
  const happened: Record<SwapCause, string> = {
    not_ready: "It did not get ready in time.",
    state_refused: "It could not take over what you had.",
    exception: "It stopped with an error.",
    hung: "It stopped answering.",
    errors: "Too much of what it did failed.",
    withdrawn: "The update was called off.",
  };
  return {
    code: cause === "withdrawn" ? "cancelled" : (code[cause as keyof typeof code] ?? "switch_failed"),
    happened: happened[cause],
    kept: "What you had was kept.",
    advice: null,
    detail,
  };
}

function running({ plan, beganAt, inputAt, composing, known, error, toOld, inKnown }: Running): Running {
  return { plan, beganAt, inputAt, composing, known, error, toOld, inKnown };
}

function stay(state: SwapState): Step {
  return { state, effects: [] };
}

function withEffect(step: Step, effect: SwapEffect): Step {
  return { state: step.state, effects: [...step.effects, effect] };
}

function bytes(state: SavedState | null): number {
  return state ? new TextEncoder().encode(JSON.stringify(state.data) ?? "null").length : 0;
}
