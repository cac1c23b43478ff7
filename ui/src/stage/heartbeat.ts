// The stage's beat. All frames share its process, and a widget that holds it up can be ended from the native side
// alone: there the beats are missed. Each says who was at work, for the case that it is the last.

import type { Placed, Pulse } from "../host/bindings";
import type { Frame } from "./frame";
import type { Native } from "./native";

/** How often it beats, in milliseconds. */
const BEAT_MS = 250;

/** What is on the stage. */
export interface Beating {
  /** The widgets' frames, also those that are on their way in or out. */
  widgetFrames(): Frame[];
  /** The instance that has the keyboard. */
  readonly keyboard: string | null;
}

/** Beats from now on. Returns what ends it. */
export function beat(stage: Beating, native: Native): () => void {
  const pulses = new Pulses(stage);
  const once = () => void native.report({ kind: "heartbeat", pulse: pulses.take(performance.now()) }).catch(() => {});
  once();
  const timer = setInterval(once, BEAT_MS);
  document.addEventListener("visibilitychange", once);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", once);
  };
}

/** What is said with each beat. */
export class Pulses {
  readonly #stage: Beating;
  #at = -Infinity;
  #told = "";

  constructor(stage: Beating) {
    this.#stage = stage;
  }

  take(now: number): Pulse {
    const frames = this.#stage.widgetFrames();
    const names = (some: Frame[]) => [...new Set(some.flatMap(({ load }) => load.instance ?? []))];
    const places = frames.filter(({ state }) => state !== "incoming").flatMap(placed);
    const told = JSON.stringify(places);
    const pulse = {
      hidden: document.visibilityState === "hidden",
      loading: names(frames.filter(({ ready, state }) => !ready && state !== "outgoing")),
      active: names(frames.filter(({ heardAt }) => heardAt >= this.#at)),
      keyboard: this.#stage.keyboard,
      places: told === this.#told ? null : places,
    };
    this.#told = told;
    this.#at = now;
    return pulse;
  }
}

function placed({ load, element }: Frame): Placed[] {
  if (load.instance === null || element.style.visibility === "hidden") return [];
  const { x, y, width, height } = element.getBoundingClientRect();
  return [{ instance: load.instance, x, y, width, height }];
}
