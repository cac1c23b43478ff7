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
  if (frame.granted.includes(capability)) {
    return answer(frame, id, native.capability(frame.load.token, capability, request));
  }
  const detail = `${frame.load.subject} ${frame.load.version} has no grant for ${capability}`;
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
