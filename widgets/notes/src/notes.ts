// The note on the page: read as Markdown, written as its source, kept as state. The field for the source is always
// there and takes every click and key; while it has not the keyboard, what is read lies over it.
// Knows the host, not how the widget is joined to it.

import { CallRefused } from "@moult/widget";
import type { Host, Widget } from "@moult/widget";
import { open } from "@moult/widget/desktop";

import { withTask } from "./markdown.js";
import { EMPTY, FIELDS, fromSource, fromText, readNote, refocus } from "./note.js";
import type { Note } from "./note.js";
import { createReading } from "./reading.js";
import type { Reading } from "./reading.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

/** The header's "2 min ago" is looked at this often, in milliseconds. */
const AGE_EVERY_MS = 15_000;

/** At most this many UTF-16 units in the body: with any characters it fits into the state. */
const MAX_BODY = 250_000;

/**
 * A frame that loses the keyboard shows the note as read only after this long, in milliseconds: while a version is
 * replaced the keyboard goes from frame to frame, and nothing the user sees may change by that.
 */
const LEFT_MS = 600;

/** A text of at most this many UTF-16 units and two lines is shown large, as on a slip of paper. */
const SHORT = 70;

/** One of at most this many is shown larger than others, if it has the room. */
const MEDIUM = 320;

