// A frame's life: handshake, start with the saved state, ready; then snapshot, freeze, restore, thaw, dispose as the stage asks.
// Knows the author's widget as an interface and the stage as messages; knows no look and no native side.

import { watchActivity, watchChords } from "./activity.js";
import { applyLocale, applyTheme, twoFrames } from "./appearance.js";
import { createCalls } from "./calls.js";
import type { Calls } from "./calls.js";
import { watchErrors } from "./errors.js";
import { type HeldKey, holdKeys, typeKeys } from "./keys.js";
import { openLine } from "./line.js";
import { createNews } from "./news.js";
import { followFocus, holdFocus, putFocus, putScroll, takeFocus, takeScroll } from "./place.js";
import { SDK_VERSION } from "./protocol.js";
import type { FrameMessage, FrameTheme, KeyStroke, SavedState } from "./protocol.js";
import type { Settings, StageMessage, StartMessage } from "./protocol.js";
import { fetchAnew } from "./resources.js";
import { createSaver } from "./saver.js";
import { StateRefused, messageOf, migrate, packState } from "./state.js";
import type { Host, Start, Widget } from "./widget.js";

/** After a restore, keys typed here wait this long for those that the old frame still forwards, in milliseconds. */
export const SETTLE_MS = 100;

/** How long a freeze waits for a composition to end before it ends it itself, in milliseconds. The stage gives a freeze 500. */
export const COMPOSITION_MS = 350;

/** Joins the frame to its stage. Call it once, as the script runs. */
export function connect<State>(widget: Widget<State>, scope: Window = window): Host {
  return joinStage(widget, scope, () => undefined).host;
}

