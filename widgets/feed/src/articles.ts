// What the feed keeps, where it comes from, and when it is asked for again. No clock, no DOM.

import type { Settings } from "@moult/widget";

import type { Article, Feed } from "./read_feed.js";

/** The state, schema 1. */
export interface Kept {
  /** Where the articles came from; another address has none of them. */
  address: string;
  title: string;
  articles: Article[];
  /** When they were last fetched, or known to be the newest, in milliseconds since 1970; null if never. */
  fetched_at: number | null;
  /** What the server wants to hear next time, so that it need not send the same again. */
  etag: string;
  /** The articles that were opened. */
  read: string[];
}

/** What the user wants. */
export interface Wish {
  /** An `https:` address, or null if what was entered is none. */
  address: string | null;
  /** How often is asked, in milliseconds. */
  every: number;
}

export const NONE: Kept = { address: "", title: "", articles: [], fetched_at: null, etag: "", read: [] };

export const FIRST_ADDRESS = "https://webkit.org/feed/";

const MINUTE = 60_000;

/** After a failure it is asked again after this long, twice as long after each further one. Milliseconds. */
const RETRY_MS = 2 * MINUTE;

/** Reads the settings; what is missing or out of its bounds is the default. */
export function wishOf(settings: Settings): Wish {
  const { feed, address, every_minutes: minutes } = settings;
  const chosen = feed === "other" ? address : (feed ?? FIRST_ADDRESS);
  const fits = typeof minutes === "number" && minutes >= 15 && minutes <= 1440;
  return { address: addressOf(chosen), every: (fits ? minutes : 60) * MINUTE };
}

function addressOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  try {
    const url = new URL(value.trim());
    return url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Reads state; throws on anything else. Articles that can't be shown are left out. */
export function readKept(data: unknown): Kept {
  const { address, title, articles, fetched_at, etag, read } = (data ?? {}) as Partial<Kept>;
  if (!Array.isArray(articles)) throw new TypeError("`articles` is not a list");
  const shown = articles.filter((one) => typeof one?.id === "string" && typeof one.title === "string");
  return {
    address: text(address),
    title: text(title),
    articles: shown.map((one) => ({
      id: one.id,
      title: one.title,
      url: typeof one.url === "string" && one.url.startsWith("https:") ? one.url : null,
      at: typeof one.at === "number" ? one.at : null,
      author: text(one.author),
    })),
    fetched_at: typeof fetched_at === "number" ? fetched_at : null,
    etag: text(etag),
    read: (Array.isArray(read) ? read : []).filter((id) => typeof id === "string"),
  };
}

/** With what was fetched. What was read stays read as long as it is in the feed. */
export function withFeed(kept: Kept, address: string, feed: Feed, etag: string, at: number): Kept {
  const here = new Set(feed.articles.map(({ id }) => id));
  const read = kept.address === address ? kept.read.filter((id) => here.has(id)) : [];
  return { address, title: feed.title, articles: feed.articles, fetched_at: at, etag, read };
}

/** What of the kept belongs to an address. */
export function keptOf(kept: Kept, address: string): Kept {
  return kept.address === address ? kept : { ...NONE, address };
}

export function opened(kept: Kept, id: string): Kept {
  return kept.read.includes(id) ? kept : { ...kept, read: [...kept.read, id] };
}

/** How many articles were not opened yet. */
export function unread({ articles, read }: Kept): number {
  return articles.filter(({ id }) => !read.includes(id)).length;
}

/** When is asked next: an interval after the last answer, or sooner after failures. */
export function nextAt(kept: Kept, { every }: Wish, failures: number, failedAt: number, now: number): number {
  if (failures > 0) return failedAt + Math.min(every, RETRY_MS * 2 ** (failures - 1));
  // A clock that was set back makes the last answer seem to lie ahead.
  return kept.fetched_at === null || kept.fetched_at > now ? now : kept.fetched_at + every;
}

/** Whether what is shown is so old that it must be said. */
export function isStale(kept: Kept, { every }: Wish, now: number): boolean {
  return kept.fetched_at !== null && now - kept.fetched_at > every + 10 * MINUTE;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
