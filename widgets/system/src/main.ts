// The system widget: joins the host, asks for figures each second while it is seen and may, and has them drawn.

import { CallRefused, connect } from "@moult/widget";

import { NO_HISTORY, readFigures, readHistory, withFigures } from "./figures.js";
import type { Figures, History } from "./figures.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

const CAPABILITY = "system.figures";
const ASK_EVERY_MS = 1_000;

/** Without an answer for this long, it is said so. Milliseconds. */
const STALE_MS = 5_000;

/**
 * The state is saved at every so many samples. A swap takes the newest samples along by itself; what is saved between
 * serves a restart, and one write a second for that would only wear the disk.
 */
const SAVE_EVERY = 30;

let history: History = NO_HISTORY;
let figures: Figures | null = null;
let words: Words = wordsFor("en");
let view: View | null = null;
let timer = 0;
let asking = false;
let answers = 0;
let answeredAt = Date.now();

const host = connect<History>({
  schema: 1,
  parse: readHistory,
  start({ state, locale }) {
    words = wordsFor(locale);
    view = createView(document.body, words);
    host.header(words.title, words.span);
    history = state ?? NO_HISTORY;
    document.addEventListener("visibilitychange", next);
    draw();
    next();
  },
  snapshot: () => history,
  restore(state) {
    history = state;
    draw();
  },
  dispose() {
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", next);
  },
});
host.onGranted(() => {
  answeredAt = Date.now();
  draw();
  next();
});

function mayAsk(): boolean {
  return host.granted().includes(CAPABILITY);
}

/** Asks now if it is time and allowed, and sees to it that it is asked again at the next full second. */
function next(): void {
  window.clearTimeout(timer);
  if (document.visibilityState === "hidden" || !mayAsk()) return;
  timer = window.setTimeout(next, ASK_EVERY_MS - (Date.now() % ASK_EVERY_MS));
  if (!asking) void ask();
  draw();
}

async function ask(): Promise<void> {
  asking = true;
  const at = Date.now();
  try {
    figures = readFigures(await host.call(CAPABILITY, {}));
    history = withFigures(history, figures, at);
    answeredAt = at;
    answers += 1;
    if (answers % SAVE_EVERY === 0) host.changed();
  } catch (refused) {
    // A refused or failed call is shown as old figures; anything else is a fault of this widget.
    if (!(refused instanceof CallRefused)) throw refused;
  } finally {
    asking = false;
  }
  draw();
}

function draw(): void {
  const now = Date.now();
  if (!mayAsk()) {
    view?.say(words.denied);
    return;
  }
  const notice = now - answeredAt > STALE_MS ? words.since(words.time(answeredAt)) : "";
  view?.show({ history, figures, now: history.samples.at(-1)?.at ?? now, notice });
}
