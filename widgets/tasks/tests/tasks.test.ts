// @vitest-environment happy-dom
// The widget as the host and the keyboard see it.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Host, Widget } from "@moult/widget";

import { EMPTY } from "../src/list.js";
import type { List } from "../src/list.js";
import { createTasks, UNDO_MS } from "../src/tasks.js";

const CONTEXT = {
  granted: [],
  theme: "light",
  reducedMotion: false,
  locale: "en",
  instance: "i",
  version: "1.0.0",
  settings: {},
} as const;
const LIST: List = { ...EMPTY, tasks: ["a", "b", "c"].map((text, index) => ({ id: index + 1, text, done: false })) };

let header = vi.fn();
let widgets: Widget<List>[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  header = vi.fn();
  widgets = [];
});
afterEach(() => {
  for (const widget of widgets) widget.dispose?.();
  vi.useRealTimers();
});

async function open(state: List | null): Promise<Widget<List>> {
  const widget = createTasks(() => ({ header, changed: vi.fn() }) as Partial<Host> as Host);
  widgets.push(widget);
  await widget.start({ ...CONTEXT, state });
  return widget;
}

function at<Found extends HTMLElement = HTMLInputElement>(selector: string): Found {
  return document.querySelector(selector) as Found;
}

function key(target: HTMLElement, name: string, more: KeyboardEventInit = {}): void {
  target.focus();
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
}

function texts(): string {
  return [...document.querySelectorAll<HTMLInputElement>(".row .text")].map(({ value }) => value).join("");
}

test("a task is typed and entered, the header counts", async () => {
  await open(null);
  expect(at(".empty").hidden).toBe(false);
  at("#new").value = "Milk";
  at("#new").dispatchEvent(new Event("input", { bubbles: true }));
  key(at("#new"), "Enter");
  expect(texts()).toBe("Milk");
  expect(at("#new").value).toBe("");
  at(".box").click();
  expect(header).toHaveBeenLastCalledWith("Tasks", "1 of 1");
});

test("Alt and an arrow move a row, and the caret goes with it", async () => {
  await open(LIST);
  key(at("[data-moult-key=task-1]"), "ArrowDown", { altKey: true });
  expect(texts()).toBe("bac");
  expect(document.activeElement).toBe(at("[data-moult-key=task-1]"));
  expect(at("[role=status]").textContent).toBe("“a” is 2 of 3.");
  key(at("[data-moult-key=move-1]"), "ArrowDown");
  expect(texts()).toBe("bca");
});

test("arrows go from row to row and down into the field", async () => {
  await open(LIST);
  key(at("[data-moult-key=task-2]"), "ArrowDown");
  expect(document.activeElement).toBe(at("[data-moult-key=task-3]"));
  key(at("[data-moult-key=task-3]"), "Enter");
  expect(document.activeElement).toBe(at("#new"));
  key(at("#new"), "ArrowUp");
  expect(document.activeElement).toBe(at("[data-moult-key=task-3]"));
});

test("the list is one stop for Tab, at the row that was last in use", async () => {
  await open(LIST);
  const stops = () => [...document.querySelectorAll<HTMLElement>(".row [tabindex='0']")].map((part) => part.className);
  const inRow = (id: number) => at(`[data-moult-key=task-${id}]`).tabIndex;
  expect(stops()).toHaveLength(4);
  expect([inRow(1), inRow(2)]).toEqual([0, -1]);
  at("[data-moult-key=task-2]").focus();
  expect([inRow(1), inRow(2)]).toEqual([-1, 0]);
  key(at("[data-moult-key=task-2]"), "Backspace");
  expect(texts()).toBe("abc");
  key(at("[data-moult-key=done-2]"), "Delete");
  expect(inRow(3)).toBe(0);
});

test("a removal is offered back for a while, by button and by Ctrl+Z", async () => {
  await open(LIST);
  key(at("[data-moult-key=done-2]"), "Delete");
  expect(texts()).toBe("ac");
  expect(document.activeElement).toBe(at("[data-moult-key=task-3]"));
  at("[data-testid=tasks-undo]").click();
  expect(texts()).toBe("abc");
  key(at("[data-moult-key=done-2]"), "Delete");
  key(at("[data-moult-key=done-1]"), "z", { ctrlKey: true });
  expect(texts()).toBe("abc");
  key(at("[data-moult-key=done-2]"), "Delete");
  vi.advanceTimersByTime(UNDO_MS);
  expect(at(".offer").hidden).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("a task whose text was emptied is removed when it is left", async () => {
  await open(LIST);
  const field = at("[data-moult-key=task-2]");
  field.focus();
  field.value = " ";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  expect(texts()).toBe("a c");
  field.blur();
  expect(texts()).toBe("ac");
});

test("all that is done is cleared at once, and comes back at once", async () => {
  await open({ ...LIST, tasks: LIST.tasks.map((task) => ({ ...task, done: task.id !== 2 })) });
  at("[data-testid=tasks-clear]").click();
  expect(texts()).toBe("b");
  expect(at(".said").textContent).toBe("Removed 2 tasks.");
  at("[data-testid=tasks-undo]").click();
  expect(texts()).toBe("abc");
});

test("a swap keeps the list, the draft, and what can be taken back", async () => {
  const before = await open(LIST);
  key(at("[data-moult-key=done-2]"), "Delete");
  const state = JSON.parse(JSON.stringify({ ...before.snapshot(), draft: "half a ta" })) as unknown;
  const after = await open(null);
  await after.restore?.(after.parse?.(state) as List);
  expect(texts()).toBe("ac");
  expect(at("#new").value).toBe("half a ta");
  at("[data-testid=tasks-undo]").click();
  expect(texts()).toBe("abc");
});
