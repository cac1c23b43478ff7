// Joins the widget to the host: takes over what was kept, draws it, and says when it changed.

import { connect } from "@moult/widget";

import { add, FIRST, MIGRATIONS, onDay, readCounter, SCHEMA, today } from "./counter";
import type { Counter } from "./counter";
import { createView } from "./view";
import type { View } from "./view";
import { wordsFor } from "./words";
import type { Words } from "./words";

let counter: Counter = FIRST;
let goal = 8;
let words: Words = wordsFor("en");
let view: View | null = null;

const host = connect<Counter>({
  schema: SCHEMA,
  migrate: MIGRATIONS,
  parse: readCounter,
  start({ state, settings, locale }) {
    words = wordsFor(locale);
    goal = Number(settings["goal"]);
    counter = state ?? FIRST;
    view = createView(document.body, words, locale, (amount) => {
      counter = add(onDay(counter, today()), amount);
      host.changed();
      show();
    });
    document.addEventListener("visibilitychange", show);
    show();
  },
  snapshot: () => counter,
  restore(state) {
    counter = state;
    show();
  },
});

host.onSettings((settings) => {
  goal = Number(settings["goal"]);
  show();
});

function show(): void {
  const { count } = onDay(counter, today());
  view?.show(count, goal);
  host.header("{{TITLE}}", count >= goal ? words.done : words.left(String(goal - count)));
}
