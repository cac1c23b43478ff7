// Values that several widgets see: the capability `shared`. Knows calls and news; knows no other widget.

import type { Host } from "./widget.js";

/** Sets a value of one's own. `name` is one of the manifest's `writes`, without whose it is. */
export async function set(host: Host, name: string, value: unknown): Promise<void> {
  await host.call("shared.set", { name, value });
}

/**
 * Tells the value as it is (null if it was never set), then each time it changes. `name` is one of the manifest's
 * `reads`, whole. Resolves with what ends it once the first value was told; rejects with `CallRefused`.
 */
export async function observe(host: Host, name: string, listener: (value: unknown) => void): Promise<() => void> {
  let changed = false;
  const end = host.hear("shared", (news) => {
    if (news.name !== name) return;
    changed = true;
    listener(news.value);
  });
  try {
    const value = await host.call("shared.get", { name });
    // A change that came before the reply is newer than it.
    if (!changed) listener(value);
    return end;
  } catch (refused) {
    end();
    throw refused;
  }
}
