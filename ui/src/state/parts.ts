// What the picture of everything means for one part or for the whole: the status, marks, strips, progress.
// Pure: pictures and times go in, facts come out. No texts, no page.

import type {
  Activity,
  HistoryEntry,
  InstalledPart,
  NotTried,
  Overview,
  Phase,
  Problem,
  Subject,
} from "../host/bindings";

export const APP: Subject = "app";
export const SHELL: Subject = "shell";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The stages a user sees, in order. */
export const STAGES = ["found", "planned", "fetching", "rebuilding", "verifying", "switching", "confirming"] as const;
export type Stage = (typeof STAGES)[number];

/** The mark's four shapes. */
export type Shape = "current" | "on_its_way" | "needs_you" | "offline";

/** What the bar says. */
export interface Status {
  shape: Shape;
  kind: "current" | "unchecked" | "on_its_way" | "needs_you" | "offline" | "check_failed";
  count: number;
}

/** The subject of a widget. */
export function subjectOf(widget: string): Subject {
  return `w/${widget}`;
}

export function isUnderWay({ phase }: Activity): boolean {
  return phase !== "done" && phase !== "rolled_back" && phase !== "failed";
}

/** Whether the new executable lies ready and waits for a word of the user's. */
export function isReadyApp(activity: Activity): boolean {
  return activity.subject === APP && activity.phase === "waiting" && !awaitsConsent(activity);
}

/** Whether it waits for a grant. */
export function awaitsConsent({ phase, problems }: Activity): boolean {
  return phase === "waiting" && problems.at(-1)?.code === "consent_needed";
}

/** The one thing to say about everything. What needs the user comes first. */
export function statusOf(overview: Overview): Status {
  const asks = overview.settings.mode === "prompt" ? overview.activities.filter(isReadyApp).length : 0;
  const needs = overview.needs.length + asks;
  if (needs > 0) return { shape: "needs_you", kind: "needs_you", count: needs };
  if (overview.check_problem?.code === "offline") return { shape: "offline", kind: "offline", count: 0 };
  const waiting = new Set(overview.needs.map(({ widget }) => subjectOf(widget)));
  const onWay = overview.activities.filter((one) => isUnderWay(one) && !waiting.has(one.subject)).length;
  if (onWay > 0) return { shape: "on_its_way", kind: "on_its_way", count: onWay };
  if (overview.check_problem) return { shape: "needs_you", kind: "check_failed", count: 0 };
  return { shape: "current", kind: overview.checked_at === null ? "unchecked" : "current", count: 0 };
}

/** How long ago, in milliseconds; never negative, since two clocks may differ. */
function ageOf(at: string, now: number): number {
  return Math.max(0, now - Date.parse(at));
}

/** The mark of a fresh version: its name for a minute, its glyph for a day, then nothing. */
export function markOf(
  part: InstalledPart | undefined,
  now: number,
  seen: Record<string, string>,
): "label" | "glyph" | null {
  if (!part?.updated_at || seen[part.subject] === part.version) return null;
  const age = ageOf(part.updated_at, now);
  if (age < MINUTE_MS) return "label";
  return age < DAY_MS ? "glyph" : null;
}

/** The last thing that happened to a subject, if it went wrong, is not a day old and was not put away. */
export function stripOf(
  history: readonly HistoryEntry[],
  subject: Subject,
  now: number,
  dismissed: readonly string[],
): HistoryEntry | null {
  const last = history.find((entry) => entry.subject === subject);
  if (!last || dismissed.includes(last.id) || ageOf(last.at, now) >= DAY_MS) return null;
  if (last.outcome === "rolled_back") return last;
  const cause = causeOf(last)?.code;
  const quiet = cause === "offline" || cause === "cancelled" || cause === "consent_needed";
  return last.outcome === "failed" && !quiet ? last : null;
}

/** The name under which it is put away: the next start that has the same to say says it again. */
export function idOf({ version, at }: NotTried): string {
  return `not tried: ${version}, ${String(at)}`;
}

