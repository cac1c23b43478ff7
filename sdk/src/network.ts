// HTTPS requests, made by the application: the capability `network`. Knows requests and their answers; knows no host
// that is allowed, which is the manifest's and the user's to say.

import type { Host } from "./widget.js";

/** How a request differs from a plain GET. */
export interface Request {
  method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** What came back. A status that is no success is an answer too. */
export interface Answer {
  status: number;
  /** Whether the status is one of 200 to 299. */
  ok: boolean;
  /** The address that answered, after redirects. */
  url: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The body as text; bytes that are no UTF-8 are replaced. */
  text(): string;
  /** The body as JSON; throws if it is none. */
  json(): unknown;
  bytes(): Uint8Array;
}

interface Reply {
  status: number;
  url: string;
  headers: Record<string, string>;
  body?: string;
  body_base64?: string;
}

/** Fetches from one of the manifest's `hosts`. Rejects with `CallRefused`; then nothing was received. */
export async function fetchFrom(host: Host, url: string, request: Request = {}): Promise<Answer> {
  const reply = (await host.call("network.fetch", { url, ...request })) as Reply;
  const bytes = (): Uint8Array =>
    reply.body_base64 === undefined
      ? new TextEncoder().encode(reply.body ?? "")
      : Uint8Array.from(atob(reply.body_base64), (character) => character.charCodeAt(0));
  const text = (): string => reply.body ?? new TextDecoder().decode(bytes());
  return {
    status: reply.status,
    ok: reply.status >= 200 && reply.status < 300,
    url: reply.url,
    headers: reply.headers,
    text,
    json: () => JSON.parse(text()) as unknown,
    bytes,
  };
}
