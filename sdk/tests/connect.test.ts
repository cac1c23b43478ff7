import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { connect } from "../src/connect.js";
import type { Host, Widget } from "../src/widget.js";
import { START, Stage, pause, press, stroke } from "./stage.js";

interface Text {
  text: string;
}

let stage: Stage | undefined;
let host: Host;
let calls: string[] = [];

beforeEach(() => {
  document.body.innerHTML = `<textarea id="editor"></textarea><button id="button">Go</button>`;
  calls = [];
  stage = undefined;
});
afterEach(async () => {
  stage?.close();
  await pause(5);
});

function editor(): HTMLTextAreaElement {
  return document.querySelector("textarea") as HTMLTextAreaElement;
}

/** A note of schema 3, whose text is the text area's. */
function note(more: Partial<Widget<Text>> = {}): Widget<Text> {
  return {
    schema: 3,
    migrate: { 1: (data) => ({ body: data }), 2: (data) => ({ text: (data as { body: string }).body }) },
    start({ state }) {
      calls.push(`start ${JSON.stringify(state)}`);
      editor().value = state?.text ?? "";
    },
    snapshot: () => ({ text: editor().value }),
    restore({ text }) {
      calls.push(`restore ${text}`);
      editor().value = text;
    },
    switched: () => calls.push("switched"),
    dispose: () => calls.push("dispose"),
    ...more,
  };
}

async function started(widget: Widget<Text> = note(), message = START): Promise<Stage> {
  host = connect(widget);
  stage = new Stage();
  stage.say(message);
  await stage.next("ready");
  return stage;
}

test("says hello, starts with nothing saved, and is ready with the token of its load", async () => {
  host = connect(note());
  stage = new Stage();
  expect(await stage.next("hello")).toEqual({ kind: "hello", sdk: "0.1.0" });
  expect(calls).toEqual([]);
  stage.say(START);
  expect(await stage.next("ready")).toEqual({ kind: "ready", token: "t1" });
  expect(calls).toEqual(["start null"]);
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  expect(document.documentElement.lang).toBe("en");
});

test("takes no port from any window but its parent, and none after the first", async () => {
  const stranger = document.createElement("iframe");
  host = connect(note());
  const wrong = new Stage(stranger);
  wrong.say(START);
  stage = new Stage();
  const second = new Stage();
  second.say(START);
  stage.say(START);
  await stage.next("ready");
  await pause(20);
  expect(wrong.heard).toEqual([]);
  expect(second.heard).toEqual([]);
  expect(calls).toHaveLength(1);
});

test("what is said before the port comes is said after hello", async () => {
  host = connect(note());
  host.header("Notes", "now");
  stage = new Stage();
  await stage.next("header");
  expect(stage.heard[0]?.kind).toBe("hello");
});

test("older state is migrated before the start", async () => {
  await started(note(), { ...START, saved: { schema: 1, data: "old" } });
  expect(calls).toEqual([`start {"text":"old"}`]);
});

test.each([
  [{ schema: 4, data: {} }, "The state has schema 4; this version reads 1 to 3."],
  [{ schema: 0, data: {} }, "The state has schema 0; this version reads 1 to 3."],
])("refuses %j instead of starting", async (saved, reason) => {
  host = connect(note());
  stage = new Stage();
  stage.say({ ...START, saved });
  expect(await stage.next("refused")).toEqual({ kind: "refused", reason });
  await stage.settled();
  expect(stage.all("ready")).toEqual([]);
  expect(calls).toEqual([]);
});

test("refuses state that the author's check throws on", async () => {
  const parse = () => {
    throw new Error("text is missing");
  };
  host = connect(note({ parse }));
  stage = new Stage();
  stage.say({ ...START, saved: { schema: 3, data: {} } });
  expect((await stage.next("refused")).reason).toContain("text is missing");
});

test("a snapshot has the present schema and the present data", async () => {
  const stage = await started();
  editor().value = "now";
  stage.say({ kind: "snapshot", id: 7 });
  expect(await stage.next("snapshot")).toEqual({
    kind: "snapshot",
    id: 7,
    heard: 0,
    state: { schema: 3, data: { text: "now" } },
  });
});

