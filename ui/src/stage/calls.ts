// Calls of a frame to the native side and their answers. A capability that was not granted never reaches it, and in a
// swap only the frame that the user has acts: two versions of one widget run then, and nothing may be done twice.

import type { Frame } from "./frame";
import { type Native, problemOf } from "./native";

/** Uses a capability for a frame. `hasKeyboard`: whether keys that were pressed are meant for it. */
export async function call(
  native: Native,
  frame: Frame,
  id: number,
  capability: string,
  request: unknown,
  hasKeyboard = true,
): Promise<void> {
  const needed = capabilityOf(capability);
  if (isGranted(frame, capability)) {
    if (frame.calls >= CALLS) {
      const detail = `${frame.load.subject} ${frame.load.version} has ${CALLS} calls unanswered`;
      const happened = "The widget asks too often.";
      const error = { code: "rate_limited", happened, kept: "Nothing was done.", advice: null, detail };
      return frame.send({ kind: "reply", id, ok: false, error });
    }
    if (frame.state !== "live" && acts(capability, request)) {
      const detail = `${frame.load.subject} ${frame.load.version} is ${frame.state} and called ${capability}`;
      const happened = "The widget is not shown yet.";
      const error = { code: "cancelled", happened, kept: "Nothing was done.", advice: null, detail };
      return frame.send({ kind: "reply", id, ok: false, error });
    }
    const { x, y, width, height } = frame.element.getBoundingClientRect();
    const area = { x, y, width, height, focused: frame.focused && hasKeyboard };
    frame.calls += 1;
    await answer(frame, id, native.capability(frame.load.token, capability, request, area));
    frame.calls -= 1;
    return;
  }
  const detail = `${frame.load.subject} ${frame.load.version} has no grant for ${needed}`;
  const happened = "That is not allowed yet.";
  const error = { code: "consent_needed", happened, kept: "Nothing was read.", advice: null, detail };
  frame.send({ kind: "reply", id, ok: false, error });
}

/** The most calls of a frame that wait for their answer. */
export const CALLS = 64;

/** Whether a frame may make a call. */
export function isGranted(frame: Frame, capability: string): boolean {
  return frame.granted.includes(capabilityOf(capability));
}

/** Sends a frame what came of its call. */
export async function answer(frame: Frame, id: number, reply: Promise<unknown>): Promise<void> {
  try {
    frame.send({ kind: "reply", id, ok: true, value: (await reply) ?? null });
  } catch (thrown) {
    frame.send({ kind: "reply", id, ok: false, error: problemOf(thrown) });
  }
}

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
