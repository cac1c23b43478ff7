import { expect, test } from "vitest";

import { EMPTY, fromSource, fromText, readNote, refocus } from "../src/note.js";

const AT = "2026-11-17T10:22:00Z";

test.each([
  ["Draft\n\nWidgets renew themselves.", "Draft", "Widgets renew themselves."],
  ["Draft\nOne\n\nTwo", "Draft", "One\n\nTwo"],
  ["Draft", "Draft", ""],
  ["Draft\n", "Draft", ""],
  ["", "", ""],
  ["\n\nAfter a gap", "", "\n\nAfter a gap"],
  [`${"x".repeat(81)}\nTwo`, "", `${"x".repeat(81)}\nTwo`],
  ["发布说明\n\n组件", "发布说明", "组件"],
])("the text %j becomes a title and a body", (text, title, body) => {
  expect(fromText({ text, edited_at: AT })).toEqual({ title, body, edited_at: AT });
});

test.each([null, "text", {}, { text: 5 }, { title: "a", body: "b" }])("refuses %j as schema 1", (data) => {
  expect(() => fromText(data)).toThrow(TypeError);
});

test("an unreadable time of editing is no reason to refuse a note", () => {
  expect(fromSource(fromText({ text: "", edited_at: "soon" }))).toEqual(EMPTY);
  expect(readNote({ title: "", body: "" })).toEqual(EMPTY);
});

test.each([null, {}, { title: "a" }, { title: "a", body: 1 }])("refuses %j as schema 2 and 3", (data) => {
  expect(() => fromSource(data)).toThrow(TypeError);
  expect(() => readNote(data)).toThrow(TypeError);
});

const TEXT = "Draft\n\nWidgets renew themselves.";

test.each([
  ["at the beginning", 0, 0, "id:title", 0, 0],
  ["in the first line", 2, 4, "id:title", 2, 4],
  ["at the end of the first line", 5, 5, "id:title", 5, 5],
  ["on the empty line", 6, 6, "id:editor", 0, 0],
  ["at the beginning of the body", 7, 7, "id:editor", 0, 0],
  ["at the very end", 32, 32, "id:editor", 25, 25],
  ["across both", 2, 14, "id:editor", 0, 7],
])("a caret %s of the text is kept where it was", (_, start, end, target, newStart, newEnd) => {
  const focus = { target: "id:editor", active: true, start, end, direction: "none" } as const;
  const from = { schema: 1, data: { text: TEXT } };
  expect(refocus(focus, from)).toEqual({ ...focus, target, start: newStart, end: newEnd });
});

test("a caret stays on the same character through the migration", () => {
  const note = fromText({ text: TEXT });
  for (let at = 0; at <= TEXT.length; at += 1) {
    const focus = { target: "id:editor", active: true, start: at, end: at, direction: "none" } as const;
    const moved = refocus(focus, { schema: 1, data: { text: TEXT } });
    const field = moved.target === "id:title" ? note.title : note.body;
    const rest = TEXT.slice(at).replace(/^\n+/, "");
    const here = field.slice(moved.end ?? 0);
    expect(moved.target === "id:title" ? rest.startsWith(here) : here === rest, `at ${at}`).toBe(true);
  }
});

test("a caret at the end of the only line goes on in the title", () => {
  const focus = { target: "id:editor", active: true, start: 5, end: 5, direction: "none" } as const;
  expect(refocus(focus, { schema: 1, data: { text: "Draft" } }).target).toBe("id:title");
});

test("a caret of this schema is left alone", () => {
  const focus = { target: "id:title", active: true, start: 3, end: 3, direction: "none" } as const;
  expect(refocus(focus, { schema: 2, data: {} })).toBe(focus);
});