test("many changes are one message, sent though they go on", async () => {
  const stage = await started();
  for (let typed = 0; typed < 12; typed += 1) {
    editor().value += "x";
    host.changed();
    await pause(10);
  }
  const first = await stage.next("state");
  const length = (first.state.data as Text).text.length;
  expect(length).toBeGreaterThan(1);
  expect(length).toBeLessThanOrEqual(12);
  await pause(150);
  expect(stage.all("state").at(-1)?.state.data).toEqual({ text: "x".repeat(12) });
  expect(stage.all("state").length).toBeLessThanOrEqual(2);
});

test("changes are sent at once when the frame loses the keyboard", async () => {
  const stage = await started();
  // No timer fires: what is sent was sent by the blur.
  const timers = vi.spyOn(window, "setTimeout").mockReturnValue(0 as never);
  host.changed();
  window.dispatchEvent(new Event("blur"));
  timers.mockRestore();
  expect((await stage.next("state")).state.schema).toBe(3);
});

test("state over 1 MiB is an error and is not sent", async () => {
  const stage = await started(note({ snapshot: () => ({ text: "x".repeat(1024 * 1024) }) }));
  stage.say({ kind: "snapshot", id: 1 });
  expect((await stage.next("error")).message).toContain("StateTooLarge");
  expect(stage.all("snapshot")).toEqual([]);
});

test("a freeze sends what is due, then state, caret and scroll", async () => {
  const stage = await started();
  editor().value = "one two";
  editor().focus();
  editor().setSelectionRange(2, 5, "backward");
  editor().scrollTop = 40;
  host.changed();
  stage.say({ kind: "freeze", id: 3 });
  const frozen = await stage.next("frozen");
  expect(stage.all("state")).toHaveLength(1);
  expect(frozen).toMatchObject({
    id: 3,
    state: { schema: 3, data: { text: "one two" } },
    focus: { target: "id:editor", start: 2, end: 5, direction: "backward" },
    scroll: [{ target: "id:editor", top: 40, left: 0 }],
  });
});

test("keys after the freeze do nothing here and are forwarded in order", async () => {
  const stage = await started();
  editor().focus();
  stage.say({ kind: "freeze", id: 1 });
  await stage.next("frozen");
  const seen = vi.fn();
  editor().addEventListener("keydown", seen);
  for (const key of ["a", "B", "Shift", "Backspace"]) expect(press(editor(), key)).toBe(false);
  expect(press(editor(), "Process")).toBe(true);
  await stage.settled();
  expect(seen).toHaveBeenCalledTimes(1);
  expect(stage.all("key").map(({ event }) => [event.key, event.text])).toEqual([
    ["a", "a"],
    ["B", "B"],
    ["Backspace", null],
  ]);
});

test("keys that the stage sends go where the focus was last, also after another frame has taken it", async () => {
  const stage = await started();
  editor().value = "a";
  editor().focus();
  editor().setSelectionRange(1, 1);
  editor().blur();
  stage.say({ kind: "keys", keys: [stroke("b")] });
  await stage.settled();
  expect(editor().value).toBe("ab");
  document.body.dispatchEvent(new Event("pointerup", { bubbles: true }));
  stage.say({ kind: "keys", keys: [stroke("c")] });
  await stage.settled();
  expect(editor().value).toBe("ab");
});

test("a frame's own keys wait for those that were typed before them elsewhere", async () => {
  const stage = await started();
  editor().value = "";
  editor().focus();
  stage.say({ kind: "hold_keys", limit_ms: 5000 });
  await stage.settled();
  expect(press(editor(), "c")).toBe(false);
  stage.say({ kind: "keys", keys: [stroke("a")] });
  stage.say({ kind: "hold_keys", limit_ms: 5000 });
  stage.say({ kind: "keys", keys: [stroke("b")] });
  stage.say({ kind: "release_keys" });
  await stage.settled();
  expect(editor().value).toBe("abc");
  expect(press(editor(), "d")).toBe(true);
});

