// The stage: which frames there are, and which message leads where. It carries no look of its own
// and decides nothing about updates; the native side orders, the swap machine judges.

import type { HeldCause, Load, Overview, ResourcesOrder, SavedState } from "../host/bindings";
import type { StageEvent, StageReport, StageStart, SwapOrder } from "../host/bindings";
import type { FrameTheme, NewsMessage, ShellFrameMessage, ShellStageMessage } from "../protocol";
import { Arrangement, type Layout } from "./arrangement";
import { answer, call, CALLS, isGranted } from "./calls";
import { carry, Holding, typeKeys } from "./carry";
import { Keyboard } from "./focus";
import { Frame, type FrameListener, type FrameSettings } from "./frame";
import { strayKey } from "./keyboard";
import { atNextFrame, hide, stand } from "./layers";
import { localeOf } from "./locale";
import { type Native, problemOf } from "./native";
import { News } from "./news";
import { afterAllSaid } from "./said";
import { StateSaving } from "./saving";
import { framesOf, type Slot, Slots } from "./slots";
import { GRACE_MS } from "./swap";
import { SwapRun } from "./swap_driver";
import { type Preferences, themeFor } from "./theme";

/** How long a load that is not part of a swap may take to get ready, in milliseconds. */
const READY_MS = 10_000;

/** How long the frames may take to give their last state before the application ends, in milliseconds. */
const FLUSH_MS = 400;

/** What the subjects of widgets begin with that are being written. */
const WRITTEN = "w/developer/";

/** The least time between two reports of input, in milliseconds. */
const INPUT_MS = 100;

/** Where frames are put, and what is shown if the shell is not there. */
export interface Ground {
  widgets: HTMLElement;
  shell: HTMLElement;
  paint(theme: FrameTheme): void;
  /** The shell could not be loaded; null takes the message away. */
  fail(detail: string | null): void;
}

export class Stage implements FrameListener {
  readonly #native: Native;
  readonly #ground: Ground;
  readonly #saving: StateSaving;
  readonly #keyboard: Keyboard;
  /** The frames by their windows, which say who a message is of. */
  readonly #byWindow = new WeakMap<object, Frame>();
  readonly #slots = new Slots();
  readonly #arrangement = new Arrangement();
  readonly #news = new News();
  readonly loads: Record<string, number> = {};
  #overview: Overview;
  #system: Preferences;
  #theme: FrameTheme = "light";
  #painted = false;
  #settled = false;
  #inputAt = -Infinity;
  #holding: Holding | null = null;

