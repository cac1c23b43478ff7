// The Pomodoro as a widget: keeps the rounds, wakes when the next second or the end of the phase comes, tells others.
// Knows the host; knows neither how the widget is joined to it nor how it is drawn.

import { CallRefused } from "@moult/widget";
import type { Host, Widget } from "@moult/widget";
import { publish } from "@moult/widget/bus";
import { notify } from "@moult/widget/desktop";

import { dayOf, FIRST, leftOf, passed, pause, planOf, readRounds, reset, skip, start } from "./rounds.js";
import type { Phase, Plan, Rounds } from "./rounds.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

/** The widget, for {@link connect}. `host` is asked for once the widget is joined to it. */
export function createPomodoro(host: () => Host): Widget<Rounds> {
  let rounds = FIRST;
  let plan: Plan = planOf({});
  let words: Words = wordsFor("en");
  let view: View | null = null;
  let timer = 0;
  const ends: (() => void)[] = [];

  /** Draws what there is now, and comes again when something will differ. */
  const tick = (): void => {
    window.clearTimeout(timer);
    const now = Date.now();
    const before = rounds;
    const { rounds: after, ended } = passed(rounds, plan, now, dayOf(new Date(now)));
    rounds = after;
    if (ended) tellEnd(ended);
    if (rounds.phase !== before.phase || rounds.ends_at !== before.ends_at) told();
    draw(now);
    if (rounds.ends_at === null) return;
    const left = leftOf(rounds, plan, now);
    const hidden = document.visibilityState === "hidden";
    // The second turns when what is left is a whole one.
    timer = window.setTimeout(tick, hidden ? left : left % 1000 || 1000);
  };

  const draw = (now: number): void => {
    view?.show(rounds, plan, now);
    const aside =
      rounds.ends_at !== null
        ? words.until(words.time(rounds.ends_at))
        : rounds.left_ms !== null
          ? words.paused
          : rounds.done > 0
            ? words.today(words.number(rounds.done), rounds.done === 1)
            : "";
    const begun = rounds.ends_at !== null || rounds.left_ms !== null || rounds.phase !== "work";
    host().header(begun ? words.phases[rounds.phase] : words.title, aside);
  };

  const change = (to: Rounds): void => {
    const clockChanged = to.phase !== rounds.phase || to.ends_at !== rounds.ends_at;
    rounds = to;
    if (clockChanged) told();
    else host().changed();
    tick();
  };

  /** Keeps it and tells who listens. */
  const told = (): void => {
    host().changed();
    const { phase, ends_at } = rounds;
    if (host().granted().includes("bus")) publish(host(), "phase", { phase, ends_at }).catch(unlessRefused);
  };

  const tellEnd = (ended: Phase): void => {
    const next = words.follows(words.phases[rounds.phase], words.number(plan.lengths[rounds.phase]));
    view?.announce(`${words.ended[ended]}. ${next}`);
    if (host().granted().includes("notifications")) {
      notify(host(), words.ended[ended], rounds.subject.trim() || next).catch(unlessRefused);
    }
  };

  return {
    schema: 1,
    parse: readRounds,
    start({ state, locale, settings }) {
      words = wordsFor(locale);
      plan = planOf(settings);
      rounds = state ?? FIRST;
      view = createView(document.body, words, {
        toggle: () => change((rounds.ends_at === null ? start : pause)(rounds, plan, Date.now())),
        skip: () => change(skip(rounds, plan, Date.now())),
        reset: () => change(reset(rounds)),
        name: (subject) => change({ ...rounds, subject }),
      });
      ends.push(
        host().onSettings((changed) => {
          plan = planOf(changed);
          tick();
        }),
      );
      document.addEventListener("visibilitychange", tick);
      tick();
    },
    snapshot: () => rounds,
    restore(state) {
      rounds = state;
      tick();
    },
    dispose() {
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", tick);
      for (const end of ends.splice(0)) end();
    },
  };
}

/** A notification or an event that is refused changes nothing here; anything else is a fault of this widget. */
function unlessRefused(thrown: unknown): void {
  if (!(thrown instanceof CallRefused)) throw thrown;
}
