// What reaches the user outside the tile: notifications, the clipboard, the browser. Three capabilities, one call each.
// Knows calls alone. All reject with `CallRefused`.

import type { Host } from "./widget.js";

/** Shows a notification of the system under the widget's name: `notifications`. */
export async function notify(host: Host, title: string, body: string): Promise<void> {
  await host.call("notifications.show", { title, body });
}

/** Puts text on the clipboard: `clipboard.write`. Only within a second of a press in the tile. */
export async function copy(host: Host, text: string): Promise<void> {
  await host.call("clipboard.write", { text });
}

/** Opens an `https:` or `mailto:` address in the user's browser: `open.url`. Only within a second of a press in the tile. */
export async function open(host: Host, url: string): Promise<void> {
  await host.call("open.url", { url });
}