/** The widget, for {@link connect}. `host` is asked for once the widget is joined to it. */
export function createNotes(host: () => Host): Widget<Note> {
  const title = document.createElement("input");
  const body = document.createElement("textarea");
  const page = document.createElement("div");
  const foot = document.createElement("div");
  const count = document.createElement("p");
  let reading: Reading | null = null;
  let editedAt: string | null = null;
  let writing = false;
  let words: Words = wordsFor("en");
  let timer = 0;
  let leaving = 0;
  let stopGranted = (): void => undefined;

  const snapshot = (): Note => ({ title: title.value, body: body.value, edited_at: editedAt, writing });

  const show = (): void => {
    const text = title.value ? `${title.value}\n${body.value}` : body.value;
    count.textContent = text === "" ? "" : words.length(text);
    // The first line stands right below the header: without a title it is not said twice.
    host().header(title.value.trim() || (text === "" ? words.untitled : words.body), words.age(editedAt, Date.now()));
  };

  const drawReading = (): void => {
    if (writing) return;
    reading?.draw(body.value, host().granted().includes("open.url"));
    fit();
  };

  /** A short text is larger in the same room. While it is written in, its size stays. */
  const fit = (): void => {
    if (writing) return;
    const { length } = body.value;
    page.classList.remove("short", "medium");
    const size =
      length <= SHORT && body.value.trimEnd().split("\n").length <= 2 ? "short" : length <= MEDIUM ? "medium" : "";
    if (size === "") return;
    page.classList.add(size);
    if (page.scrollHeight > page.clientHeight) page.classList.remove(size);
  };

  const write = (on: boolean): void => {
    window.clearTimeout(leaving);
    if (writing === on) return;
    writing = on;
    page.classList.toggle("writing", on);
    foot.classList.toggle("writing", on);
    body.spellcheck = on;
    drawReading();
  };

  const take = (note: Note): void => {
    editedAt = note.edited_at;
    // Setting the same text again would move the caret to its end.
    if (title.value !== note.title) title.value = note.title;
    if (body.value !== note.body) body.value = note.body;
    write(note.writing);
    drawReading();
    show();
  };

  const edited = (): void => {
    editedAt = new Date().toISOString();
    drawReading();
    show();
    host().changed();
  };

  const focused = (): void => {
    write(true);
    host().changed();
  };

  const left = (): void => {
    window.clearTimeout(leaving);
    const look = (): void => {
      const active = document.activeElement;
      if ((active === body || active === title) && document.hasFocus()) return;
      write(false);
      host().changed();
    };
    // Who went elsewhere in this tile is done writing; who left the tile may be back at once.
    leaving = window.setTimeout(look, document.hasFocus() ? 0 : LEFT_MS);
  };

  /** Escape ends the writing, so that keys alone reach what is read; a second one is the application's. */
  const escaped = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.isComposing || body.value === "") return;
    event.preventDefault();
    write(false);
    reading?.root.focus({ preventScroll: true });
    host().changed();
  };

  /** A press on what is read puts the caret on the same character of the source, once the browser has put it anywhere. */
  const pressed = (event: MouseEvent): void => {
    if (writing || event.button !== 0 || !reading) return;
    const place = reading.placeAt(event.clientX, event.clientY);
    const above = event.clientY - page.getBoundingClientRect().top;
    window.setTimeout(() => {
      body.setSelectionRange(place, place);
      body.scrollTop = (place / Math.max(1, body.value.length)) * body.scrollHeight - above;
    });
  };

  const tick = (at: number, done: boolean): void => {
    const { selectionStart, selectionEnd } = body;
    body.value = withTask(body.value, at, done);
    body.setSelectionRange(selectionStart, selectionEnd);
    edited();
  };

  const openLink = (url: string): void => {
    open(host(), url).catch((thrown: unknown) => {
      // Refused: the grant was taken back just now, which the next picture shows.
      if (!(thrown instanceof CallRefused)) throw thrown;
    });
  };

  const draw = (): void => {
    reading = createReading(words.body, { tick, open: openLink });
    page.className = "page";
    page.setAttribute("data-moult-key", "page");
    Object.assign(body, { id: FIELDS.body, maxLength: MAX_BODY, placeholder: words.placeholder, spellcheck: false });
    body.setAttribute("data-testid", "notes-editor");
    body.setAttribute("aria-label", words.source);
    body.addEventListener("input", edited);
    body.addEventListener("focus", focused);
    body.addEventListener("blur", left);
    body.addEventListener("mousedown", pressed);
    // A version before this one scrolled the source; what is read goes as far.
    body.addEventListener("scroll", () => {
      if (writing || body.scrollTop === 0) return;
      const far = body.scrollTop / Math.max(1, body.scrollHeight - body.clientHeight);
      page.scrollTop = far * (page.scrollHeight - page.clientHeight);
    });
    reading.root.addEventListener("keydown", (event) => {
      if (event.target !== event.currentTarget || event.key !== "Enter") return;
      event.preventDefault();
      body.focus();
    });
    // What is read comes first: Tab reaches its boxes and links before the field that would take their place.
    page.append(reading.root, body);
    body.addEventListener("keydown", escaped);
    title.addEventListener("keydown", escaped);

    const label = document.createElement("label");
    label.htmlFor = FIELDS.title;
    label.textContent = words.title;
    Object.assign(title, { id: FIELDS.title, maxLength: 200, autocomplete: "off" });
    title.setAttribute("data-testid", "notes-title");
    title.addEventListener("input", edited);
    title.addEventListener("focus", focused);
    title.addEventListener("blur", left);
    title.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      body.focus();
      if (event.key === "Enter") body.setSelectionRange(0, 0);
    });
    count.className = "count number";
    count.setAttribute("data-testid", "notes-count");
    foot.className = "foot";
    foot.append(label, title, count);
    document.body.replaceChildren(page, foot);
  };

  return {
    schema: 3,
    migrate: { 1: fromText, 2: fromSource },
    parse: readNote,
    refocus,
    start({ state, locale }) {
      words = wordsFor(locale);
      draw();
      // After a restart nobody writes yet; a version that takes over is told so by `restore`.
      take({ ...(state ?? EMPTY), writing: false });
      timer = window.setInterval(show, AGE_EVERY_MS);
      stopGranted = host().onGranted(drawReading);
      window.addEventListener("resize", fit);
    },
    snapshot,
    restore: take,
    dispose() {
      window.clearInterval(timer);
      window.clearTimeout(leaving);
      stopGranted();
      window.removeEventListener("resize", fit);
    },
  };
}
