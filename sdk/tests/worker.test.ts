// The work runs in real threads: an endless loop is endless here too.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { work } from "../src/worker.js";
import type { Work } from "../src/worker.js";

const threads = (await import("node:worker_threads" as string)) as {
  Worker: new (
    script: string,
    options: { eval: true },
  ) => {
    on(event: string, listener: (value: never) => void): void;
    postMessage(data: unknown): void;
    terminate(): void;
  };
};

/** What the browser's worker is to the kit, on a thread. */
const PRELUDE = `const { parentPort } = require("node:worker_threads");
globalThis.postMessage = (data) => parentPort.postMessage(data);
parentPort.on("message", (data) => onmessage({ data }));
`;

let started = 0;
let alive = 0;
let prepared: Work<never, unknown>[] = [];
const scripts = new Map<string, string[]>();

class Thread {
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onerror: (event: { message: string }) => void = () => undefined;
  readonly #thread;

  constructor(url: string) {
    started += 1;
    alive += 1;
    this.#thread = new threads.Worker(PRELUDE + (scripts.get(url) ?? []).join(""), { eval: true });
    this.#thread.on("message", (data: unknown) => this.onmessage({ data }));
    this.#thread.on("error", (error: Error) => this.onerror({ message: error.message }));
  }

  postMessage(data: unknown): void {
    this.#thread.postMessage(data);
  }

  terminate(): void {
    alive -= 1;
    this.#thread.terminate();
  }
}

beforeEach(() => {
  started = alive = 0;
  prepared = [];
  vi.stubGlobal("Worker", Thread);
  vi.stubGlobal("Blob", function (this: object, parts: string[]) {
    Object.assign(this, { parts });
  });
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const url = `blob:null/${scripts.size}`;
    scripts.set(url, (blob as unknown as { parts: string[] }).parts);
    return url;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void scripts.delete(url));
});
afterEach(() => {
  for (const one of prepared) one.end();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function prepare<In, Out>(job: ((input: In) => Out | Promise<Out>) | string, limitMs = 4_000): Work<In, Out> {
  const made = work<In, Out>(job, { limitMs });
  prepared.push(made as never);
  return made;
}

test("the worker is started by the first question, answers in order and is used again", async () => {
  const { ask } = prepare((n: number) => n * 2);
  expect(started).toBe(0);
  expect(await Promise.all([ask(1), ask(2), ask(3)])).toEqual([2, 4, 6]);
  expect(started).toBe(1);
});

test("a script that defines the job is as good as a function", async () => {
  const { ask } = prepare<string, number>("const base = 10; async function job(text) { return base + text.length; }");
  expect(await ask("ab")).toBe(12);
});

test("work without an end is ended when its time is up, and the next is done afresh", async () => {
  const { ask } = prepare((n: number) => {
    while (n === 0);
    return n;
  }, 300);
  const endless = expect(ask(0)).rejects.toMatchObject({ name: "WorkTimedOut" });
  const next = ask(5);
  await endless;
  expect(await next).toBe(5);
  expect([started, alive]).toEqual([2, 1]);
});

test("what the work throws is the caller's error, and the worker goes on", async () => {
  const { ask } = prepare((n: number) => {
    if (n === 0) throw new Error("no zero");
    return n;
  });
  await expect(ask(0)).rejects.toMatchObject({ name: "WorkFailed", message: "no zero" });
  expect(await ask(1)).toBe(1);
  expect(started).toBe(1);
});

test("a script that can't run is an error for each question", async () => {
  const { ask } = prepare("const job = ;");
  await expect(ask(0 as never)).rejects.toMatchObject({ name: "WorkFailed" });
  await expect(ask(0 as never)).rejects.toMatchObject({ name: "WorkFailed" });
});

test("input that can't be cloned is refused, the rest is done", async () => {
  const { ask } = prepare((input: unknown) => typeof input);
  const refused = expect(ask(() => 1)).rejects.toMatchObject({ name: "WorkFailed" });
  expect(await ask("a")).toBe("string");
  await refused;
});

test("an end refuses what waits and what comes", async () => {
  const { ask, end } = prepare((n: number) => n);
  const waiting = expect(ask(1)).rejects.toThrow("ended");
  end();
  await waiting;
  await expect(ask(2)).rejects.toThrow("ended");
  expect(alive).toBe(0);
});
