// The counter itself: what it keeps, and how that changes. No screen, no host.

/** What the widget keeps. Its shape has a number, the schema; this is schema 2. */
export interface Counter {
  count: number;
  /** The day that was counted on, as `2026-11-30`; empty if none is known. */
  day: string;
}

export const SCHEMA = 2;

export const FIRST: Counter = { count: 0, day: "" };

/**
 * Steps from older schemas: the key is the schema that a step reads. Schema 1 had no day. When the shape changes again,
 * raise the schema here and in moult.json, and add the step `2`.
 */
export const MIGRATIONS = {
  1: (data: unknown): unknown => ({ ...(data as object), day: "" }),
};

/** Checks what was kept. If it throws, this version is refused and the old one goes on, with everything it had. */
export function readCounter(data: unknown): Counter {
  const { count, day } = data as Partial<Counter>;
  if (typeof count !== "number" || typeof day !== "string") throw new Error("This is no counter.");
  return { count, day };
}

/** The counter on a day: each begins at 0. A counter of no known day is taken for that day's. */
export function onDay(counter: Counter, day: string): Counter {
  return { count: counter.day === "" || counter.day === day ? counter.count : 0, day };
}

export function add(counter: Counter, amount: number): Counter {
  return { ...counter, count: Math.min(999, Math.max(0, counter.count + amount)) };
}

/** The day that it is now. */
export function today(): string {
  return dayOf(new Date());
}

/** The day of a moment, where the user is. */
export function dayOf(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}
