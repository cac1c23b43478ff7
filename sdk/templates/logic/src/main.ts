// Joins the page to the host and to its logic: the logic keeps the counter, the page draws what it says.

import { connect } from "@moult/widget";

import { createView } from "./view";
import type { View } from "./view";
import { wordsFor } from "./words";
import type { Words } from "./words";

let count = 0;
let goal = 8;
let words: Words = wordsFor("en");
let view: View | null = null;

// What is kept is the logic's affair, so the page itself keeps nothing. The schema is that of moult.json.
const host = connect<null>({
  schema: 2,
  migrate: { 1: () => null },
  start({ settings, locale }) {
    words = wordsFor(locale);
    goal = Number(settings["goal"]);
    view = createView(document.body, words, locale, (amount) => void tell({ kind: "add", amount }));
    document.addEventListener("visibilitychange", () => void tell({ kind: "look" }));
    show();
    void tell({ kind: "look" });
  },
  snapshot: () => null,
});

host.onSettings((settings) => {
  goal = Number(settings["goal"]);
  show();
});

/** Tells the logic what happened, and shows what it answers. */
async function tell(event: { kind: string; amount?: number }): Promise<void> {
  try {
    const answer = (await host.logic(event)) as { count: number };
    count = answer.count;
    view?.trouble("");
    show();
  } catch {
    view?.trouble(words.unanswered);
  }
}

function show(): void {
  view?.show(count, goal);
  host.header("{{TITLE}}", count >= goal ? words.done : words.left(String(goal - count)));
}
