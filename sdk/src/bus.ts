// Events and requests between widgets: the capability `bus`. A topic of one's own is written without whose it is,
// another's is written whole: `w/moult/pomodoro:phase`. Knows calls and news; knows no other widget.

import { MAX_VALUE_BYTES } from "./protocol.js";
import type { Outcome } from "./protocol.js";
import { messageOf } from "./state.js";
import type { Host } from "./widget.js";

/** Tells all who listen. `topic` is one of the manifest's `publishes`. */
export async function publish(host: Host, topic: string, data: unknown): Promise<void> {
  await host.call("bus.publish", { topic, data });
}

/** Hears each event on a topic of the manifest's `listens`. Resolves, once the host agreed, with what ends it. */
export async function listen(host: Host, topic: string, listener: (data: unknown) => void): Promise<() => void> {
  const end = host.hear("event", (event) => {
    if (event.topic === topic) listener(event.data);
  });
  return agreed(host.call("bus.listen", { topic }), end);
}

/**
 * Answers requests on a topic of the manifest's `answers`: with what `answerer` returns, or with the message of what it
 * throws as the reason. `from` is who asks. Resolves, once the host agreed, with what ends it.
 */
export async function answer(
  host: Host,
  topic: string,
  answerer: (data: unknown, from: string) => unknown,
): Promise<() => void> {
  const end = host.hear("request", (request) => {
    // A request names the topic whole.
    if (request.topic.slice(request.topic.lastIndexOf(":") + 1) !== topic) return;
    void outcomeOf(answerer, request.data, request.from).then((outcome) => host.answer(request.id, outcome));
  });
  return agreed(host.call("bus.answer", { topic }), end);
}

/** Asks another widget on a topic of the manifest's `asks`. Rejects with `CallRefused`, after 5 s without an answer too. */
export function ask(host: Host, topic: string, data: unknown): Promise<unknown> {
  return host.call("bus.ask", { topic, data });
}

async function outcomeOf(
  answerer: (data: unknown, from: string) => unknown,
  data: unknown,
  from: string,
): Promise<Outcome> {
  try {
    const value: unknown = (await answerer(data, from)) ?? null;
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
    if (bytes <= MAX_VALUE_BYTES) return { ok: true, value };
    return { ok: false, reason: `The answer has ${bytes} bytes as JSON; ${MAX_VALUE_BYTES} are allowed.` };
  } catch (thrown) {
    return { ok: false, reason: messageOf(thrown) };
  }
}

async function agreed(call: Promise<unknown>, end: () => void): Promise<() => void> {
  try {
    await call;
    return end;
  } catch (refused) {
    end();
    throw refused;
  }
}
