// The clock: joins the host, keeps the places, and tells the view what time it is whenever that differs.

import { connect } from "@moult/widget";

import { untilNext } from "./day.js";
import { FIRST_PLACES, placeName, readPlaces, wishOf } from "./places.js";
import type { Places, Wish } from "./places.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { isChinese, wordsFor } from "./words.js";

/** A tile as narrow as this has no room for a long date, in CSS px. */
const NARROW = 260;

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
let places = [...FIRST_PLACES];
let wish: Wish = wishOf({}, here);
let locale = "en";
let view: View | null = null;
let timer = 0;

const host = connect<Places>({
  schema: 1,
  parse: readPlaces,
  start(context) {
    locale = context.locale;
    wish = wishOf(context.settings, here);
    view = createView(document.body, { here, locale }, choose);
    take(context.state ?? { places });
    document.addEventListener("visibilitychange", tick);
  },
  snapshot: () => ({ places }),
  restore: take,
  dispose() {
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", tick);
  },
});
host.onSettings((settings) => {
  wish = wishOf(settings, here);
  lay();
});

function take(state: Places): void {
  places = [...state.places];
  lay();
}

function lay(): void {
  view?.place(wish.places ?? places, wish.places === null);
  tick();
}

function choose(row: number, zone: string): void {
  places[row] = zone;
  host.changed();
  lay();
  document.getElementById(`place-${row + 1}`)?.focus();
}

/** Shows the time now and waits for the next. Read anew each time, so it is right after sleep and a changed clock. */
function tick(): void {
  window.clearTimeout(timer);
  if (document.visibilityState === "hidden") return;
  const now = new Date();
  view?.show(now, wish.seconds);
  host.header(placeName(here, isChinese(locale)), wordsFor(locale).date(now, window.innerWidth <= NARROW));
  timer = window.setTimeout(tick, untilNext(Date.now(), wish.seconds));
}
