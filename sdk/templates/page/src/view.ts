// What is seen: a figure, a bar, two buttons. Knows neither the host nor what is kept.

import type { Words } from "./words";

export interface View {
  show(count: number, goal: number): void;
  /** Says what went wrong; an empty text takes it away. */
  trouble(text: string): void;
}

export function createView(body: HTMLElement, words: Words, locale: string, add: (amount: number) => void): View {
  const number = new Intl.NumberFormat(locale);
  const counter = element("div", "counter");
  const figure = element("p", "figure");
  // Read out whenever it changes, once the user has done something.
  figure.setAttribute("aria-live", "polite");
  figure.setAttribute("aria-atomic", "true");
  const count = element("span", "count");
  const goal = element("span", "goal");
  const bar = element("div", "bar");
  bar.setAttribute("aria-hidden", "true");
  const filled = element("span", "");
  const buttons = element("div", "buttons");
  const trouble = element("p", "trouble");
  trouble.setAttribute("role", "status");

  // An `id` each: the keyboard's place is found again by it when a new version is swapped in.
  for (const [id, label, sign, amount] of [
    ["fewer", words.fewer, "−", -1],
    ["more", words.more, "+", 1],
  ] as const) {
    const button = element("button", id);
    button.id = id;
    button.textContent = sign;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => add(amount));
    buttons.append(button);
  }
  figure.append(count, goal);
  bar.append(filled);
  counter.append(figure, bar, buttons, trouble);
  body.replaceChildren(counter);

  return {
    show(now, wanted) {
      count.textContent = number.format(now);
      goal.textContent = words.of(number.format(wanted));
      filled.style.width = `${Math.min(100, (100 * now) / wanted)}%`;
    },
    trouble(text) {
      trouble.textContent = text;
    },
  };
}

function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name: string): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}