  constructor(native: Native, ground: Ground, start: StageStart, system: Preferences) {
    this.#native = native;
    this.#ground = ground;
    this.#overview = start.overview;
    this.#system = system;
    this.#saving = new StateSaving(
      (instance, state) => native.saveState(instance, state),
      (instance, thrown) => console.error(`state of ${instance} not saved: ${problemOf(thrown).detail}`),
    );
    this.#keyboard = new Keyboard(
      {
        frames: () => this.#slots.frames(),
        denied: (frame, detail) => this.#denied(frame, detail),
        end: (frame, detail) => this.#end(frame, "keyboard", detail),
        afterAllSaid,
      },
      start.watch,
    );
    this.#repaint();
    this.#open(start.shell);
    for (const load of start.widgets) this.#open(load);
  }

  /** The frames there are, for tests. */
  get frames(): { instance: string | null; version: string; token: string; state: Frame["state"] }[] {
    return this.#slots.frames().map(({ load, state }) => ({
      instance: load.instance,
      version: load.version,
      token: load.token,
      state,
    }));
  }

  /** The version of the shell that the user sees, for tests. */
  get shellVersion(): string | null {
    const slot = this.#slots.get(null);
    return slot?.phase === "live" ? slot.current.load.version : null;
  }

  /** The widgets' frames, also those that are on their way in or out. */
  widgetFrames(): Frame[] {
    return this.#slots.widgetFrames();
  }

  /** The instance that has the keyboard. */
  get keyboard(): string | null {
    return this.#keyboard.holder ?? null;
  }

  /** Looks for itself who has the keyboard, from now on. */
  watchKeyboard(): void {
    this.#keyboard.watch();
  }

  /** A message came to the page itself. Only the watch in each frame has anything to say there. */
  heard(event: MessageEvent): void {
    // Found without a search: a flood may come this way.
    const frame = event.source && this.#byWindow.get(event.source);
    if (!frame || !this.#slots.holds(frame)) return this.#keyboard.late(event);
    if (!this.#keyboard.hear(event, frame, performance.now())) frame.admit();
  }

  /** Takes an event of the native side. */
  event(event: StageEvent): void {
    switch (event.kind) {
      case "overview":
        return this.#look(event.overview);
      case "open":
        return this.#open(event.load);
      case "close":
        return this.#close(event.instance);
      case "swap":
        return this.#swap(event.order);
      case "resources":
        return this.#resources(event.order);
      case "settings": {
        const slot = this.#slots.get(event.instance);
        for (const frame of slot ? framesOf(slot) : []) set(frame, event.settings as FrameSettings);
        return;
      }
      case "news":
        return this.#tell(event.instance, event.token, event.news as NewsMessage);
      case "flush":
        return void this.#flush();
      case "freeze":
        return this.#freeze(event.quiet_ms, event.patience_ms);
      case "thaw":
        this.#holding?.thaw();
        this.#holding = null;
        return this.#takeInput(true);
      case "carry":
        for (const { instance, keyboard } of event.carried.frames) if (keyboard) this.#keyboard.give(instance);
        return void carry(event.carried, (instance) => this.#slots.standing(instance)).then(() =>
          atNextFrame(() => atNextFrame(() => this.#report({ kind: "carried" }))),
        );
      case "keys":
        return typeKeys(event.keys, (instance) => this.#slots.standing(instance));
    }
  }

  /** The system's preferences changed. */
  prefer(system: Preferences): void {
    this.#system = system;
    this.#repaint();
  }

  /** The window has another size. */
  resized(): void {
    for (const frame of this.#slots.shellFrames()) this.#cut(frame);
  }

  /** A key came to the page itself. */
  key(event: KeyboardEvent): void {
    if (event.key === "Tab") this.#keyboard.tab(performance.now());
    const stroke = strayKey(event);
    const at = [...this.#slots.values()].find(({ current }) => current.element === event.target)?.current;
    if (stroke && this.#keyboard.stray(stroke, at)) event.preventDefault();
  }

  message(frame: Frame, message: ShellFrameMessage): void {
    const slot = this.#slots.get(frame.load.instance);
    const run = slot?.run;
    if (!slot || (frame !== slot.current && frame !== run?.old && frame !== run?.new)) return;
    if (message.kind === "input") {
      frame.inputAt = performance.now();
      frame.composing = message.composing;
      this.#input(message.composing);
    }
    if (message.kind === "key" && frame === slot.current && !run) this.#holding?.key(frame, message.event);
    run?.receive(frame, message);
    if (!frame.ready && frame !== run?.new) this.#first(slot, frame, message);
    if (message.kind === "call") this.#call(slot, frame, message);
    if (message.kind === "answer") {
      const { id, ok } = message;
      const outcome = ok ? { value: message.value, reason: null } : { value: null, reason: message.reason };
      this.#report({ kind: "answered", token: frame.load.token, id, ok, ...outcome });
    }
    if (message.kind === "layout") this.#arrange(frame, message);
    if (frame === slot.current) this.#current(slot, frame, message);
  }

  strayed(frame: Frame): void {
    const slot = this.#slots.get(frame.load.instance);
    const detail = "the frame went to another page";
    if (slot?.run && frame === slot.run.new) slot.run.lost(detail);
    else if (slot && frame === slot.current) this.#failed(slot, frame, { cause: "exception", detail });
  }

  /** A message of a frame that is loaded for the first time and not ready yet. */
  #first(slot: Slot, frame: Frame, message: ShellFrameMessage): void {
    switch (message.kind) {
      case "hello":
        return this.#start(frame, frame.load.saved);
      case "ready":
        if (message.token === frame.load.token) this.#ready(slot, frame);
        return;
      case "refused":
        return this.#failed(slot, frame, { cause: "state_refused", detail: message.reason });
      case "error": {
        if (frame.error !== null) return;
        const detail = (frame.error = `${message.message}\n${message.stack}`.trim());
        // A load that is part of a swap is the swap's to judge.
        if (slot.run) return;
        clearTimeout(slot.timer);
        slot.timer = setTimeout(() => this.#failed(slot, frame, { cause: "exception", detail }), GRACE_MS);
        return;
      }
      default:
    }
  }

  flooded(frame: Frame, dropped: number): void {
    this.#end(frame, "flood", `${dropped} messages more than anybody could hear`);
  }

  strange(frame: Frame, kind: string): void {
    this.#denied(frame, `said ${kind}, which is no message of its kind or has not its shape`);
  }

  /** Tells the native side, for the log, of something that was tried. */
  #denied(frame: Frame, tried: string): void {
    const detail = frame.denials.note(tried);
    if (detail !== null) this.#report({ kind: "denied", token: frame.load.token, detail });
  }

  #call(slot: Slot, frame: Frame, { id, capability, request }: Extract<ShellFrameMessage, { kind: "call" }>): void {
    if (!isGranted(frame, capability)) this.#denied(frame, `called ${capability} without a grant`);
    else if (frame.calls >= CALLS) this.#denied(frame, `called ${capability} with ${CALLS} calls unanswered`);
    const done = call(this.#native, frame, id, capability, request, this.#keyboard.has(frame));
    void done.then((well) => frame === slot.run?.new && slot.run.handled(well));
  }

  /** Ends a widget that did what no widget may do. The native side keeps it off the board. */
  #end(frame: Frame, cause: HeldCause, detail: string): void {
    const slot = this.#slots.get(frame.load.instance);
    if (!slot || slot.instance === null) return;
    if (slot.run && frame === slot.run.new) return slot.run.lost(detail);
    if (frame !== slot.current || slot.phase === "failed") return;
    clearTimeout(slot.timer);
    slot.phase = "failed";
    slot.run?.withdraw("the running version is ended");
    this.#report({ kind: "stopped", token: frame.load.token, cause, detail });
    hide(frame);
    if (cause === "keyboard") {
      // What is not drawn gets no focus.
      frame.element.style.display = "none";
      this.#keyboard.retire(frame);
    } else frame.remove();
    this.#tellPhase(slot);
    this.#settle();
  }

  /** A message of the frame that the user has. */
  #current(slot: Slot, frame: Frame, message: ShellFrameMessage): void {
    switch (message.kind) {
      case "state":
        // What only the version on trial can read is saved when it is confirmed: the old one may have to read it before.
        if (slot.run?.onTrial && message.state.schema !== slot.run.old.load.state_schema) return;
        if (slot.instance !== null) this.#saving.put(slot.instance, message.state);
        return;
      case "header":
        slot.header = { title: message.title, aside: message.aside };
        if (slot.instance !== null) this.#tellShell({ kind: "header", instance: slot.instance, ...slot.header });
        return;
      case "chord":
        if (slot.instance !== null && this.#keyboard.has(frame)) this.#tellShell({ kind: "chord", key: message.key });
        return;
      case "error":
        if (frame.ready && slot.instance !== null && frame.load.subject.startsWith(WRITTEN)) {
          const detail = `${message.message}\n${message.stack}`.trim();
          this.#tellShell({ kind: "threw", instance: slot.instance, detail });
        }
        if (frame.ready)
          console.error(`${frame.load.subject} ${frame.load.version}: ${message.message}\n${message.stack}`);
        return;
      case "command":
        // The native side takes commands from the stage alone; the stage takes them from the live shell alone.
        if (!frame.isShell) return;
        void answer(frame, message.id, this.#native.shellCommand(message.command));
        return;
      default:
    }
  }

  #open(load: Load): void {
    const before = this.#slots.get(load.instance);
    if (before) this.#discard(before);
    const frame = this.#make(load, "live");
    const slot: Slot = {
      instance: load.instance,
      current: frame,
      run: null,
      header: null,
      phase: "loading",
      timer: undefined,
    };
    const detail = `no word of being ready within ${READY_MS} ms`;
    slot.timer = setTimeout(() => this.#failed(slot, frame, { cause: "not_ready", detail }), READY_MS);
    this.#slots.set(load.instance, slot);
    hide(frame);
    this.#tellPhase(slot);
    this.#place();
  }

  #make(load: Load, state: Frame["state"]): Frame {
    const part = this.#overview.installed.find(({ subject }) => subject === load.subject);
    const frame = new Frame(load, part?.name ?? load.subject, state, this);
    const name = load.instance ?? "shell";
    this.loads[name] = (this.loads[name] ?? 0) + 1;
    frame.element.addEventListener("load", () => this.#keyboard.welcome(frame));
    (load.instance === null ? this.#ground.shell : this.#ground.widgets).append(frame.element);
    if (frame.element.contentWindow) this.#byWindow.set(frame.element.contentWindow, frame);
    return frame;
  }

  #ready(slot: Slot, frame: Frame): void {
    clearTimeout(slot.timer);
    frame.ready = true;
    slot.phase = "live";
    stand(frame);
    this.#report({ kind: "ready", token: frame.load.token });
    if (slot.instance === null) {
      this.#ground.fail(null);
      this.#cut(frame);
      this.#place();
      if (!this.#painted) atNextFrame(() => atNextFrame(() => this.#paintedOnce()));
    } else {
      this.#tellPhase(slot);
    }
    this.#settle();
  }

  /** Says once that every frame of the start stands or has failed: what can be shown is on the screen. */
  #settle(): void {
    if (this.#settled || [...this.#slots.values()].some(({ phase }) => phase === "loading")) return;
    this.#settled = true;
    atNextFrame(() => atNextFrame(() => this.#report({ kind: "settled" })));
  }

  #input(composing: boolean): void {
    const now = performance.now();
    if (now - this.#inputAt < INPUT_MS) return;
    this.#inputAt = now;
    this.#report({ kind: "input", composing });
  }

  /** Another process takes over: no swap goes on, no click counts, and keys are kept for the other. */
  #freeze(quietMs: number, patienceMs: number): void {
    this.#holding?.thaw();
    const live = () => {
      for (const { run } of this.#slots.values()) run?.withdraw("another process takes over");
      return this.#slots.live();
    };
    const report = (report: StageReport) => {
      if (report.kind === "frozen") this.#takeInput(false);
      this.#report(report);
    };
    this.#holding = new Holding(live, report, (frames) => {
      for (const { instance, state } of frames) if (instance !== null && state) this.#saving.put(instance, state);
      return this.#saving.flushed();
    });
    this.#holding.begin(quietMs, patienceMs);
  }

  #takeInput(taken: boolean): void {
    for (const layer of [this.#ground.widgets, this.#ground.shell]) layer.style.pointerEvents = taken ? "" : "none";
  }

  #paintedOnce(): void {
    if (this.#painted) return;
    this.#painted = true;
    this.#report({ kind: "painted" });
  }

  #failed(slot: Slot, frame: Frame, problem: Extract<StageReport, { kind: "load_failed" }>["problem"]): void {
    if (slot.phase === "failed") return;
    clearTimeout(slot.timer);
    slot.phase = "failed";
    slot.run?.withdraw("the running version is gone");
    hide(frame);
    this.#tellPhase(slot);
    if (slot.instance === null) this.#ground.fail(problem.detail);
    this.#report({ kind: "load_failed", token: frame.load.token, problem });
    this.#settle();
  }

  #close(instance: string): void {
    const slot = this.#slots.get(instance);
    if (!slot) return;
    this.#discard(slot);
    this.#slots.delete(instance);
    this.#saving.drop(instance);
    this.#tellShell({ kind: "frame", instance, phase: "closed", version: slot.current.load.version });
  }

  #discard(slot: Slot): void {
    clearTimeout(slot.timer);
    slot.run?.withdraw("the frame is closed");
    slot.current.send({ kind: "dispose" });
    slot.current.remove();
  }

  #swap(order: SwapOrder): void {
    const slot = this.#slots.get(order.load.instance);
    if (!slot) {
      const detail = "there is no such frame";
      return this.#report({ kind: "reverted", token: order.load.token, problem: { cause: "withdrawn", detail } });
    }
    slot.run?.withdraw("a newer order came");
    clearTimeout(slot.timer);
    const old = slot.current;
    const incoming = this.#make(order.load, "incoming");
    hide(incoming);
    slot.run = new SwapRun(order, old, incoming, {
      report: (report) => this.#report(report),
      tellShell: (message) => {
        this.#tellShell(message);
        if (message.kind !== "swap" || message.step !== "switching") return;
        this.#news.hold(old, incoming);
        this.#report({ kind: "switching", token: order.load.token });
      },
      start: (frame, saved, hurry) => this.#start(frame, saved, hurry),
      save: (state) => {
        if (slot.instance !== null) this.#saving.put(slot.instance, state);
      },
      reducedMotion: () => this.#system.reducedMotion,
      handTo: (frame) => {
        this.#hand(slot, frame);
        this.#news.release(frame, old);
      },
      ended: (frame) => {
        slot.run = null;
        this.#hand(slot, frame);
        this.#news.release(frame);
        this.#news.drop(frame === old ? incoming : old);
      },
    });
    this.#place();
  }

  /** A new version differs in files that are not code: the frame goes on and is told which. */
  #resources({ token, instance, version, paths, settings }: ResourcesOrder): void {
    const slot = this.#slots.get(instance);
    slot?.run?.withdraw("a newer order came");
    const frame = slot?.current;
    if (!slot || !frame || frame.load.token !== token || slot.phase !== "live") {
      const detail = "there is no such frame that goes on";
      return this.#report({ kind: "reverted", token, problem: { cause: "withdrawn", detail } });
    }
    frame.load.version = version;
    frame.element.dataset["version"] = version;
    set(frame, settings as FrameSettings);
    frame.send({ kind: "resources", version, paths });
    this.#tellPhase(slot);
    this.#report({ kind: "confirmed", token });
  }

  /**
   * Tells news. Events and requests are a place's: each takes effect once, whichever version has it. A value is what it is
   * now, and words are those of a load's own logic: they are one frame's alone.
   */
  #tell(instance: string, token: string, news: NewsMessage): void {
    const slot = this.#slots.get(instance);
    if (!slot) return;
    if (news.kind === "shared" || news.kind === "logic") {
      const frame = framesOf(slot).find(({ load }) => load.token === token);
      if (frame) this.#news.tell(frame, news);
    } else if (slot.run) slot.run.tell(news);
    else slot.current.tell([news]);
  }

  /** From now on the user has this frame in the slot. */
  #hand(slot: Slot, frame: Frame): void {
    slot.current = frame;
    const phase = frame.ready ? "live" : "failed";
    if (slot.instance === null) {
      if (frame.ready) this.#ground.fail(null);
      slot.phase = phase;
      this.#place();
    } else {
      const part = this.#overview.installed.find(({ subject }) => subject === frame.load.subject);
      if (part) frame.element.title = part.name;
      slot.phase = phase;
      this.#tellPhase(slot);
    }
  }

  #start(frame: Frame, saved: SavedState | null, hurry = false): void {
    frame.send({
      kind: "start",
      token: frame.load.token,
      instance: frame.load.instance ?? "",
      version: frame.load.version,
      theme: this.#theme,
      locale: localeOf(navigator.languages),
      reduced_motion: this.#system.reducedMotion,
      granted: [...frame.granted],
      settings: frame.settings,
      saved,
      hurry,
    });
    if (!frame.isShell) return;
    frame.send({ kind: "overview", overview: this.#overview });
    for (const slot of this.#slots.values()) {
      if (slot.instance === null) continue;
      if (slot.header) frame.send({ kind: "header", instance: slot.instance, ...slot.header });
      frame.send({ kind: "frame", instance: slot.instance, phase: slot.phase, version: slot.current.load.version });
    }
  }

  #look(overview: Overview): void {
    this.#overview = overview;
    for (const { subject, version, permissions } of overview.installed) {
      const granted = permissions.filter((one) => one.granted).map((one) => one.permission.capability);
      for (const { current } of this.#slots.values()) {
        if (current.load.subject !== subject) continue;
        // A tile that is held on another version keeps what it had, as far as that is still granted.
        const same = current.load.version === version;
        const known = same ? granted : current.granted.filter((one) => granted.includes(one));
        if (known.join("\n") === current.granted.join("\n")) continue;
        current.granted = known;
        current.send({ kind: "granted", granted: known });
      }
    }
    this.#repaint();
    this.#tellShell({ kind: "overview", overview });
  }

  #repaint(): void {
    this.#theme = themeFor(this.#overview.settings.theme, this.#system);
    this.#ground.paint(this.#theme);
    const message = { kind: "theme", theme: this.#theme, reduced_motion: this.#system.reducedMotion } as const;
    for (const frame of this.#slots.frames()) frame.send(message);
  }

  /** Takes what a shell says about where things lie. A shell that is not the user's yet is cut all the same. */
  #arrange(frame: Frame, layout: Layout): void {
    if (!frame.isShell) return;
    this.#arrangement.set(frame, layout);
    this.#cut(frame);
    if (frame === this.#slots.get(null)?.current) this.#place();
  }

  #cut(shell: Frame): void {
    this.#arrangement.cut(shell, (instance) => this.#slots.get(instance)?.phase === "live");
  }

  /** Lays every widget's frames where the user's shell has them. */
  #place(): void {
    const shell = this.#slots.get(null)?.current;
    if (shell) this.#arrangement.place(shell, this.#slots.frames());
  }

  #tellPhase({ instance, phase, current }: Slot): void {
    if (instance === null) return;
    for (const shell of this.#slots.shellFrames()) this.#cut(shell);
    this.#tellShell({ kind: "frame", instance, phase, version: current.load.version });
  }

  /** Both shells hear it while there are two: the new one must know all by the time it is shown. */
  #tellShell(message: ShellStageMessage): void {
    for (const frame of this.#slots.shellFrames()) frame.send(message);
  }

  async #flush(): Promise<void> {
    const asked = [...this.#slots.values()].map(({ instance, current, phase }) => {
      if (instance === null || phase !== "live") return Promise.resolve();
      return new Promise<void>((resolve) => {
        setTimeout(resolve, FLUSH_MS);
        current.ask({ kind: "snapshot" }, (answer) => {
          if (answer.kind === "snapshot" && answer.state) this.#saving.put(instance, answer.state);
          resolve();
        });
      });
    });
    await Promise.all(asked);
    await this.#saving.flushed();
    this.#report({ kind: "flushed" });
  }

  #report(report: StageReport): void {
    this.#native.report(report).catch((thrown: unknown) => {
      console.error(`report ${report.kind} was refused: ${problemOf(thrown).detail}`);
    });
  }
}

function set(frame: Frame, settings: FrameSettings): void {
  frame.settings = settings;
  frame.send({ kind: "settings", settings });
}