test("keys that the stage sends after the freeze are forwarded as well, and typed by the thaw", async () => {
  const stage = await started();
  editor().focus();
  stage.say({ kind: "freeze", id: 1 });
  stage.say({ kind: "keys", keys: [stroke("a")] });
  const { state } = await stage.next("frozen");
  expect(state?.data).toEqual({ text: editor().value });
  press(editor(), "b");
  await stage.settled();
  expect(editor().value).not.toContain("a");
  expect(stage.all("key").map(({ event }) => event.key)).toEqual(["a", "b"]);
  stage.say({ kind: "thaw" });
  await stage.settled();
  expect(editor().value).toContain("ab");
});

test("text that comes without keys is forwarded, and so is what an input method composes", async () => {
  const stage = await started();
  stage.say({ kind: "freeze", id: 1 });
  await stage.next("frozen");
  const init = { bubbles: true, cancelable: true };
  editor().dispatchEvent(new InputEvent("beforeinput", { ...init, inputType: "insertText", data: "🙂" }));
  editor().dispatchEvent(new InputEvent("beforeinput", { ...init, inputType: "deleteContentBackward" }));
  const composed = new Event("compositionend", { bubbles: true });
  editor().dispatchEvent(Object.assign(composed, { data: "字" }));
  await stage.settled();
  expect(stage.all("key").map(({ event }) => event.text ?? event.key)).toEqual(["🙂", "Backspace", "字"]);
});

test("a thaw types the cancelled keys where they belonged, in order, and life goes on", async () => {
  const stage = await started();
  editor().value = "ad";
  editor().focus();
  editor().setSelectionRange(1, 1);
  stage.say({ kind: "freeze", id: 1 });
  await stage.next("frozen");
  for (const key of ["b", "x", "Backspace", "c"]) press(editor(), key);
  stage.say({ kind: "thaw" });
  await stage.settled();
  expect(editor().value).toBe("abcd");
  expect(editor().selectionStart).toBe(3);
  expect(press(editor(), "e")).toBe(true);
});

test("a thaw with state takes that over and types the given keys only", async () => {
  const stage = await started();
  editor().focus();
  stage.say({ kind: "freeze", id: 1 });
  await stage.next("frozen");
  press(editor(), "x");
  const state = { schema: 3, data: { text: "from the new one" } };
  stage.say({ kind: "thaw", state, keys: [stroke("!")] });
  await stage.settled();
  expect(calls.at(-1)).toBe("restore from the new one");
  expect(editor().value.replace("!", "")).toBe("from the new one");
  expect(editor().value).toHaveLength("from the new one".length + 1);
});

test("a restore migrates, puts caret and scroll back, and types the keys at the caret", async () => {
  const stage = await started();
  const inputs: string[] = [];
  editor().addEventListener("input", (event) => inputs.push((event as InputEvent).inputType));
  stage.say({
    kind: "restore",
    id: 5,
    state: { schema: 2, data: { body: "Hello world" } },
    focus: { target: "id:editor", active: true, start: 5, end: 5, direction: "none" },
    scroll: [{ target: "id:editor", top: 12, left: 0 }],
    keys: [stroke(","), stroke("Enter"), stroke("d"), stroke("Backspace"), stroke("ArrowRight"), stroke("→")],
  });
  expect(await stage.next("restored")).toEqual({ kind: "restored", id: 5 });
  expect(editor().value).toBe("Hello,\n →world");
  expect(document.activeElement).toBe(editor());
  expect(editor().selectionStart).toBe(9);
  expect(editor().scrollTop).toBe(12);
  expect(inputs).toEqual(["insertText", "insertLineBreak", "insertText", "deleteContentBackward", "insertText"]);
});

test("keys that the old frame forwards late come before those typed here meanwhile", async () => {
  const stage = await started();
  const focus = { target: "id:editor", active: true, start: 0, end: 0, direction: "none" } as const;
  stage.say({ kind: "restore", id: 1, state: null, focus, scroll: [], keys: [stroke("1")] });
  await stage.next("restored");
  expect(press(editor(), "3")).toBe(false);
  stage.say({ kind: "keys", keys: [stroke("2")] });
  await stage.settled();
  await pause(150);
  expect(editor().value).toBe("123");
  expect(press(editor(), "4")).toBe(true);
});