/** As {@link connect}, for frames that hear and say more than a widget does. */
export function joinStage<State, In = never, Out = never>(
  widget: Widget<State>,
  scope: Window,
  other: (message: In) => void,
): { host: Host; calls: Calls; post: (message: Out) => void } {
  const document = scope.document;
  const line = openLine<StageMessage | In, FrameMessage | Out>(scope, { kind: "hello", sdk: SDK_VERSION }, receive);
  const calls = createCalls();
  const errors = watchErrors(scope, (message, stack) => line.post({ kind: "error", message, stack }));
  const saver = createSaver(scope, () => line.post({ kind: "state", state: pack(), heard }));
  saver.pause();
  const activity = watchActivity(scope, (composing) => line.post({ kind: "input", composing }));
  const stopChords = watchChords(scope, (key) => line.post({ kind: "chord", key }));
  const themeListeners = new Set<(theme: FrameTheme, reducedMotion: boolean) => void>();
  const grantedListeners = new Set<(granted: readonly string[]) => void>();
  const news = createNews((thrown) => errors.report(thrown));

  const stopFollowing = followFocus(scope, (element) => (place = element));

  let phase: "waiting" | "starting" | "live" | "ended" = "waiting";
  let context: Start<State> | null = null;
  let granted: readonly string[] = [];
  let settings: Settings = {};
  let headed = "";
  let heard = 0;
  let release: (() => void) | null = null;
  let forward: HeldKey | null = null;
  let cancelled: KeyStroke[] = [];
  let settle: (() => void) | null = null;
  let settleTimer: number | undefined;
  let loosen: (() => void) | null = null;
  let place: Element | null = null;
  /** What the author's code must do in turn; an error in it is told and does not stop the next. */
  let turn: Promise<void> = Promise.resolve();

  const host: Host = {
    changed: saver.changed,
    header(title, aside = "") {
      const text = JSON.stringify([title, aside]);
      if (text === headed || phase === "ended") return;
      headed = text;
      line.post({ kind: "header", title, aside });
    },
    call: (capability, request) => calls.begin((id) => line.post({ kind: "call", id, capability, request })),
    granted: () => granted,
    onTheme: (listener) => listen(themeListeners, listener),
    onGranted: (listener) => listen(grantedListeners, listener),
    settings: () => settings,
    onSettings: (listener) => news.hear("settings", (message) => listener(message.settings)),
    logic: (event) => host.call("logic", event),
    onLogic: (listener) => news.hear("logic", (message) => listener(message.event)),
    hear: news.hear,
    answer: (id, outcome) => line.post({ kind: "answer", id, ...outcome }),
  };

  return { host, calls, post: (message) => line.post(message) };

  function receive(message: StageMessage | In): void {
    if (phase === "ended") return;
    const known = message as StageMessage;
    switch (known.kind) {
      case "start":
        if (phase === "waiting") inTurn(() => start(known));
        return;
      case "reply":
        calls.settle(known);
        return;
      case "snapshot":
        inTurn(() => line.post({ kind: "snapshot", id: known.id, state: packIfStarted(), heard }));
        return;
      case "freeze":
        hold();
        inTurn(() => freeze(known.id));
        return;
      case "thaw":
        inTurn(() => thaw(known.state ?? null, known.keys ?? null));
        return;
      case "restore":
        inTurn(() => restore(known));
        return;
      case "keys":
        // A frame that holds still holds these back as well, and forwards them: what is typed into it now is not in its state.
        if (forward) for (const key of known.keys) forward(key, false);
        else inTurn(() => typeKeys(document, known.keys, place));
        return;
      case "hold_keys":
        // Those that wait already go on waiting.
        if (settle) settleWithin(known.limit_ms);
        else holdOwnKeys(known.limit_ms);
        return;
      case "release_keys":
        inTurn(() => settle?.());
        return;
      case "switched":
        inTurn(() => widget.switched?.());
        return;
      case "theme":
        applyTheme(document, known.theme, known.reduced_motion);
        for (const listener of themeListeners) listener(known.theme, known.reduced_motion);
        return;
      case "granted":
        granted = known.granted;
        for (const listener of grantedListeners) listener(granted);
        return;
      case "settings":
        inTurn(() => {
          settings = known.settings;
          news.tell(known);
        });
        return;
      case "resources":
        // Loading takes its time: what the stage asks meanwhile does not wait for it.
        void fetchAnew(document, known.paths, known.version).then(() =>
          inTurn(() => {
            news.tell(known);
            return widget.resources?.(known.paths);
          }),
        );
        return;
      case "event":
      case "request":
      case "shared":
      case "logic":
        inTurn(() => {
          // A listener may wait for something; what it did before that is done when the next question is answered.
          if (known.kind === "event" || known.kind === "request") heard += 1;
          news.tell(known);
        });
        return;
      case "dispose":
        inTurn(dispose);
        return;
      default:
        other(message as In);
    }
  }

  function inTurn(act: () => void | Promise<void>): void {
    turn = turn.then(act).catch((thrown: unknown) => errors.report(thrown));
  }

  async function start(message: StartMessage): Promise<void> {
    phase = "starting";
    applyTheme(document, message.theme, message.reduced_motion);
    applyLocale(document, message.locale);
    granted = message.granted;
    settings = message.settings ?? {};
    let state: State | null;
    try {
      state = message.saved && read(message.saved);
    } catch (thrown) {
      line.post({ kind: "refused", reason: messageOf(thrown) });
      return;
    }
    const { theme, locale, instance, version } = message;
    context = { state, granted, theme, reducedMotion: message.reduced_motion, locale, instance, version, settings };
    await widget.start(context);
    phase = "live";
    saver.resume();
    if (!message.hurry) await twoFrames(scope);
    line.post({ kind: "ready", token: message.token });
  }

  /** The state in this version's schema. */
  function read(saved: SavedState): State {
    const data = migrate(saved, widget.schema, widget.migrate ?? {});
    if (!widget.parse) return data as State;
    try {
      return widget.parse(data);
    } catch (cause) {
      throw new StateRefused(`The state is not what this version expects: ${messageOf(cause)}`, { cause });
    }
  }

  function pack(): SavedState {
    return packState(widget.schema, widget.snapshot());
  }

  function packIfStarted(): SavedState | null {
    return phase === "live" ? pack() : null;
  }

  function hold(): void {
    if (forward) return;
    cancelled = [];
    forward = (event, entered) => {
      line.post({ kind: "key", event });
      if (!entered) cancelled.push(event);
    };
    release = holdKeys(scope, forward);
  }

  async function freeze(id: number): Promise<void> {
    try {
      await compositionEnd();
      settle?.();
      saver.flush();
      saver.pause();
      const [focus, scroll] = [takeFocus(document), takeScroll(document)];
      line.post({ kind: "frozen", id, state: packIfStarted(), heard, focus, scroll });
    } catch (thrown) {
      // A version that can't say its state goes on as if nothing had been asked.
      await thaw(null, null);
      throw thrown;
    }
  }

  /** The stage asks for no freeze during a composition, but one may have begun meanwhile: what is composed is not lost. */
  async function compositionEnd(): Promise<void> {
    if (!activity.composing()) return;
    const ended = new Promise<void>((resolve) => {
      scope.addEventListener("compositionend", () => resolve(), { once: true, capture: true });
    });
    await Promise.race([ended, wait(COMPOSITION_MS)]);
    const element = document.activeElement;
    if (!activity.composing() || !(element instanceof HTMLElement)) return;
    element.blur();
    element.focus({ preventScroll: true });
  }

  async function thaw(state: SavedState | null, keys: KeyStroke[] | null): Promise<void> {
    release?.();
    [release, forward] = [null, null];
    const again = keys ?? (state ? [] : cancelled);
    cancelled = [];
    if (state) await takeOver(state);
    saver.resume();
    typeKeys(document, again, document.activeElement);
  }

  async function restore(message: Extract<StageMessage, { kind: "restore" }>): Promise<void> {
    loosen?.();
    if (message.state) await takeOver(message.state);
    let { focus } = message;
    if (focus && message.state && widget.refocus) focus = widget.refocus(focus, message.state);
    putScroll(document, message.scroll);
    place = putFocus(document, focus);
    // In this order: the key that is held back first sets the focus, where only a key may.
    if (focus?.active && place instanceof HTMLElement) loosen = holdFocus(scope, place);
    if (focus?.active) holdOwnKeys(message.hold_ms ?? SETTLE_MS);
    typeKeys(document, message.keys, place);
    line.post({ kind: "restored", id: message.id });
  }

  async function takeOver(saved: SavedState): Promise<void> {
    const state = read(saved);
    if (widget.restore) {
      await widget.restore(state);
    } else if (context && JSON.stringify(state) !== JSON.stringify(widget.snapshot())) {
      widget.dispose?.();
      context = { ...context, granted, settings, state };
      await widget.start(context);
    }
  }

  /** With the focus come the user's keys; those that the old frame still forwards were typed before them. */
  function holdOwnKeys(milliseconds: number): void {
    settle?.();
    const own: KeyStroke[] = [];
    const stop = holdKeys(scope, (stroke, entered) => {
      if (!entered) own.push(stroke);
    });
    settleWithin(milliseconds);
    settle = () => {
      settle = null;
      scope.clearTimeout(settleTimer);
      stop();
      typeKeys(document, own, place);
    };
  }

  function settleWithin(milliseconds: number): void {
    scope.clearTimeout(settleTimer);
    settleTimer = scope.setTimeout(() => settle?.(), milliseconds);
  }

  function dispose(): void {
    try {
      settle?.();
      saver.flush();
      widget.dispose?.();
    } finally {
      phase = "ended";
      saver.stop();
      activity.stop();
      stopChords();
      stopFollowing();
      errors.stop();
      loosen?.();
      release?.();
      calls.end();
      line.post({ kind: "disposed" });
    }
  }

  function wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => scope.setTimeout(resolve, milliseconds));
  }
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