/** What ended an update: the last problem. */
export function causeOf(entry: HistoryEntry): Problem | undefined {
  return entry.problems.at(-1);
}

/** How much of the tile's seam is filled, 0 to 1; null for none. */
export function seamOf(activity: Activity | undefined): number | null {
  if (!activity) return null;
  switch (activity.phase) {
    case "found":
    case "planned":
    case "scheduled":
      return 0;
    case "fetching":
      return fetched(activity);
    case "rebuilding":
    case "verifying":
      return 1;
    case "waiting":
      return awaitsConsent(activity) ? null : 1;
    case "switching":
      return 1;
    default:
      return null;
  }
}

/** The fetched share of the plan, 0 to 1. */
export function fetched({ bytes_done, bytes_total }: Activity): number {
  return bytes_total > 0 ? Math.min(1, bytes_done / bytes_total) : 0;
}

/** A stage of an update as the split line shows it. */
export interface StagePart {
  stage: Stage;
  state: "done" | "now" | "open";
  /** How much of it is filled, 0 to 1. */
  share: number;
}

/** The seven stages of an update that is at `phase`. */
export function stagesOf(activity: Activity): StagePart[] {
  const at = STAGES.indexOf(shownAs(activity.phase));
  return STAGES.map((stage, index) => {
    if (index < at || activity.phase === "done") return { stage, state: "done", share: 1 };
    if (index > at) return { stage, state: "open", share: 0 };
    const share = activity.phase === "fetching" ? fetched(activity) : activity.phase === "waiting" ? 0 : 0.5;
    return { stage, state: "now", share };
  });
}

function shownAs(phase: Phase): Stage {
  switch (phase) {
    case "scheduled":
      return "planned";
    case "waiting":
      return "switching";
    case "rolling_back":
    case "done":
      return "confirming";
    case "rolled_back":
    case "failed":
      return "found";
    default:
      return phase;
  }
}

/** What a plan spares against the full file, in bytes; never negative. */
export function saved({ bytes_total, full_bytes }: Pick<Activity, "bytes_total" | "full_bytes">): number {
  return Math.max(0, full_bytes - bytes_total);
}

/** The newest version that a part may be brought to, if one is on its way or waits. */
export function nextOf(overview: Overview, subject: Subject): string | null {
  const activity = overview.activities.find((one) => one.subject === subject && isUnderWay(one));
  if (activity) return activity.to;
  return overview.needs.find(({ widget }) => subjectOf(widget) === subject)?.version ?? null;
}

/** The history entries of `after` that `before` had not, oldest first. */
export function newsOf(before: Overview | null, after: Overview): HistoryEntry[] {
  if (!before) return [];
  const known = new Set(before.history.map(({ id }) => id));
  return after.history.filter(({ id }) => !known.has(id)).reverse();
}

/** The publisher in a widget's subject, as a name: `hearth-works` is Hearth Works. Null for what is no widget. */
export function publisherOf(subject: Subject): string | null {
  const publisher = subject.startsWith("w/") ? subject.split("/")[1] : undefined;
  if (!publisher) return null;
  const words = publisher.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join(" ");
}

/** Compares two versions as the release order does: numbers by value, a pre-release before its release. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parse(left), parse(right)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (a.core[index] ?? 0) - (b.core[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index += 1) {
    const [x, y] = [a.pre[index], b.pre[index]];
    if (x === y) continue;
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [m, n] = [Number(x), Number(y)];
    if (Number.isInteger(m) && Number.isInteger(n)) return m - n;
    if (Number.isInteger(m) !== Number.isInteger(n)) return Number.isInteger(m) ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

function parse(version: string): { core: number[]; pre: string[] } {
  const [release = ""] = version.split("+", 1);
  const dash = release.indexOf("-");
  const core = (dash < 0 ? release : release.slice(0, dash)).split(".").map(Number);
  return { core, pre: dash < 0 ? [] : release.slice(dash + 1).split(".") };
}