test("a frame whose predecessor runs in another process holds its own keys back as long as it is told", async () => {
  const stage = await started();
  const focus = { target: "id:editor", active: true, start: 0, end: 0, direction: "none" } as const;
  stage.say({ kind: "restore", id: 1, state: null, focus, scroll: [], keys: [stroke("1")], hold_ms: 600 });
  await stage.next("restored");
  await pause(200);
  expect(press(editor(), "3")).toBe(false);
  stage.say({ kind: "keys", keys: [stroke("2")] });
  await stage.settled();
  await pause(600);
  expect(editor().value).toBe("123");
  expect(press(editor(), "4")).toBe(true);
});

test("a frame that had no keyboard takes none, but its caret is kept", async () => {
  const stage = await started();
  editor().value = "abc";
  const focus = { target: "id:editor", active: false, start: 1, end: 2, direction: "forward" } as const;
  stage.say({ kind: "restore", id: 1, state: null, focus, scroll: [], keys: [] });
  await stage.next("restored");
  expect(document.activeElement).not.toBe(editor());
  expect([editor().selectionStart, editor().selectionEnd]).toEqual([1, 2]);
});

test("the focus comes back if the stage focuses the frame as a whole, and goes where the user puts it", async () => {
  const stage = await started();
  const focus = { target: "id:editor", active: true, start: 0, end: 0, direction: "none" } as const;
  stage.say({ kind: "restore", id: 1, state: null, focus, scroll: [], keys: [] });
  await stage.next("restored");
  editor().blur();
  expect(document.activeElement).toBe(document.body);
  await pause(5);
  expect(document.activeElement).toBe(editor());
  window.dispatchEvent(new Event("pointerdown"));
  editor().blur();
  await pause(5);
  expect(document.activeElement).toBe(document.body);
});

test("where a frame may not take the focus by itself, the first key does, before it is entered", async () => {
  const stage = await started();
  const refused = vi.spyOn(editor(), "focus").mockReturnValue();
  const focus = { target: "id:editor", active: true, start: 0, end: 0, direction: "none" } as const;
  stage.say({ kind: "restore", id: 1, state: null, focus, scroll: [], keys: [stroke("1")] });
  await stage.next("restored");
  expect(editor().value).toBe("1");
  await pause(150);
  refused.mockRestore();
  vi.spyOn(document, "hasFocus").mockReturnValue(true);
  let focused: Element | null = null;
  window.addEventListener("keydown", () => (focused = document.activeElement), { once: true });
  expect(press(document.body, "2")).toBe(true);
  vi.restoreAllMocks();
  expect(focused).toBe(editor());
});

test("the author says where an older version's caret belongs", async () => {
  const refocus = vi.fn(() => null);
  const stage = await started(note({ refocus }));
  const focus = { target: "id:gone", active: true, start: 0, end: 0, direction: "none" } as const;
  const state = { schema: 2, data: { body: "x" } };
  stage.say({ kind: "restore", id: 1, state, focus, scroll: [], keys: [] });
  await stage.next("restored");
  expect(refocus).toHaveBeenCalledWith(focus, state);
});

test("without restore, only state that differs starts the widget anew", async () => {
  const { restore: _, ...widget } = note();
  const stage = await started(widget, { ...START, saved: { schema: 3, data: { text: "a" } } });
  for (const text of ["a", "b"]) {
    stage.say({ kind: "restore", id: 1, state: { schema: 3, data: { text } }, focus: null, scroll: [], keys: [] });
    await stage.next("restored");
  }
  expect(calls).toEqual([`start {"text":"a"}`, "dispose", `start {"text":"b"}`]);
});

test("errors that nobody caught are told, those in the author's own callbacks too", async () => {
  const stage = await started(
    note({
      switched() {
        throw new TypeError("broken");
      },
    }),
  );
  window.dispatchEvent(new ErrorEvent("error", { message: "boom", error: new Error("boom") }));
  window.dispatchEvent(new ErrorEvent("error", { message: "ResizeObserver loop limit exceeded" }));
  window.dispatchEvent(new ErrorEvent("error", { message: "Script error." }));
  const rejection = new Event("unhandledrejection");
  window.dispatchEvent(Object.assign(rejection, { reason: new RangeError("far") }));
  stage.say({ kind: "switched" });
  await stage.settled();
  expect(stage.all("error").map((error) => error.message)).toEqual([
    "Error: boom",
    "An error was thrown. This browser tells no details of errors in a sandboxed frame.",
    "RangeError: far",
    "TypeError: broken",
  ]);
});

