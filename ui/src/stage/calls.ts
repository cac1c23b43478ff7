// Calls of a frame to the native side and their answers. A capability that was not granted never reaches it.

import type { Frame } from "./frame";
import { type Native, problemOf } from "./native";

/** Uses a capability for a frame. */
export async function call(
  native: Native,
  frame: Frame,
  id: number,
  capability: string,
  request: unknown,
): Promise<void> {
  const needed = capabilityOf(capability);
  if (frame.granted.includes(needed)) {
    const { x, y, width, height } = frame.element.getBoundingClientRect();
    const area = { x, y, width, height, focused: frame.focused };
    return answer(frame, id, native.capability(frame.load.token, capability, request, area));
  }
  const detail = `${frame.load.subject} ${frame.load.version} has no grant for ${needed}`;
  const happened = "That is not allowed yet.";
  const error = { code: "consent_needed", happened, kept: "Nothing was read.", advice: null, detail };
  frame.send({ kind: "reply", id, ok: false, error });
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
