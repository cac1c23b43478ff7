// Calls of a frame to the native side and their answers. A capability that was not granted never reaches it, and in a
// swap only the frame that the user has acts: two versions of one widget run then, and nothing may be done twice.

import type { Frame } from "./frame";
import { type Native, problemOf } from "./native";

/**
 * Uses a capability for a frame. False: the call failed by the frame's own fault. `hasKeyboard`: whether keys that were
 * pressed are meant for it.
 */
export async function call(
  native: Native,
  frame: Frame,
  id: number,
  capability: string,
  request: unknown,
  hasKeyboard = true,
): Promise<boolean> {
  const needed = capabilityOf(capability);
  if (isGranted(frame, capability)) {
    if (frame.calls >= CALLS) {
      const detail = `${frame.load.subject} ${frame.load.version} has ${CALLS} calls unanswered`;
      const happened = "The widget asks too often.";
      const error = { code: "rate_limited", happened, kept: "Nothing was done.", advice: null, detail };
      frame.send({ kind: "reply", id, ok: false, error });
      return false;
    }
    const focused = frame.focused && hasKeyboard;
    frame.calls += 1;
    await new Promise<void>((begin) => frame.begins.take(begin, performance.now()));
    const well = await carryOut(native, frame, id, capability, request, focused);
    frame.calls -= 1;
    return well;
  }
  const detail = `${frame.load.subject} ${frame.load.version} has no grant for ${needed}`;
  const happened = "That is not allowed yet.";
  const error = { code: "consent_needed", happened, kept: "Nothing was read.", advice: null, detail };
  frame.send({ kind: "reply", id, ok: false, error });
  return true;
}

/** Carries out a call whose turn it is. */
async function carryOut(
  native: Native,
  frame: Frame,
  id: number,
  capability: string,
  request: unknown,
  focused: boolean,
): Promise<boolean> {
  // Looked at now: it may have waited while the frame gave way to another.
  if (frame.state !== "live" && acts(capability, request)) {
    const detail = `${frame.load.subject} ${frame.load.version} is ${frame.state} and called ${capability}`;
    const happened = "The widget is not shown yet.";
    const error = { code: "cancelled", happened, kept: "Nothing was done.", advice: null, detail };
    frame.send({ kind: "reply", id, ok: false, error });
    return true;
  }
  const { x, y, width, height } = frame.element.getBoundingClientRect();
  const area = { x, y, width, height, focused };
  return answer(frame, id, native.capability(frame.load.token, capability, request, area));
}

/** The most calls of a frame that wait for their answer. */
export const CALLS = 64;

/** Whether a frame may make a call. */
export function isGranted(frame: Frame, capability: string): boolean {
  const needed = capabilityOf(capability);
  return needed === OWN_LOGIC || frame.granted.includes(needed);
}

/** Sends a frame what came of its call. False: the call failed by the frame's own fault. */
export async function answer(frame: Frame, id: number, reply: Promise<unknown>): Promise<boolean> {
  try {
    frame.send({ kind: "reply", id, ok: true, value: (await reply) ?? null });
    return true;
  } catch (thrown) {
    const error = problemOf(thrown);
    frame.send({ kind: "reply", id, ok: false, error });
    return !OWN_FAULTS.has(error.code);
  }
}

/** A widget's own logic needs no grant. */
const OWN_LOGIC = "logic";
/** What a version is answered that asks for the wrong thing or too much, or whose logic fails. No network and no grant are no fault. */
const OWN_FAULTS = new Set<string>([
  "crashed",
  "hung",
  "invalid_request",
  "not_declared",
  "quota_exceeded",
  "rate_limited",
  "too_large",
]);

/** Calls whose capability has the same name; that of any other is named by what stands before the point. */
const WHOLE = ["system.figures", "clipboard.write", "open.url"];

/** The capability that a call needs. */
export function capabilityOf(call: string): string {
  return WHOLE.includes(call) ? call : (call.split(".", 1)[0] ?? call);
}

/** Calls that do something which is seen outside of the frame, or stays. */
const ACTING = [
  "notifications.show",
  "clipboard.write",
  "open.url",
  "bus.publish",
  "bus.ask",
  "shared.set",
  "storage.set",
  "storage.delete",
];

/** Whether a call does more than read. */
export function acts(call: string, request: unknown): boolean {
  if (call !== "network.fetch") return ACTING.includes(call) || call.startsWith("timers.");
  const method = typeof request === "object" && request !== null && "method" in request ? request.method : undefined;
  return method !== undefined && method !== "GET" && method !== "HEAD";
}
