// What a key does to a text: pure arithmetic on a string and a caret. Knows no element and no event.

import type { KeyStroke } from "./protocol.js";

/** A selection: it was begun at `anchor` and reaches to `focus`; equal for a bare caret. UTF-16 offsets. */
export interface Caret {
  anchor: number;
  focus: number;
}

/** Replace `from..to` by `insert`, then put the caret. `inputType` is null if the text stays as it is. */
export interface Edit {
  from: number;
  to: number;
  insert: string;
  inputType: string | null;
  caret: Caret;
}

/** What the key does, or null if it does nothing to a text. `lines` says whether the text may have several. */
export function editFor(text: string, caret: Caret, stroke: KeyStroke, lines: boolean): Edit | null {
  const from = Math.min(caret.anchor, caret.focus);
  const to = Math.max(caret.anchor, caret.focus);
  if (stroke.text !== null) {
    const insert = lines ? stroke.text : stroke.text.replace(/[\r\n]+/g, " ");
    return replaced(from, to, insert, "insertText");
  }
  switch (stroke.key) {
    case "Enter":
      return lines && !stroke.ctrl && !stroke.meta ? replaced(from, to, "\n", "insertLineBreak") : null;
    case "Backspace":
      return removed(from === to ? before(text, from, stroke) : from, to, "deleteContentBackward");
    case "Delete":
      return removed(from, from === to ? after(text, to, stroke) : to, "deleteContentForward");
    case "a":
    case "A":
      return stroke.ctrl !== stroke.meta && !stroke.alt ? selected({ anchor: 0, focus: text.length }) : null;
    default: {
      const focus = moved(text, caret, stroke);
      return focus === null ? null : selected({ anchor: stroke.shift ? caret.anchor : focus, focus });
    }
  }
}

function replaced(from: number, to: number, insert: string, inputType: string): Edit {
  const at = from + insert.length;
  return { from, to, insert, inputType, caret: { anchor: at, focus: at } };
}

function removed(from: number, to: number, inputType: string): Edit {
  return { ...replaced(from, to, "", inputType), inputType: from === to ? null : inputType };
}

function selected(caret: Caret): Edit {
  return { from: 0, to: 0, insert: "", inputType: null, caret };
}

/** Where the caret goes, or null for a key that moves none. */
function moved(text: string, caret: Caret, stroke: KeyStroke): number | null {
  const { focus } = caret;
  const whole = stroke.ctrl || stroke.meta;
  // Without Shift an arrow first folds the selection to the side it points to.
  const folds = caret.anchor !== focus && !stroke.shift;
  switch (stroke.key) {
    case "ArrowLeft":
      return folds ? Math.min(caret.anchor, focus) : before(text, focus, stroke);
    case "ArrowRight":
      return folds ? Math.max(caret.anchor, focus) : after(text, focus, stroke);
    case "Home":
      return whole ? 0 : lineStart(text, focus);
    case "End":
      return whole ? text.length : lineEnd(text, focus);
    case "ArrowUp": {
      const start = lineStart(text, focus);
      if (start === 0) return 0;
      const above = lineStart(text, start - 1);
      return Math.min(above + (focus - start), start - 1);
    }
    case "ArrowDown": {
      const end = lineEnd(text, focus);
      if (end === text.length) return end;
      return Math.min(end + 1 + (focus - lineStart(text, focus)), lineEnd(text, end + 1));
    }
    default:
      return null;
  }
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

const WORD_BEFORE = /(?:[\p{L}\p{N}\p{M}_]+|[^\p{L}\p{N}\p{M}_\s]+|^)\s*$/u;
const WORD_AFTER = /^\s*(?:[\p{L}\p{N}\p{M}_]+|[^\p{L}\p{N}\p{M}_\s]+|$)/u;

/** The longest character that is looked at, in UTF-16 units: a family emoji has 11, a flag of a region 14. */
const REACH = 32;

function before(text: string, at: number, stroke: KeyStroke): number {
  if (stroke.ctrl || stroke.alt) return WORD_BEFORE.exec(text.slice(0, at))?.index ?? 0;
  if (stroke.meta) return lineStart(text, at);
  const near = text.slice(Math.max(0, at - REACH), at);
  return at - (characters(near).at(-1)?.length ?? 0);
}

function after(text: string, at: number, stroke: KeyStroke): number {
  if (stroke.ctrl || stroke.alt) return at + (WORD_AFTER.exec(text.slice(at))?.[0].length ?? 0);
  if (stroke.meta) return lineEnd(text, at);
  return at + (characters(text.slice(at, at + REACH))[0]?.length ?? 0);
}

/** What a reader calls characters: an accent or a skin tone belongs to what it stands on. */
function characters(text: string): string[] {
  return Array.from(new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text), (part) => part.segment);
}
