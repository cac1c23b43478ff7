// The rounds of work and breaks: the state, what each button and the passing of time make of it. A running phase is
// known by its end alone, an instant, so that no swap, sleep or restart can lose or stretch it. No clock, no DOM.

import type { Settings } from "@moult/widget";

export type Phase = "work" | "rest" | "long_rest";

/** The state, schema 1. */
export interface Rounds {
  phase: Phase;
  /** When the phase ends, in milliseconds since 1970; null while it does not run. */
  ends_at: number | null;
  /** How much of a phase that was paused is left, in milliseconds; null if it has not begun. */
  left_ms: number | null;
  /** How many phases of work were done on `day`. */
  done: number;
  /** A day here, as YYYY-MM-DD. */
  day: string;
  /** What is worked on, in the user's words. */
  subject: string;
}

/** How long the phases are, as the user set it. */
export interface Plan {
  /** Minutes. */
  lengths: Readonly<Record<Phase, number>>;
  /** After so many phases of work the break is a long one. */
  rounds: number;
  /** Whether a phase begins by itself when the one before has ended. */
  goes_on: boolean;
}

const MINUTE = 60_000;

/** A phase that ended longer ago than this ended unseen: nobody is told, and none follows by itself. Milliseconds. */
export const UNSEEN_MS = 60_000;

export const MAX_SUBJECT = 80;

export const FIRST: Rounds = { phase: "work", ends_at: null, left_ms: null, done: 0, day: "", subject: "" };

/** Reads the settings; what is missing or out of its bounds is the default. */
export function planOf(settings: Settings): Plan {
  const number = (key: string, least: number, most: number, otherwise: number): number => {
    const value = settings[key];
    return typeof value === "number" && value >= least && value <= most ? value : otherwise;
  };
  return {
    lengths: {
      work: number("work_minutes", 1, 120, 25),
      rest: number("rest_minutes", 1, 60, 5),
      long_rest: number("long_rest_minutes", 1, 120, 15),
    },
    rounds: Math.round(number("rounds", 2, 8, 4)),
    goes_on: settings["goes_on"] === true,
  };
}

/** Reads state; throws on anything else. */
export function readRounds(data: unknown): Rounds {
  const { phase, ends_at, left_ms, done, day, subject } = (data ?? {}) as Partial<Rounds>;
  if (phase !== "work" && phase !== "rest" && phase !== "long_rest") throw new TypeError("`phase` is none");
  return {
    phase,
    ends_at: isAmount(ends_at) ? ends_at : null,
    left_ms: isAmount(left_ms) ? left_ms : null,
    done: isAmount(done) ? Math.floor(done) : 0,
    day: typeof day === "string" ? day : "",
    subject: typeof subject === "string" ? subject.slice(0, MAX_SUBJECT) : "",
  };
}

/** How long the phase is in all, in milliseconds. */
export function lengthOf({ phase }: Rounds, plan: Plan): number {
  return plan.lengths[phase] * MINUTE;
}

/** How much of the phase is left, in milliseconds. */
export function leftOf(rounds: Rounds, plan: Plan, now: number): number {
  const length = lengthOf(rounds, plan);
  const left = rounds.ends_at === null ? (rounds.left_ms ?? length) : rounds.ends_at - now;
  // A clock that was set back makes more than there ever was.
  return Math.min(length, Math.max(0, left));
}

/** Runs the phase. */
export function start(rounds: Rounds, plan: Plan, now: number): Rounds {
  if (rounds.ends_at !== null) return rounds;
  return { ...rounds, ends_at: now + leftOf(rounds, plan, now), left_ms: null };
}

export function pause(rounds: Rounds, plan: Plan, now: number): Rounds {
  if (rounds.ends_at === null) return rounds;
  return { ...rounds, ends_at: null, left_ms: leftOf(rounds, plan, now) };
}

/** The phase from its beginning, not running. */
export function reset(rounds: Rounds): Rounds {
  return { ...rounds, ends_at: null, left_ms: null };
}

/** The next phase at once. What was skipped does not count as done; a running clock goes on running. */
export function skip(rounds: Rounds, plan: Plan, now: number): Rounds {
  const next = reset({ ...rounds, phase: nextPhase(rounds.phase, rounds.done, plan) });
  return rounds.ends_at === null ? next : start(next, plan, now);
}

/** What has become of the rounds at `now`, and the phase that has ended since, if one has. */
export function passed(rounds: Rounds, plan: Plan, now: number, day: string): { rounds: Rounds; ended: Phase | null } {
  const today = rounds.day === day ? rounds : { ...rounds, day, done: 0 };
  if (rounds.ends_at === null || rounds.ends_at > now) return { rounds: today, ended: null };
  const done = today.done + (rounds.phase === "work" ? 1 : 0);
  const next = reset({ ...today, done, phase: nextPhase(rounds.phase, done, plan) });
  const seen = now - rounds.ends_at <= UNSEEN_MS;
  return { rounds: plan.goes_on && seen ? start(next, plan, rounds.ends_at) : next, ended: seen ? rounds.phase : null };
}

/** Which phase follows one, when `done` phases of work are done. */
export function nextPhase(phase: Phase, done: number, plan: Plan): Phase {
  if (phase !== "work") return "work";
  return done > 0 && done % plan.rounds === 0 ? "long_rest" : "rest";
}

/** How many phases of the present set of rounds are done. All of them during the long break. */
export function doneInSet({ phase, done }: Rounds, plan: Plan): number {
  const inSet = done % plan.rounds;
  return inSet === 0 && done > 0 && phase !== "work" ? plan.rounds : inSet;
}

/** A day here, as YYYY-MM-DD. */
export function dayOf(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
