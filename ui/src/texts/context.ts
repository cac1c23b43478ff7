// The texts of the session's language, for every part of the screen without handing them down.

import { getContext, setContext } from "svelte";

import type { Session } from "../state/session.svelte";
import { type Texts, en } from "./en";
import { type Language, languageOf } from "./format";
import { zh } from "./zh";

const KEY = Symbol("texts");

/** The texts of a language. */
export function textsOf(language: Language): Texts {
  return language === "zh" ? zh : en;
}

/** What the screen speaks with: always of the language that the session has now. */
export interface Words {
  readonly t: Texts;
  readonly language: Language;
}

export function provideWords(session: Session): Words {
  const words = {
    get language() {
      return languageOf(session.locale);
    },
    get t() {
      return textsOf(languageOf(session.locale));
    },
  };
  return setContext(KEY, words);
}

export function words(): Words {
  return getContext<Words>(KEY);
}