test("a freeze whose snapshot throws is not answered, and the frame goes on", async () => {
  let broken = false;
  const stage = await started(
    note({
      snapshot() {
        if (broken) throw new Error("no snapshot");
        return { text: editor().value };
      },
    }),
  );
  broken = true;
  stage.say({ kind: "freeze", id: 1 });
  expect((await stage.next("error")).message).toContain("no snapshot");
  expect(press(editor(), "x")).toBe(true);
  expect(stage.all("frozen")).toEqual([]);
});

test("calls are matched with their replies, refusals carry the problem", async () => {
  const stage = await started();
  const [first, second] = [host.call("a.b", { n: 1 }), host.call("c.d", null)];
  const asked = [await stage.next("call"), await stage.next("call")];
  expect(asked.map((call) => call.capability)).toEqual(["a.b", "c.d"]);
  const error = { code: "consent_needed", happened: "It was not granted.", kept: "", advice: null, detail: "" };
  const refused = expect(second).rejects.toMatchObject({ name: "CallRefused", problem: { code: "consent_needed" } });
  stage.say({ kind: "reply", id: asked[1]?.id ?? 0, ok: false, error });
  stage.say({ kind: "reply", id: asked[0]?.id ?? 0, ok: true, value: 42 });
  expect(await first).toBe(42);
  await refused;
});

test("input is told at once, then not more often than every 200 ms, and a composition as soon as it begins", async () => {
  const stage = await started();
  for (let key = 0; key < 10; key += 1) press(editor(), "a");
  editor().dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  await stage.settled();
  expect(stage.all("input").map((input) => input.composing)).toEqual([false, true]);
});

test.each([
  ["button", "k", { ctrlKey: true }, "Ctrl+K"],
  ["textarea", "k", { ctrlKey: true }, "Ctrl+K"],
  ["button", "e", {}, "E"],
  ["textarea", "e", {}, undefined],
  ["textarea", "Escape", {}, "Escape"],
  ["button", "z", { ctrlKey: true }, "Ctrl+Z"],
  ["textarea", "z", { ctrlKey: true }, undefined],
])("in a %s the key %s with %j is the chord %s", async (where, key, more, chord) => {
  const stage = await started();
  press(document.querySelector(where) as Element, key, more);
  await stage.settled();
  expect(stage.all("chord").map((message) => message.key)).toEqual(chord ? [chord] : []);
});

test("look and grants reach those who listen, until they stop", async () => {
  const stage = await started();
  const theme = vi.fn();
  const granted = vi.fn();
  host.onTheme(theme);
  const stop = host.onGranted(granted);
  stage.say({ kind: "theme", theme: "light", reduced_motion: true });
  stage.say({ kind: "granted", granted: ["system.figures"] });
  await stage.settled();
  stop();
  stage.say({ kind: "granted", granted: [] });
  await stage.settled();
  expect(theme).toHaveBeenCalledWith("light", true);
  expect(granted.mock.calls).toEqual([[["system.figures"]]]);
  expect(host.granted()).toEqual([]);
  expect(document.documentElement.dataset["motion"]).toBe("reduced");
});

test("a disposed frame has said its last state, ends its calls and is silent", async () => {
  const stage = await started();
  const refused = expect(host.call("a.b", null)).rejects.toMatchObject({ problem: { code: "cancelled" } });
  editor().value = "last";
  host.changed();
  stage.say({ kind: "dispose" });
  await stage.next("disposed");
  expect(stage.all("state").at(-1)?.state.data).toEqual({ text: "last" });
  await refused;
  stage.heard.length = 0;
  host.header("late");
  press(editor(), "Escape");
  host.changed();
  await pause(150);
  expect(stage.heard).toEqual([]);
  expect(calls.at(-1)).toBe("dispose");
});
