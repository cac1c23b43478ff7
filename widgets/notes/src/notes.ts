// The note on the page: two fields and their count, kept as state. Knows the host, not how the widget is joined to it.

import type { Host, Widget } from "@moult/widget";

import { EMPTY, FIELDS, fromText, nameOf, readNote, refocus } from "./note.js";
import type { Note } from "./note.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

/** The header's "2 min ago" is looked at this often, in milliseconds. */
const AGE_EVERY_MS = 15_000;

/** At most this many UTF-16 units in the body: with any characters it fits into the state. */
const MAX_BODY = 250_000;

/** The widget, for {@link connect}. `host` is asked for once the widget is joined to it. */
export function createNotes(host: () => Host): Widget<Note> {
  const title = document.createElement("input");
  const body = document.createElement("textarea");
  const foot = document.createElement("p");
  let editedAt: string | null = null;
  let words: Words = wordsFor("en");
  let timer = 0;

  const snapshot = (): Note => ({ title: title.value, body: body.value, edited_at: editedAt });

  const show = (): void => {
    const note = snapshot();
    foot.textContent = words.length(note.title ? `${note.title}\n${note.body}` : note.body);
    host().header(nameOf(note) || words.untitled, words.age(editedAt, Date.now()));
  };

  const take = (note: Note): void => {
    editedAt = note.edited_at;
    // Setting the same text again would move the caret to its end.
    if (title.value !== note.title) title.value = note.title;
    if (body.value !== note.body) body.value = note.body;
    show();
  };

  const edited = (): void => {
    editedAt = new Date().toISOString();
    show();
    host().changed();
  };

  const draw = (): void => {
    const label = document.createElement("label");
    label.htmlFor = FIELDS.title;
    label.textContent = words.title;
    Object.assign(title, { id: FIELDS.title, maxLength: 200, autocomplete: "off" });
    title.setAttribute("data-testid", "notes-title");
    title.addEventListener("input", edited);
    title.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
      event.preventDefault();
      body.focus();
      body.setSelectionRange(0, 0);
    });
    const head = document.createElement("div");
    head.className = "head";
    head.append(label, title);

    Object.assign(body, { id: FIELDS.body, maxLength: MAX_BODY, placeholder: words.placeholder });
    body.setAttribute("data-testid", "notes-editor");
    body.setAttribute("aria-label", words.body);
    body.addEventListener("input", edited);

    foot.className = "foot number";
    foot.setAttribute("data-testid", "notes-count");
    document.body.replaceChildren(head, body, foot);
  };

  return {
    schema: 2,
    migrate: { 1: fromText },
    parse: readNote,
    refocus,
    start({ state, locale }) {
      words = wordsFor(locale);
      draw();
      take(state ?? EMPTY);
      timer = window.setInterval(show, AGE_EVERY_MS);
    },
    snapshot,
    restore: take,
    dispose: () => window.clearInterval(timer),
  };
}
