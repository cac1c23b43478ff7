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
} as const;

let header = vi.fn();
let changed = vi.fn();
let notes: Widget<Note>;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(NOW) });
  header = vi.fn();
  changed = vi.fn();
  notes = createNotes(() => ({ header, changed }) as Partial<Host> as Host);
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
  expect(header).toHaveBeenLastCalledWith("Two words", "just now");
  enter("title", "Draft");
  expect(header).toHaveBeenLastCalledWith("Draft", "just now");
  expect(notes.snapshot()).toEqual({ title: "Draft", body: "Two words", edited_at: NOW });
  expect(changed).toHaveBeenCalledTimes(2);
  expect(document.querySelector(".foot")?.textContent).toBe("3 words · 14 characters");
});

test("the age in the header grows while nothing is typed", async () => {
  await notes.start({ ...CONTEXT, state: { title: "Draft", body: "", edited_at: NOW } });
  vi.advanceTimersByTime(125_000);
  expect(header).toHaveBeenLastCalledWith("Draft", "2 min ago");
});

test("restoring the text that is there leaves the caret where it is", async () => {
  const note = { title: "Draft", body: "One two", edited_at: NOW };
  await notes.start({ ...CONTEXT, state: note });
  field<HTMLTextAreaElement>("editor").setSelectionRange(3, 3);
  await notes.restore?.(note);
  expect(field<HTMLTextAreaElement>("editor").selectionStart).toBe(3);
  await notes.restore?.({ ...note, body: "Three" });
  expect(notes.snapshot().body).toBe("Three");
});

test("Enter leads from the title to the text", async () => {
  await notes.start({ ...CONTEXT, state: { title: "Draft", body: "Text", edited_at: NOW } });
  field("title").focus();
  const enter = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  expect(field("title").dispatchEvent(enter)).toBe(false);
  expect(document.activeElement).toBe(field("editor"));
});
