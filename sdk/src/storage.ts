// Keys and values of this widget alone, kept on this computer: the capability `storage`. Unlike state they are no part
// of a swap: for what is too large for it, or can be had again. Knows calls alone.

import type { Host } from "./widget.js";

/** The value of a key, or null. It is what was once set, perhaps by an older version: check it. */
export function get(host: Host, key: string): Promise<unknown> {
  return host.call("storage.get", { key });
}

/** Keeps any JSON under a key of at most 128 bytes. */
export async function set(host: Host, key: string, value: unknown): Promise<void> {
  await host.call("storage.set", { key, value });
}

async function remove(host: Host, key: string): Promise<void> {
  await host.call("storage.delete", { key });
}

/** `import * as storage`, then `storage.delete(host, key)`. */
export { remove as delete };

/** All keys, sorted. */
export async function keys(host: Host): Promise<string[]> {
  return (await host.call("storage.keys", {})) as string[];
}
