// What the Pomodoro draws. Knows neither the host nor how time passes: it is told what there is to show.

import { createDial } from "./dial.js";
import { doneInSet, leftOf, lengthOf, MAX_SUBJECT, nextPhase } from "./rounds.js";
import type { Plan, Rounds } from "./rounds.js";
import type { Words } from "./words.js";

/** What the user can do. */
export interface Acts {
  toggle(): void;
  skip(): void;
  reset(): void;
  name(subject: string): void;
}

/** The drawn widget. */
export interface View {
  show(rounds: Rounds, plan: Plan, now: number): void;
  /** Says that a phase has ended, to who does not see it. */
  announce(text: string): void;
}

export function createView(parent: HTMLElement, words: Words, acts: Acts): View {
  const dial = createDial();
  const face = element("div", "face");
  const time = element("p", "time number");
  time.setAttribute("data-testid", "pomodoro-time");
  time.setAttribute("role", "timer");
  const of = element("p", "of number");
  face.append(dial.svg, time, of);

  const side = element("div", "side");
  const round = element("p", "round number");
  const subject = element("input", "subject");
  Object.assign(subject, {
    id: "subject",
    maxLength: MAX_SUBJECT,
    placeholder: words.subjectHint,
    autocomplete: "off",
  });
  subject.setAttribute("aria-label", words.subject);
  subject.addEventListener("input", () => acts.name(subject.value));
  subject.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    toggle.focus();
  });
  const blocks = element("div", "blocks");
  blocks.setAttribute("aria-hidden", "true");
  const next = element("p", "next number");
  const buttons = element("div", "acts");
  const toggle = button("toggle", "", () => acts.toggle());
  const skip = button("skip", words.skip, () => acts.skip());
  const reset = button("reset", "", () => acts.reset());
  reset.title = words.reset;
  reset.setAttribute("aria-label", words.reset);
  reset.append(turnBack());
  buttons.append(toggle, skip, reset);
  side.append(subject, round, blocks, next, buttons);

  const live = element("p", "unseen");
  live.setAttribute("role", "status");
  parent.replaceChildren(face, side, live);

  return {
    announce(text) {
      live.textContent = text;
    },
    show(rounds, plan, now) {
      const left = leftOf(rounds, plan, now);
      const length = lengthOf(rounds, plan);
      const minutes = words.number(plan.lengths[rounds.phase]);
      const running = rounds.ends_at !== null;
      const begun = running || rounds.left_ms !== null;
      parent.classList.toggle("resting", rounds.phase !== "work");
      parent.classList.toggle("still", !running);
      dial.show(left / length, plan.lengths[rounds.phase]);
      const label = words.dial(words.phases[rounds.phase], words.number(Math.ceil(left / 60_000)), minutes);
      if (dial.svg.getAttribute("aria-label") !== label) dial.svg.setAttribute("aria-label", label);
      setText(time, words.left(left));
      setText(of, begun && !running ? words.paused : words.of(minutes));

      const done = doneInSet(rounds, plan);
      const current = rounds.phase === "work" ? done + 1 : done;
      setText(round, words.round(words.number(Math.max(1, current)), words.number(plan.rounds)));
      drawBlocks(plan.rounds, done, rounds.phase === "work" ? 1 - left / length : 0);
      const follows = nextPhase(rounds.phase, rounds.done + (rounds.phase === "work" ? 1 : 0), plan);
      setText(next, words.next(words.phases[follows], words.number(plan.lengths[follows])));

      if (subject.value !== rounds.subject) subject.value = rounds.subject;
      setText(toggle, running ? words.pause : begun ? words.resume : words.start);
      toggle.classList.toggle("main", !running);
      reset.hidden = !begun;
    },
  };

  function drawBlocks(count: number, done: number, share: number): void {
    while (blocks.childElementCount < count) blocks.append(element("i", "block"));
    while (blocks.childElementCount > count) blocks.lastElementChild?.remove();
    [...blocks.children].forEach((block, index) => {
      // In steps that can be seen, so that nothing is painted for a change that can't.
      const filled = index < done ? 1 : index === done ? Math.floor(share * 24) / 24 : 0;
      const width = `${(filled * 100).toFixed(1)}%`;
      const { style } = block as HTMLElement;
      if (style.getPropertyValue("--filled") !== width) style.setProperty("--filled", width);
    });
  }

  function button(name: string, text: string, act: () => void): HTMLButtonElement {
    const made = element("button", `act ${name}`);
    made.type = "button";
    made.textContent = text;
    made.setAttribute("data-testid", `pomodoro-${name}`);
    made.setAttribute("data-moult-key", name);
    made.addEventListener("click", act);
    return made;
  }
}

/** An arrow that turns back, drawn after Lucide. */
function turnBack(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 12a9 9 0 1 0 9-9 9.75 9.75 0 0 0-6.74 2.74L3 8M3 3v5h5");
  svg.append(path);
  return svg;
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}
