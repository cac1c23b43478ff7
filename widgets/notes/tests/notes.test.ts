// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Host, Widget } from "@moult/widget";

import { EMPTY } from "../src/note.js";
import type { Note } from "../src/note.js";
import { createNotes } from "../src/notes.js";

const NOW = "2026-11-17T10:24:00.000Z";
const CONTEXT = {
  granted: [],
  theme: "light",
  reducedMotion: false,
  locale: "en",
  instance: "i",
  version: "1.1.0",
  settings: {},
} as const;

let header = vi.fn();
let changed = vi.fn();
let notes: Widget<Note>;
let granted: string[] = [];
let call = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(NOW) });
  header = vi.fn();
  changed = vi.fn();
  granted = [];
  call = vi.fn(() => Promise.resolve(null));
  const host: Partial<Host> = { header, changed, call, granted: () => granted, onGranted: () => () => undefined };
  notes = createNotes(() => host as Host);
});
afterEach(() => {
  notes.dispose?.();
  vi.useRealTimers();
});

function field<Field extends HTMLElement>(id: string): Field {
  return document.getElementById(id) as Field;
}

function enter(id: string, text: string): void {
  const element = field<HTMLTextAreaElement>(id);
  element.value = text;
  element.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

test("an empty note invites, and says nothing of its age", async () => {
  await notes.start({ ...CONTEXT, state: null });
  expect(field<HTMLTextAreaElement>("editor").placeholder).toBe("Write something");
  expect(header).toHaveBeenLastCalledWith("New note", "");
  expect(notes.snapshot()).toEqual(EMPTY);
  expect(changed).not.toHaveBeenCalled();
});

test("what is typed is state, named in the header, and counted", async () => {
  await notes.start({ ...CONTEXT, state: null });
  enter("editor", "Two words");
  expect(header).toHaveBeenLastCalledWith("Note", "just now");
  enter("title", "Draft");
  expect(header).toHaveBeenLastCalledWith("Draft", "just now");
  expect(notes.snapshot()).toEqual({ title: "Draft", body: "Two words", edited_at: NOW, writing: false });
  expect(changed).toHaveBeenCalledTimes(2);
  expect(document.querySelector(".count")?.textContent).toBe("3 words · 14 characters");
});

test("the age in the header grows while nothing is typed", async () => {
  await notes.start({ ...CONTEXT, state: { ...EMPTY, title: "Draft", edited_at: NOW } });
  vi.advanceTimersByTime(125_000);
  expect(header).toHaveBeenLastCalledWith("Draft", "2 min ago");
});

test("restoring the text that is there leaves the caret where it is", async () => {
  const note = { ...EMPTY, title: "Draft", body: "One two", edited_at: NOW };
  await notes.start({ ...CONTEXT, state: note });
  field<HTMLTextAreaElement>("editor").setSelectionRange(3, 3);
  await notes.restore?.(note);
  expect(field<HTMLTextAreaElement>("editor").selectionStart).toBe(3);
  await notes.restore?.({ ...note, body: "Three" });
  expect(notes.snapshot().body).toBe("Three");
});

test("Enter leads from the title to the text", async () => {
  await notes.start({ ...CONTEXT, state: { ...EMPTY, title: "Draft", body: "Text", edited_at: NOW } });
  field("title").focus();
  const enter = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  expect(field("title").dispatchEvent(enter)).toBe(false);
  expect(document.activeElement).toBe(field("editor"));
});

/** What is read, without the field over it. */
function read(): string | null | undefined {
  return document.querySelector(".read")?.textContent;
}

function writing(): boolean {
  return document.querySelector(".page.writing") !== null;
}

test("the note is read as Markdown until it is written in, and again when it is left", async () => {
  await notes.start({ ...CONTEXT, state: { ...EMPTY, body: "# Plan\n\n**one** `two`" } });
  expect(document.querySelector(".read h2")?.textContent).toBe("Plan");
  expect(read()).toBe("Planone two");
  field("editor").focus();
  expect(writing()).toBe(true);
  expect(field<HTMLTextAreaElement>("editor").value).toBe("# Plan\n\n**one** `two`");
  field("title").focus();
  vi.runOnlyPendingTimers();
  expect(writing()).toBe(true);
  (document.activeElement as HTMLElement).blur();
  vi.advanceTimersByTime(1000);
  expect(writing()).toBe(false);
});

test("keys alone lead from the source to what is read and back", async () => {
  await notes.start({ ...CONTEXT, state: { ...EMPTY, body: "- [ ] milk" } });
  const press = (key: string): boolean => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    return (document.activeElement ?? document.body).dispatchEvent(event);
  };
  field("editor").focus();
  expect(press("Escape")).toBe(false);
  expect(writing()).toBe(false);
  expect(document.activeElement).toBe(document.querySelector(".read"));
  expect(press("Escape")).toBe(true);
  press("Enter");
  expect(document.activeElement).toBe(field("editor"));
  // In the page's order the box comes before the field.
  const stops = [...document.querySelectorAll(".box, textarea, #title")].map(({ className, id }) => className || id);
  expect(stops).toEqual(["box", "editor", "title"]);
});

test("text that is typed without the keyboard, as during a swap, is read at once", async () => {
  await notes.start({ ...CONTEXT, state: null });
  enter("editor", "typed *elsewhere*");
  expect(read()).toBe("typed elsewhere");
});

test("a box that is ticked changes one character of the source", async () => {
  await notes.start({ ...CONTEXT, state: { ...EMPTY, body: "- [ ] milk\n- [x] tea" } });
  const boxes = document.querySelectorAll<HTMLInputElement>(".box");
  boxes[0]?.focus();
  boxes[0]?.click();
  expect(notes.snapshot()).toMatchObject({ body: "- [x] milk\n- [x] tea", edited_at: NOW });
  expect((document.activeElement as HTMLElement).dataset["moultKey"]).toBe("task-1");
});

test("a link is opened by the host if it may, and is text if not", async () => {
  const state = { ...EMPTY, body: "see [the page](https://a.test/x)" };
  await notes.start({ ...CONTEXT, state });
  expect(document.querySelector("a")?.getAttribute("role")).toBeNull();
  granted = ["open.url"];
  notes.dispose?.();
  await notes.start({ ...CONTEXT, state });
  document.querySelector<HTMLElement>("a[role=link]")?.click();
  expect(call).toHaveBeenCalledWith("open.url", { url: "https://a.test/x" });
});

test("who writes goes on writing in the next version, and not after a restart", async () => {
  await notes.start({ ...CONTEXT, state: null });
  field("editor").focus();
  const state = notes.parse?.(JSON.parse(JSON.stringify(notes.snapshot()))) as Note;
  expect(state.writing).toBe(true);
  (document.activeElement as HTMLElement).blur();
  notes.dispose?.();
  await notes.start({ ...CONTEXT, state });
  expect(writing()).toBe(false);
  await notes.restore?.(state);
  expect(writing()).toBe(true);
});

test.each([
  [1, { text: "Plan\n- [ ] milk", edited_at: NOW }, "Plan", "- [ ] milk"],
  [2, { title: "Plan", body: "- [ ] milk", edited_at: NOW }, "Plan", "- [ ] milk"],
])("state of schema %i opens in this version", async (schema, data, title, body) => {
  let state: unknown = data;
  for (let from = schema; from < notes.schema; from += 1) state = notes.migrate?.[from]?.(state);
  await notes.start({ ...CONTEXT, state: notes.parse?.(state) as Note });
  expect(notes.snapshot()).toEqual({ title, body, edited_at: NOW, writing: false });
  expect(document.querySelectorAll(".box")).toHaveLength(1);
});
