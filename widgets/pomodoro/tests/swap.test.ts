// @vitest-environment happy-dom
// The widget as the host sees it: buttons, what is told to others, and a swap or a restart in the middle of a phase.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Host, Settings, Widget } from "@moult/widget";

import { createPomodoro } from "../src/pomodoro.js";
import type { Rounds } from "../src/rounds.js";

const MINUTE = 60_000;
const CONTEXT = {
  granted: [],
  theme: "light",
  reducedMotion: false,
  locale: "en",
  instance: "i",
  version: "1.0.0",
  settings: {} as Settings,
} as const;

let calls: [string, unknown][] = [];
let granted: string[] = [];
let header = vi.fn();
let widgets: Widget<Rounds>[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-17T10:00:00Z") });
  calls = [];
  granted = ["notifications", "bus"];
  header = vi.fn();
  widgets = [];
});
afterEach(() => {
  for (const widget of widgets) widget.dispose?.();
  vi.useRealTimers();
});

async function open(state: Rounds | null = null, more: object = {}): Promise<Widget<Rounds>> {
  const host: Partial<Host> = {
    header,
    changed: vi.fn(),
    granted: () => granted,
    onSettings: () => () => undefined,
    call(capability, request) {
      calls.push([capability, request]);
      return Promise.resolve(null);
    },
  };
  const widget = createPomodoro(() => host as Host);
  widgets.push(widget);
  await widget.start({ ...CONTEXT, state, ...more });
  return widget;
}

function press(name: string): void {
  document.querySelector<HTMLElement>(`[data-testid=pomodoro-${name}]`)?.click();
}

function shown(): string | null | undefined {
  return document.querySelector("[data-testid=pomodoro-time]")?.textContent;
}

test("a swap in the middle of a phase loses not a second", async () => {
  const before = await open();
  press("toggle");
  vi.advanceTimersByTime(7 * MINUTE + 28_000);
  expect(shown()).toBe("17:32");
  const state = JSON.parse(JSON.stringify(before.snapshot())) as unknown;
  const after = await open();
  await after.restore?.(after.parse?.(state) as Rounds);
  expect(shown()).toBe("17:32");
  vi.advanceTimersByTime(2000);
  expect(shown()).toBe("17:30");
});

test("a restart goes on where the clock is by then", async () => {
  const before = await open();
  press("toggle");
  const state = before.snapshot();
  before.dispose?.();
  vi.advanceTimersByTime(10 * MINUTE);
  await open(state);
  expect(shown()).toBe("15:00");
});

test("the end of a phase is told by a notification and on the bus, once", async () => {
  await open();
  press("toggle");
  calls = [];
  vi.advanceTimersByTime(26 * MINUTE);
  expect(calls).toEqual([
    ["notifications.show", { title: "Time for a break", body: "Break, 5 min" }],
    ["bus.publish", { topic: "phase", data: { phase: "rest", ends_at: null } }],
  ]);
  expect(header).toHaveBeenLastCalledWith("Break", "1 round today");
});

test("what is not granted is not asked for", async () => {
  granted = [];
  await open();
  press("toggle");
  vi.advanceTimersByTime(26 * MINUTE);
  expect(calls).toEqual([]);
  expect(document.querySelector("[role=status]")?.textContent).toBe("Time for a break. Break, 5 min");
});

test("while it does not run, nothing wakes it", async () => {
  await open();
  expect(vi.getTimerCount()).toBe(0);
  press("toggle");
  expect(vi.getTimerCount()).toBe(1);
  press("toggle");
  expect(vi.getTimerCount()).toBe(0);
  expect(header).toHaveBeenLastCalledWith("Focus", "Paused");
});

test("the lengths are the user's, and it speaks Chinese", async () => {
  await open(null, { locale: "zh-CN", settings: { work_minutes: 50 } });
  expect(shown()).toBe("50:00");
  expect(document.querySelector(".next")?.textContent).toBe("然后休息 5 分钟");
  press("toggle");
  expect(document.querySelector(".act")?.textContent).toBe("暂停");
});
