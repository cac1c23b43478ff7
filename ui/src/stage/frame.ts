// One frame: an iframe that holds one load of one bundle, and the port into it. It gives the port away once, to the
// page that it loaded, and never again. It knows no swap and no native command.

import type { Load } from "../host/bindings";
import type { Box, NewsMessage, ShellFrameMessage, ShellStageMessage, StageMessage } from "../protocol";
import { Denials } from "./denials";
import { Flood } from "./flood";
import { readFrameMessage } from "./messages";
import { Slices } from "./slices";

/** So many messages of a frame are read within a slice, and so many of its calls begun: each takes all frames' thread. */
const READ_AT_ONCE = 100;
const BEGUN_AT_ONCE = 8;

/** What a frame is to the user. */
export type FrameState = "live" | "incoming" | "outgoing";

/** The settings as a frame hears them. */
export type FrameSettings = Extract<StageMessage, { kind: "settings" }>["settings"];
type Answer = Extract<ShellFrameMessage, { kind: "snapshot" | "frozen" | "restored" }>;
type Question<T> = T extends { id: number; kind: "snapshot" | "freeze" | "restore" } ? Omit<T, "id"> : never;

/** What a frame tells its owner. */
export interface FrameListener {
  message(frame: Frame, message: ShellFrameMessage): void;
  /** It loaded another page than its own, or its own again: its port is dead. */
  strayed(frame: Frame): void;
  /** It says what no frame of its kind may say. */
  strange(frame: Frame, kind: string): void;
  /** It says more than anybody could hear. */
  flooded(frame: Frame, dropped: number): void;
}

export class Frame {
  readonly element: HTMLIFrameElement;
  readonly load: Load;
  state: FrameState;
  /** Said `ready` with the right token. */
  ready = false;
  /** The last activity of the user in it, by the page's clock in milliseconds. */
  inputAt = 0;
  composing = false;
  /** How many of its calls wait for their answer. */
  calls = 0;
  /** Its calls on their way to the native side. One that takes long there holds up no other. */
  readonly begins = new Slices<() => void>(BEGUN_AT_ONCE, (begin) => begin());
  /** How often it was denied each thing that it tried. */
  readonly denials = new Denials();
  /** When it last said anything, by the page's clock in milliseconds. */
  heardAt = 0;
  /** The capabilities that it may call. */
  granted: string[];
  /** A value for each setting that it declares: a text, a number or a switch, as the native side has checked. */
  settings: FrameSettings;
  /** What went wrong before it was ready. */
  error: string | null = null;

  #port: MessagePort | null = null;
  readonly #flood = new Flood();
  readonly #said = new Slices<MessageEvent>(READ_AT_ONCE, (event) => this.#receive(event.data));
  #loads = 0;
  #lastId = 0;
  /** How much news it was sent. */
  told = 0;

  #disposed: (() => void) | null = null;
  readonly #questions = new Map<number, (answer: Answer) => void>();
  readonly #listener: FrameListener;

  constructor(load: Load, title: string, state: FrameState, listener: FrameListener) {
    this.load = load;
    this.state = state;
    this.granted = load.granted;
    this.settings = load.settings as FrameSettings;
    this.#listener = listener;
    this.element = document.createElement("iframe");
    this.element.setAttribute("sandbox", "allow-scripts");
    this.element.title = title;
    this.element.dataset["instance"] = load.instance ?? "shell";
    this.element.dataset["version"] = load.version;
    this.element.addEventListener("load", () => this.#loaded());
    this.element.src = load.url;
  }

  /** Whether it holds the shell. */
  get isShell(): boolean {
    return this.load.instance === null;
  }

  /** Whether it has the keyboard. */
  get focused(): boolean {
    return document.activeElement === this.element;
  }

  send(message: ShellStageMessage): void {
    this.#port?.postMessage(message);
  }

  /** Asks; the answer to this question, and to no other, goes to `answered`. */
  ask(question: Question<StageMessage>, answered: (answer: Answer) => void): void {
    const id = ++this.#lastId;
    this.#questions.set(id, answered);
    this.send({ ...question, id });
  }

  /** Lays it at these edges. */
  place({ x, y, width, height }: Box, radius: number): void {
    const { style } = this.element;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.borderRadius = radius ? `${radius}px` : "";
  }

  /** Sends news of what happened outside of it, in order. */
  tell(news: readonly NewsMessage[]): void {
    for (const one of news) this.send(one);
    this.told += news.length;
  }

  /** Tells it that it goes, and removes it when it has ended, or after so long. */
  dispose(budgetMs: number): void {
    this.state = "outgoing";
    const timer = setTimeout(() => this.remove(), budgetMs);
    this.#disposed = () => {
      clearTimeout(timer);
      this.remove();
    };
    this.send({ kind: "dispose" });
  }

  remove(): void {
    this.#port?.close();
    this.#port = null;
    this.#questions.clear();
    this.#said.clear();
    this.begins.clear();
    this.element.remove();
  }

  /** Whether another message of it is taken. */
  admit(): boolean {
    const now = performance.now();
    this.heardAt = now;
    const verdict = this.#flood.take(now);
    if (verdict === "end") this.#listener.flooded(this, this.#flood.dropped);
    return verdict === "read";
  }

  #loaded(): void {
    this.#loads += 1;
    if (this.#loads > 1) {
      this.#port?.close();
      this.#port = null;
      this.#said.clear();
      this.#listener.strayed(this);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    // A message is read only if it is taken: unread, a flood costs next to nothing.
    port1.onmessage = (event) => {
      if (this.admit()) this.#said.take(event, this.heardAt);
    };
    // The frame's origin is opaque, so no origin can be named; the port reaches the loaded page alone.
    this.element.contentWindow?.postMessage({ moult: 1, kind: "port" }, "*", [port2]);
  }

  #receive(data: unknown): void {
    const message = readFrameMessage(data, this.isShell);
    if (!message) {
      const kind: unknown = (data as { kind?: unknown } | null)?.kind;
      return this.#listener.strange(this, typeof kind === "string" ? kind.slice(0, 40) : typeof data);
    }
    if (message.kind === "snapshot" || message.kind === "frozen" || message.kind === "restored") {
      const answered = this.#questions.get(message.id);
      this.#questions.delete(message.id);
      answered?.(message);
      return;
    }
    if (message.kind === "disposed") return this.#disposed?.();
    this.#listener.message(this, message);
  }
}
