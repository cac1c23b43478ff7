// A note: its state, how older states become this one, and where a caret of 1.0 belongs. No clock, no DOM.

import type { Focus, SavedState } from "@moult/widget";

/** The state, schema 3. */
export interface Note {
  title: string;
  body: string;
  /** When it was last edited, RFC 3339 in UTC; null if it never was. */
  edited_at: string | null;
  /** Whether it is open for writing: the version that takes over then shows its source at once, as the user saw it. */
  writing: boolean;
}

/** The ids of the two fields. The body's is that of the only field in 1.0. */
export const FIELDS = { title: "title", body: "editor" } as const;

/** A first line up to this long is taken for a title; a longer one is a paragraph. UTF-16 units. */
export const MAX_TITLE = 80;

export const EMPTY: Note = { title: "", body: "", edited_at: null, writing: false };

/** From schema 1, one text, to schema 2, a title and a body. */
export function fromText(data: unknown): Omit<Note, "writing"> {
  const { text, edited_at } = readText(data);
  const { title, body } = split(text);
  return { title, body, edited_at };
}

/** From schema 2, whose text was always shown as it is written, to schema 3. The text is kept to the letter. */
export function fromSource(data: unknown): Note {
  return { ...readNote(data), writing: false };
}

/** Reads data of schema 3; throws if it is something else. */
export function readNote(data: unknown): Note {
  const note = record(data);
  if (typeof note["title"] !== "string" || typeof note["body"] !== "string") {
    throw new TypeError("a note has a `title` and a `body`");
  }
  const { title, body } = note;
  return { title, body, edited_at: readTime(note["edited_at"]), writing: note["writing"] === true };
}

/** Where a caret of `from` belongs: one in the single text of schema 1 is in the title or in the body now. */
export function refocus(focus: Focus, from: SavedState): Focus {
  if (from.schema !== 1 || focus.target !== `id:${FIELDS.body}` || focus.start === null || focus.end === null) {
    return focus;
  }
  const { title, bodyAt } = split(readText(from.data).text);
  // A selection across both fields can't be kept; its end, where the next key goes, can.
  if (title !== "" && focus.end <= title.length) return { ...focus, target: `id:${FIELDS.title}` };
  return { ...focus, start: Math.max(0, focus.start - bodyAt), end: Math.max(0, focus.end - bodyAt) };
}

/** A text of schema 1 in its parts; `bodyAt` is where the body begins in it. */
function split(text: string): { title: string; body: string; bodyAt: number } {
  const lineEnd = text.indexOf("\n");
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd);
  if (line.trim() === "" || line.length > MAX_TITLE) return { title: "", body: text, bodyAt: 0 };
  const gap = /^\n*/.exec(text.slice(line.length))?.[0].length ?? 0;
  const bodyAt = line.length + gap;
  return { title: line, body: text.slice(bodyAt), bodyAt };
}

function readText(data: unknown): { text: string; edited_at: string | null } {
  const note = record(data);
  if (typeof note["text"] !== "string") throw new TypeError("a note of schema 1 has a `text`");
  return { text: note["text"], edited_at: readTime(note["edited_at"]) };
}

function readTime(value: unknown): string | null {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : null;
}

function record(data: unknown): Record<string, unknown> {
  if (typeof data !== "object" || data === null) throw new TypeError("a note is an object");
  return data as Record<string, unknown>;
}
