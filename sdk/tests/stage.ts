// The stage's side of a frame, for tests: a real message channel and a record of what came over it.

import type { FrameMessage, KeyStroke, StageMessage, StartMessage } from "../src/protocol.js";

export const START: StartMessage = {
  kind: "start",
  token: "t1",
  instance: "i1",
  version: "1.0.0",
  theme: "dark",
  locale: "en",
  reduced_motion: false,
  granted: [],
  saved: null,
};

type Kind = FrameMessage["kind"];
type Of<K extends Kind> = Extract<FrameMessage, { kind: K }>;

export class Stage {
  readonly heard: FrameMessage[] = [];
  readonly #port: MessagePort;

  /** Hands a port to this window, as its parent unless told otherwise. */
  constructor(source: unknown = window.parent) {
    const channel = new MessageChannel();
    this.#port = channel.port1;
    this.#port.onmessage = (event: MessageEvent<FrameMessage>) => this.heard.push(event.data);
    const event = new MessageEvent("message", { data: { moult: 1, kind: "port" } });
    Object.defineProperties(event, { source: { value: source }, ports: { value: [channel.port2] } });
    window.dispatchEvent(event);
  }

  say(message: StageMessage): void {
    this.#port.postMessage(message);
  }

  all<K extends Kind>(kind: K): Of<K>[] {
    return this.heard.filter((message): message is Of<K> => message.kind === kind);
  }

  /** The next message of the kind that has not been waited for. */
  async next<K extends Kind>(kind: K, milliseconds = 2_000): Promise<Of<K>> {
    const until = Date.now() + milliseconds;
    for (;;) {
      const at = this.heard.findIndex((message) => message.kind === kind);
      if (at >= 0) return this.heard.splice(at, 1)[0] as Of<K>;
      if (Date.now() > until) {
        throw new Error(`no ${kind}; heard ${JSON.stringify(this.heard)}`);
      }
      await pause(2);
    }
  }

  /** Everything that was sent before has been dealt with: an answer to a later question is there. */
  async settled(): Promise<void> {
    this.say({ kind: "snapshot", id: 999 });
    await this.next("snapshot");
  }

  close(): void {
    this.say({ kind: "dispose" });
    setTimeout(() => this.#port.close(), 50);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export function stroke(key: string, more: Partial<KeyStroke> = {}): KeyStroke {
  const text = Array.from(key).length === 1 ? key : null;
  return { key, code: "", text, alt: false, ctrl: false, meta: false, shift: false, ...more };
}

/** Presses a key as the user would. Returns whether the page let the browser act on it. */
export function press(target: Element, key: string, more: KeyboardEventInit = {}): boolean {
  return target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}
