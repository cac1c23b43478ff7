// Where the reader is in a page: the focused element, the caret in it, how far things are scrolled; taken and put back.
// Elements are found again by `data-moult-key` or `id`, never by their position, which another version may change.
// Knows no message and no widget.

import type { Caret } from "./edit.js";
import type { Focus, Scroll } from "./protocol.js";

const ROOT = "root";

/** An element's address, or null if it has neither `data-moult-key` nor `id`. */
export function addressOf(element: Element): string | null {
  const key = element.getAttribute("data-moult-key");
  if (key) return `key:${key}`;
  return element.id ? `id:${element.id}` : null;
}

/** The element at an address. */
export function elementAt(document: Document, address: string): Element | null {
  if (address === ROOT) return document.scrollingElement ?? document.documentElement;
  const name = address.slice(address.indexOf(":") + 1);
  if (address.startsWith("id:")) return document.getElementById(name);
  const keyed = Array.from(document.querySelectorAll("[data-moult-key]"));
  return keyed.find((element) => element.getAttribute("data-moult-key") === name) ?? null;
}

/** The focused element and the caret in it; null if nothing is focused that can be found again. */
export function takeFocus(document: Document): Focus | null {
  const element = document.activeElement;
  if (!element || element === document.body || element === document.documentElement) return null;
  const target = addressOf(element);
  if (!target) return null;
  const caret = caretOf(element);
  return {
    target,
    active: document.hasFocus(),
    start: caret && Math.min(caret.anchor, caret.focus),
    end: caret && Math.max(caret.anchor, caret.focus),
    direction: !caret || caret.anchor === caret.focus ? "none" : caret.anchor < caret.focus ? "forward" : "backward",
  };
}

/** Puts focus and caret back. Returns the element, or null if this version has none at that address. */
export function putFocus(document: Document, focus: Focus | null): Element | null {
  const element = focus && elementAt(document, focus.target);
  if (!focus || !element) return null;
  // Taking the focus in a frame takes the keyboard from whoever has it, so only a frame that had it does.
  if (focus.active && "focus" in element) (element as HTMLElement).focus({ preventScroll: true });
  if (focus.start !== null && focus.end !== null) {
    const backward = focus.direction === "backward";
    putCaret(element, {
      anchor: backward ? focus.end : focus.start,
      focus: backward ? focus.start : focus.end,
    });
  }
  return element;
}

/**
 * Gives the focus back to the element as long as it is lost to nothing and the user has not moved it. Two things take
 * it away: a stage that focuses the frame as a whole empties the focus inside it (Chromium), and a frame that the user
 * has not touched yet may not set any (WebKit). There the first key does, before it is entered. Returns what ends it.
 */
export function holdFocus(scope: Window, element: HTMLElement): () => void {
  const { document } = scope;
  const again = (): void => {
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (lost && element.isConnected && document.hasFocus()) element.focus({ preventScroll: true });
  };
  let timer = 0;
  // What is focused next is not yet known while the focus is on its way.
  const soon = (): void => void (timer = scope.setTimeout(again));
  const pressed = (event: KeyboardEvent): void => (event.key === "Tab" ? end() : again());
  const end = (): void => {
    scope.clearTimeout(timer);
    element.removeEventListener("blur", soon);
    scope.removeEventListener("focus", soon);
    scope.removeEventListener("pointerdown", end, true);
    scope.removeEventListener("keydown", pressed, true);
  };
  element.addEventListener("blur", soon);
  scope.addEventListener("focus", soon);
  scope.addEventListener("pointerdown", end, true);
  scope.addEventListener("keydown", pressed, true);
  return end;
}

/** How far everything is scrolled that can be found again and is not at its beginning. */
export function takeScroll(document: Document): Scroll[] {
  const found: Scroll[] = [];
  const root = document.scrollingElement;
  if (root && (root.scrollTop !== 0 || root.scrollLeft !== 0)) {
    found.push({ target: ROOT, top: root.scrollTop, left: root.scrollLeft });
  }
  for (const element of document.querySelectorAll("[data-moult-key], [id]")) {
    const target = addressOf(element);
    if (target && element !== root && (element.scrollTop !== 0 || element.scrollLeft !== 0)) {
      found.push({ target, top: element.scrollTop, left: element.scrollLeft });
    }
  }
  return found;
}

