// The clock: joins the host, keeps the places, and tells the view each second what time it is.

import { connect } from "@moult/widget";

import { untilNextSecond } from "./day.js";
import { FIRST_PLACES, placeName, readPlaces } from "./places.js";
import type { Places } from "./places.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { isChinese, wordsFor } from "./words.js";

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
let places = [...FIRST_PLACES];
let locale = "en";
let view: View | null = null;
let timer = 0;

const host = connect<Places>({
  schema: 1,
  parse: readPlaces,
  start(context) {
    locale = context.locale;
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

function take(state: Places): void {
  places = [...state.places];
  view?.place(places);
  tick();
}

function choose(row: number, zone: string): void {
  places[row] = zone;
  host.changed();
  view?.place(places);
  tick();
  document.getElementById(`place-${row + 1}`)?.focus();
}

/** Shows the time now and waits for the next full second. Read anew each time, so it is right after sleep and a changed clock. */
function tick(): void {
  window.clearTimeout(timer);
  if (document.visibilityState === "hidden") return;
  const now = new Date();
  view?.show(now);
  host.header(placeName(here, isChinese(locale)), wordsFor(locale).date(now));
  timer = window.setTimeout(tick, untilNextSecond(Date.now()));
}
