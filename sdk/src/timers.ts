// Timers that wake the widget's logic, also while nobody sees the widget: the capability `timers`. Knows calls alone.

import type { Host } from "./widget.js";

/** Wakes the logic with `{ kind: "timer", name }` after 1 s to 30 days. The same name again replaces it. */
export async function set(host: Host, name: string, afterMs: number): Promise<void> {
  await host.call("timers.set", { name, after_ms: afterMs });
}

/** Takes a timer back. One that does not run is no error. */
export async function clear(host: Host, name: string): Promise<void> {
  await host.call("timers.clear", { name });
}