/** Scrolls back to where it was. */
export function putScroll(document: Document, scroll: readonly Scroll[]): void {
  for (const { target, top, left } of scroll) {
    const element = elementAt(document, target);
    if (element) {
      element.scrollTop = top;
      element.scrollLeft = left;
    }
  }
}

/** A field whose text and selection a script can read. */
export function isField(element: Element | null): element is HTMLInputElement | HTMLTextAreaElement {
  return element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && hasSelection(element));
}

/** Whether typing in the element enters text. */
export function isEditable(element: Element | null): boolean {
  return isField(element) || (element instanceof HTMLElement && editsContent(element)) || takesKeys(element);
}

/** Whether the element is edited as content. */
export function editsContent(element: Element): element is HTMLElement {
  const host = element.closest("[contenteditable]");
  return host !== null && host.getAttribute("contenteditable") !== "false";
}

/** The selection in the element, as offsets in its text. */
export function caretOf(element: Element): Caret | null {
  if (isField(element)) {
    const start = element.selectionStart ?? 0;
    const end = element.selectionEnd ?? start;
    return element.selectionDirection === "backward" ? { anchor: end, focus: start } : { anchor: start, focus: end };
  }
  const selection = element.ownerDocument.getSelection();
  if (!editsContent(element) || !selection?.anchorNode || !selection.focusNode) return null;
  if (!element.contains(selection.anchorNode) || !element.contains(selection.focusNode)) return null;
  return {
    anchor: textLength(element, selection.anchorNode, selection.anchorOffset),
    focus: textLength(element, selection.focusNode, selection.focusOffset),
  };
}

/** Puts the selection; offsets beyond the text end at its end. */
export function putCaret(element: Element, caret: Caret): void {
  if (isField(element)) {
    const end = element.value.length;
    const [anchor, focus] = [Math.min(caret.anchor, end), Math.min(caret.focus, end)];
    const direction = focus < anchor ? "backward" : "none";
    element.setSelectionRange(Math.min(anchor, focus), Math.max(anchor, focus), direction);
    return;
  }
  if (!editsContent(element)) return;
  const anchor = pointAt(element, caret.anchor);
  const focus = pointAt(element, caret.focus);
  element.ownerDocument.getSelection()?.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
}

/** The node and the offset in it that lie `at` UTF-16 units into the element's text. */
export function pointAt(element: Element, at: number): { node: Node; offset: number } {
  const walker = element.ownerDocument.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = at;
  let last: Node | null = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left <= length) return { node, offset: left };
    left -= length;
    last = node;
  }
  return last ? { node: last, offset: last.textContent?.length ?? 0 } : { node: element, offset: 0 };
}

/** Fields without a readable selection (a number, a date) and lists still take the keys typed at them. */
function takesKeys(element: Element | null): boolean {
  if (element instanceof HTMLSelectElement) return true;
  return element instanceof HTMLInputElement && !NO_TEXT.has(element.type);
}

const NO_TEXT = new Set(["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"]);
const SELECTABLE = new Set(["password", "search", "tel", "text", "url"]);

function hasSelection(input: HTMLInputElement): boolean {
  return SELECTABLE.has(input.type);
}

function textLength(element: Element, node: Node, offset: number): number {
  const range = element.ownerDocument.createRange();
  range.setStart(element, 0);
  range.setEnd(node, offset);
  return range.toString().length;
}

/**
 * Tells which element keys are meant for: the one that was focused last, also while the engine has taken the focus from it
 * for another frame; none once a press has left it. Returns what ends it.
 */
export function followFocus(scope: Window, meant: (element: Element | null) => void): () => void {
  const { document } = scope;
  const focused = (event: Event) => meant(event.target instanceof Element ? event.target : null);
  const pressed = () => {
    const active = document.activeElement;
    meant(active === document.body || active === document.documentElement ? null : active);
  };
  scope.addEventListener("focusin", focused, { capture: true });
  scope.addEventListener("pointerup", pressed, { capture: true });
  return () => {
    scope.removeEventListener("focusin", focused, { capture: true });
    scope.removeEventListener("pointerup", pressed, { capture: true });
  };
}
