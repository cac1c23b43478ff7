// The line to the stage: takes the one port that the stage hands over, and keeps what is said before that.
// Knows neither what is said nor why.

import { PROTOCOL } from "./protocol.js";

/** Something to speak on. */
export interface Line<Out> {
  post(message: Out): void;
}

/** Waits for the port, says `first` on it, then all that was said meanwhile. Only the first port from the parent window counts. */
export function openLine<In, Out>(scope: Window, first: Out, receive: (message: In) => void): Line<Out> {
  let port: MessagePort | null = null;
  const waiting: Out[] = [];

  const arrived = (event: MessageEvent): void => {
    const taken = event.ports[0];
    if (event.source !== scope.parent || !isPortMessage(event.data) || !taken) return;
    scope.removeEventListener("message", arrived);
    port = taken;
    port.onmessage = (message: MessageEvent<In>) => receive(message.data);
    for (const message of [first, ...waiting]) port.postMessage(message);
    waiting.length = 0;
  };
  scope.addEventListener("message", arrived);

  return {
    post(message) {
      if (port) port.postMessage(message);
      else waiting.push(message);
    },
  };
}

function isPortMessage(data: unknown): boolean {
  const message = data as { moult?: unknown; kind?: unknown } | null;
  return typeof message === "object" && message?.moult === PROTOCOL && message.kind === "port";
}
