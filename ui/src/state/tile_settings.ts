// What a user may set of one tile: which values fit, which differ from the default, and what is kept of them. Pure.
// It judges as the native side does, which judges again, and knows neither fields nor words for what is wrong.

import type { Setting, Words } from "../host/bindings";

/** The settings that a part declares, by key. */
export type Declared = Record<string, Setting>;
/** What was chosen, by key. */
export type Chosen = Record<string, unknown>;

/** The longest text where a setting does not say, in characters. */
const USUAL_TEXT = 256;

/** Why a value cannot be taken. */
export type Fault =
  | { kind: "number" }
  | { kind: "range"; min: number; max: number }
  | { kind: "step"; step: number; below: number; above: number }
  | { kind: "long"; most: number; over: number }
  | { kind: "color" }
  | { kind: "other" };

/** Words in a language, or else in English. */
export function wordsIn(words: Words | undefined, language: string): string {
  if (words === undefined || typeof words === "string") return words ?? "";
  return words[language] ?? words[language.split("-")[0] ?? ""] ?? words["en"] ?? "";
}

/** Why a value does not fit a setting; null if it does. */
export function faultOf(setting: Setting, value: unknown): Fault | null {
  switch (setting.kind) {
    case "switch":
      return typeof value === "boolean" ? null : { kind: "other" };
    case "number":
      return numberFault(setting, value);
    case "text": {
      if (typeof value !== "string") return { kind: "other" };
      const most = setting.max_length ?? USUAL_TEXT;
      // Counted as the native side counts: a character outside the basic plane is one.
      const over = [...value].length - most;
      return over > 0 ? { kind: "long", most, over } : null;
    }
    case "choice":
      return setting.options?.some((option) => option.value === value) ? null : { kind: "other" };
    case "color":
      return typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value) ? null : { kind: "color" };
    case "zone":
      return typeof value === "string" && /^[\w/+-]{0,64}$/.test(value) ? null : { kind: "other" };
  }
}

function numberFault({ min = -Infinity, max = Infinity, step = 1, ...setting }: Setting, value: unknown): Fault | null {
  if (typeof value !== "number" || !Number.isFinite(value)) return { kind: "number" };
  if (value < min || value > max) return { kind: "range", min, max };
  if (value === min || value === max) return null;
  // Steps are counted from the default, which is the one value that surely makes sense; both ends are always open.
  const from = typeof setting.default === "number" ? setting.default : 0;
  const steps = (value - from) / step;
  if (Math.abs(steps - Math.round(steps)) < 1e-6) return null;
  const at = (count: number) => Math.min(max, Math.max(min, exact(from + count * step)));
  return { kind: "step", step, below: at(Math.floor(steps)), above: at(Math.ceil(steps)) };
}

/** The number that is so many steps away, inside the bounds. */
export function stepped(setting: Setting, value: number, steps: number): number {
  const { min = -Infinity, max = Infinity, step = 1 } = setting;
  const fault = numberFault(setting, value);
  if (fault?.kind === "step") return steps > 0 ? fault.above : fault.below;
  return Math.min(max, Math.max(min, exact(value + steps * step)));
}

/** What was typed, as a number; `NaN` if it is none. A comma is a point. */
export function numberIn(text: string): number {
  const trimmed = text
    .trim()
    .replace(/[,，]/, ".")
    .replace(/^[−－]/, "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : Number.NaN;
}

/** What was typed, as a colour: with its sign, in lower case. */
export function colorIn(text: string): string {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/^[#＃]/, "");
  // Three digits are short for six, as everywhere where colours are written.
  return `#${/^[0-9a-f]{3}$/.test(digits) ? digits.replace(/./g, "$&$&") : digits}`;
}

/** A value for each setting: what was chosen where it fits, else the default. */
export function valuesOf(declared: Declared, chosen: Chosen | undefined): Chosen {
  const value = ([key, setting]: [string, Setting]) => {
    const own = chosen && Object.hasOwn(chosen, key) ? chosen[key] : undefined;
    return [key, faultOf(setting, own) === null ? own : setting.default] as const;
  };
  return Object.fromEntries(Object.entries(declared).map(value));
}

/** What is kept after a choice: nothing that is the default. What only another version declares stays for it. */
export function chosenWith(declared: Declared, chosen: Chosen, key: string, value: unknown): Chosen {
  const all = [...Object.entries(chosen).filter(([other]) => other !== key), [key, value] as const];
  return Object.fromEntries(
    all.filter(([name, one]) => !Object.hasOwn(declared, name) || one !== declared[name]?.default),
  );
}

/** Without the remains of adding fractions: 0.1 + 0.2 is 0.3. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}
