// What is shown when the shell could not be loaded: plain words and a way on. Made by hand, since whatever broke the
// shell must not break this.

import { localeOf } from "./locale";

const TEXTS = {
  en: {
    title: "The board could not be shown",
    kept: "Your widgets and what they hold are on this computer, unchanged.",
    advice: "Moult goes back to the version before by itself. If this stays, start it again.",
    restart: "Start again",
  },
  zh: {
    title: "面板未能显示",
    kept: "小组件及其内容都在这台电脑上，没有改动。",
    advice: "Moult 会自行回到上一个版本。如果一直停在这里，重新启动它。",
    restart: "重新启动",
  },
};

/** Fills or empties the message. */
export function failureMessage(place: HTMLElement, detail: string | null, restart: () => void): void {
  place.replaceChildren();
  place.hidden = detail === null;
  if (detail === null) return;
  const texts = localeOf(navigator.languages).startsWith("zh") ? TEXTS.zh : TEXTS.en;
  const button = element("button", texts.restart);
  button.dataset["testid"] = "stage-restart";
  button.addEventListener("click", restart);
  place.append(
    element("h1", texts.title),
    element("p", texts.kept),
    element("p", texts.advice),
    element("code", detail.split("\n", 1)[0] ?? ""),
    button,
  );
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
