// Keys across a swap: held back in the frame that goes, typed again in the frame that comes.
// Knows elements and events; knows no message, no widget and no order of a swap.

import { editFor } from "./edit.js";
import { caretOf, editsContent, isField, pointAt, putCaret } from "./place.js";
import type { KeyStroke } from "./protocol.js";

/** Told of each key that was held back. `entered`: its text is in the page all the same (an input method can't be held back). */
export type HeldKey = (stroke: KeyStroke, entered: boolean) => void;

/** Holds all keys of the window back and tells each. Returns what ends it. */
export function holdKeys(scope: Window, held: HeldKey): () => void {
  const options = { capture: true };
  const listeners: [string, (event: Event) => void][] = [
    ["keydown", (event) => holdKey(event as KeyboardEvent, held)],
    ["keypress", cancel],
    ["keyup", (event) => event.stopImmediatePropagation()],
    ["beforeinput", (event) => holdInput(event as InputEvent, held)],
    ["compositionend", (event) => tellText((event as CompositionEvent).data, true, held)],
    ["drop", cancel],
  ];
  const ends = listeners.map(([type, listener]) => {
    // What is typed again must reach the page.
    const unlessTyped = (event: Event): void => (typing ? undefined : listener(event));
    scope.addEventListener(type, unlessTyped, options);
    return () => scope.removeEventListener(type, unlessTyped, options);
  });
  return () => ends.forEach((end) => end());
}

/** Whether a key is being typed again by {@link typeKeys}: no activity of the user's. */
export function isTyping(): boolean {
  return typing;
}

let typing = false;

/** Types the keys in order, at the focused element, or at `fallback` in a frame that has no focus. */
export function typeKeys(document: Document, keys: readonly KeyStroke[], fallback: Element | null): void {
  typing = true;
  try {
    for (const stroke of keys) {
      const active = document.activeElement;
      const focused = active && active !== document.body && active !== document.documentElement;
      typeKey((focused ? active : fallback) ?? document.body, stroke);
    }
  } finally {
    typing = false;
  }
}

/** The key as it can be sent. */
export function strokeOf(event: KeyboardEvent): KeyStroke {
  return {
    key: event.key,
    code: event.code,
    text: textOf(event),
    alt: event.altKey,
    ctrl: event.ctrlKey,
    meta: event.metaKey,
    shift: event.shiftKey,
  };
}

const MODIFIERS = new Set(["Alt", "AltGraph", "CapsLock", "Control", "Fn", "Meta", "NumLock", "Shift"]);

function holdKey(event: KeyboardEvent, held: HeldKey): void {
  // The input method has this key: what it makes of it comes as a composition.
  if (event.isComposing || event.key === "Process" || event.key === "Dead") return;
  // Only the browser can paste; the text comes with `beforeinput` and is held there.
  if (event.key.toLowerCase() === "v" && event.ctrlKey !== event.metaKey && !event.altKey) {
    event.stopImmediatePropagation();
    return;
  }
  cancel(event);
  if (!MODIFIERS.has(event.key)) held(strokeOf(event), false);
}

const KEY_OF_INPUT: Readonly<Record<string, string>> = {
  deleteContentBackward: "Backspace",
  deleteContentForward: "Delete",
  insertLineBreak: "Enter",
  insertParagraph: "Enter",
};

function holdInput(event: InputEvent, held: HeldKey): void {
  if (event.isComposing || event.inputType === "insertCompositionText") return;
  cancel(event);
  const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
  const key = KEY_OF_INPUT[event.inputType];
  if (text) tellText(text, false, held);
  else if (key) held(plain(key, null), false);
}

function tellText(text: string, entered: boolean, held: HeldKey): void {
  if (text) held(plain("Unidentified", text), entered);
}

function plain(key: string, text: string | null): KeyStroke {
  return { key, code: "", text, alt: false, ctrl: false, meta: false, shift: false };
}

function cancel(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** The text that a key enters. AltGr comes as Ctrl and Alt on some systems, and Option enters letters on others. */
function textOf(event: KeyboardEvent): string | null {
  if (Array.from(event.key).length !== 1) return null;
  if (event.getModifierState("AltGraph")) return event.key;
  if (event.ctrlKey || event.metaKey) return null;
  return event.altKey && event.key <= "~" ? null : event.key;
}

function typeKey(target: Element, stroke: KeyStroke): void {
  const known = stroke.key !== "Unidentified";
  const init = {
    key: stroke.key,
    code: stroke.code,
    altKey: stroke.alt,
    ctrlKey: stroke.ctrl,
    metaKey: stroke.meta,
    shiftKey: stroke.shift,
    bubbles: true,
    cancelable: true,
    composed: true,
  };
  const goesOn = !known || target.dispatchEvent(new KeyboardEvent("keydown", init));
  if (goesOn) act(target, stroke);
  if (known) target.dispatchEvent(new KeyboardEvent("keyup", init));
}

/** What the browser would have done with the key. */
function act(target: Element, stroke: KeyStroke): void {
  if (isField(target)) {
    editField(target, stroke);
  } else if (editsContent(target)) {
    editContent(target, stroke);
  } else if (target instanceof HTMLElement && (stroke.key === "Enter" || stroke.key === " ")) {
    if (target.matches("button, summary, a[href], input[type=checkbox], input[type=radio]")) target.click();
  }
}

function editField(field: HTMLInputElement | HTMLTextAreaElement, stroke: KeyStroke): void {
  if (field.disabled) return;
  const several = field instanceof HTMLTextAreaElement;
  if (stroke.key === "Enter" && !several) {
    field.form?.requestSubmit();
    return;
  }
  const edit = editFor(field.value, caretOf(field) ?? { anchor: 0, focus: 0 }, stroke, several);
  if (!edit || (edit.inputType && field.readOnly)) return;
  if (edit.inputType) {
    const room = field.maxLength < 0 ? Infinity : field.maxLength - field.value.length + (edit.to - edit.from);
    const insert = edit.insert.slice(0, Math.max(0, room));
    if (!announce(field, "beforeinput", edit.inputType, insert)) return;
    field.setRangeText(insert, edit.from, edit.to, "end");
    const at = edit.from + insert.length;
    putCaret(field, { anchor: at, focus: at });
    announce(field, "input", edit.inputType, insert);
  } else {
    putCaret(field, edit.caret);
  }
}

function editContent(element: HTMLElement, stroke: KeyStroke): void {
  const caret = caretOf(element);
  const edit = caret && editFor(element.textContent ?? "", caret, stroke, true);
  if (!edit) return;
  if (edit.inputType) {
    if (!announce(element, "beforeinput", edit.inputType, edit.insert)) return;
    const range = element.ownerDocument.createRange();
    const [start, end] = [pointAt(element, edit.from), pointAt(element, edit.to)];
    range.setStart(start.node, start.offset);
    range.setEnd(end.node, end.offset);
    range.deleteContents();
    if (edit.insert) range.insertNode(element.ownerDocument.createTextNode(edit.insert));
    element.normalize();
  }
  putCaret(element, edit.caret);
  if (edit.inputType) announce(element, "input", edit.inputType, edit.insert);
}

function announce(target: Element, type: "beforeinput" | "input", inputType: string, text: string): boolean {
  const data = text === "" || inputType === "insertLineBreak" ? null : text;
  const cancelable = type === "beforeinput";
  return target.dispatchEvent(new InputEvent(type, { inputType, data, bubbles: true, composed: true, cancelable }));
}
