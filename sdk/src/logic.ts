// Logic in TypeScript, between an author's functions and the world of `sdk/wit`: JSON in and out, and the steps from older
// schemas. All of it is synchronous, as the world is: a call waits for its answer. Knows the host only as what it is lent.

import { CallRefused } from "./calls.js";
import type { CallProblem, Settings } from "./protocol.js";
import { messageOf, migrate } from "./state.js";
import type { Migrations } from "./state.js";

/** What an author writes. `defineLogic` makes logic of it. */
export interface LogicDefinition<State> {
  /** The schema of the state that it writes: the one in moult.json. */
  schema: number;
  /** Steps from older schemas: the key is the schema that a step reads. */
  migrate?: Migrations;
  /** Checks data of the present schema. If it throws, the state is refused, and the version that wrote it goes on. */
  parse?: (data: unknown) => State;
  /** Begins, with the settings of this instance. */
  start?: (settings: Settings) => void;
  /** Handles an event and answers: what the page sent, `{ kind: "timer", name }`, or `{ kind: "settings", settings }`. */
  handle: (event: LogicEvent) => unknown;
  /** The state as of now: at most 1 MiB as JSON. */
  snapshot: () => State;
  /** Takes over the state of another version, or its own after it failed. */
  restore: (state: State) => void;
}

/** Something that happened. What members it has, its `kind` says. What a page sends need not have one; what is no object has the member `value`. */
export interface LogicEvent {
  readonly kind?: string;
  readonly [member: string]: unknown;
}

/** Logic that was defined, whatever its state is. */
export type Logic = LogicDefinition<unknown>;

/** The interface `moult:widget/host@0.2.0`, as an engine for JavaScript lends it. */
export interface LentHost {
  /** Throws an error whose `payload` is the problem as JSON. */
  call(capability: string, json: string): string;
  say(json: string): void;
  now(): bigint;
  random(count: number): Uint8Array;
  log(line: string): void;
}

/** What the component exports. */
export interface Exported {
  init(settings: string): void;
  handle(event: string): string;
  snapshot(): Uint8Array;
  restore(data: Uint8Array, schema: number): void;
}

let lent: LentHost | null = null;

function host(): LentHost {
  if (!lent) throw new Error("The host can be used once the logic has begun, not while its script is read.");
  return lent;
}

/** Defines logic: what `src/logic.ts` exports by default. */
export function defineLogic<State>(definition: LogicDefinition<State>): Logic {
  return definition as Logic;
}

/** Uses a capability and waits for the answer; the wait is not working time. Throws {@link CallRefused}. */
export function call<Answer = unknown>(capability: string, request: unknown = {}): Answer {
  let answer: string;
  try {
    answer = host().call(capability, JSON.stringify(request));
  } catch (thrown) {
    const payload = (thrown as { payload?: unknown }).payload;
    if (typeof payload !== "string") throw thrown;
    throw new CallRefused(JSON.parse(payload) as CallProblem);
  }
  return JSON.parse(answer) as Answer;
}

/** Says something to the widget's own page, which hears it by `host.onLogic`. */
export function say(event: unknown): void {
  host().say(JSON.stringify(event));
}

/** The time in milliseconds since 1970, UTC. `Date.now()` stands still in logic: it says when the logic was built. */
export function now(): number {
  return Number(host().now());
}

/** Bytes that nobody can guess, at most 256. `Math.random()` gives the same row after each start. */
export function random(count: number): Uint8Array {
  return host().random(count);
}

/** Leaves a line in the widget's log, at most 1,000 characters. */
export function log(line: string): void {
  host().log(line);
}

/** The functions of the world. The build calls it, in an entry that it makes; so does a test, with a host of its own. */
export function exported(lend: LentHost, logic: Logic): Exported {
  const begin = (): void => {
    lent = lend;
  };
  return {
    init(settings) {
      begin();
      told(() => logic.start?.(JSON.parse(settings) as Settings));
    },
    handle: (event) => told(() => JSON.stringify(logic.handle(eventOf(JSON.parse(event)))) ?? "null"),
    snapshot: () => told(() => new TextEncoder().encode(JSON.stringify(logic.snapshot()) ?? "null")),
    restore(data, schema) {
      try {
        const saved = { schema, data: JSON.parse(new TextDecoder().decode(data)) as unknown };
        const migrated = migrate(saved, logic.schema, logic.migrate ?? {});
        logic.restore(logic.parse ? logic.parse(migrated) : migrated);
      } catch (thrown) {
        // What is thrown here is the error that the world knows: the reason, as text.
        throw messageOf(thrown);
      }
    },
  };
}

function eventOf(value: unknown): LogicEvent {
  return typeof value === "object" && value !== null ? (value as LogicEvent) : { value };
}

/** An error that nobody catches ends the logic, and the engine says only that it did. So it is left in the log before. */
function told<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : null;
    log(error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(thrown));
    throw thrown;
  }
}

export { CallRefused } from "./calls.js";
export type { CallProblem, Settings } from "./protocol.js";
export type { Migrations } from "./state.js";
