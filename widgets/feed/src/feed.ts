// The feed as a widget: asks when it is time, keeps what came, opens what is pressed. Without a network it shows what
// it has and says how old that is. Knows the host; knows neither how the widget is joined to it nor how it is drawn.

import { CallRefused } from "@moult/widget";
import type { Host, Widget } from "@moult/widget";
import { open } from "@moult/widget/desktop";
import { fetchFrom } from "@moult/widget/network";
import { WorkFailed, work } from "@moult/widget/worker";
import type { Work } from "@moult/widget/worker";

import { isStale, keptOf, nextAt, NONE, opened, readKept, unread, wishOf, withFeed } from "./articles.js";
import type { Kept, Wish } from "./articles.js";
import { readFeed } from "./read_feed.js";
import type { Article, Feed } from "./read_feed.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

/** Ages are looked at this often, in milliseconds. */
const AGE_EVERY_MS = 30_000;

/** Loading is shown only if it lasts longer than this, in milliseconds. */
const PATIENCE_MS = 300;

/** A feed longer than this, in UTF-16 units, is read in a worker or not at all: it would hold up every tile. */
const LONG = 512 * 1024;

/** What went wrong the last time. */
type Trouble = { kind: "unreached" } | { kind: "status"; status: number } | { kind: "no_feed" };

/** The widget, for {@link connect}. `host` is asked for once the widget is joined to it. */
export function createFeed(host: () => Host): Widget<Kept> {
  let kept = NONE;
  let wish: Wish = wishOf({});
  let words: Words = wordsFor("en");
  let view: View | null = null;
  let reader: Work<{ text: string; base: string }, Feed> | null = null;
  let trouble: Trouble | null = null;
  let failures = 0;
  let failedAt = 0;
  let asking = false;
  let askingSince = 0;
  /** Counts what was asked: an answer to an earlier question is none any more. */
  let question = 0;
  let timer = 0;
  const ends: (() => void)[] = [];

  const may = (capability: string): boolean => host().granted().includes(capability);

  /** Draws, asks if it is time, and comes again when something may differ. */
  const look = (): void => {
    window.clearTimeout(timer);
    const now = Date.now();
    const { address } = wish;
    if (address !== null && may("network") && document.visibilityState !== "hidden") {
      if (!asking && nextAt(keptOf(kept, address), wish, failures, failedAt, now) <= now) void ask(address);
      const soon = asking && now - askingSince < PATIENCE_MS ? PATIENCE_MS : AGE_EVERY_MS;
      timer = window.setTimeout(look, soon);
    }
    draw(now);
  };

  const ask = async (address: string): Promise<void> => {
    const mine = ++question;
    asking = true;
    askingSince = Date.now();
    const headers: Record<string, string> = {
      accept: "application/rss+xml, application/atom+xml, application/xml;q=0.9",
    };
    const { etag } = keptOf(kept, address);
    if (etag !== "") headers["if-none-match"] = etag;
    try {
      const answer = await fetchFrom(host(), address, { headers });
      const feed = answer.ok ? await read(answer.text(), answer.url || address) : null;
      if (mine !== question) return;
      if (feed) kept = withFeed(kept, address, feed, answer.headers["etag"] ?? "", askingSince);
      else if (answer.status === 304) kept = { ...kept, fetched_at: askingSince };
      else return failed({ kind: "status", status: answer.status });
      trouble = null;
      failures = 0;
      host().changed();
    } catch (thrown) {
      if (mine === question) failed(thrown instanceof CallRefused ? { kind: "unreached" } : { kind: "no_feed" });
    } finally {
      if (mine === question) {
        asking = false;
        look();
      }
    }
  };

  const failed = (what: Trouble): void => {
    trouble = what;
    failures += 1;
    failedAt = Date.now();
  };

  const read = async (text: string, base: string): Promise<Feed> => {
    reader ??= work(readFeed);
    try {
      return await reader.ask({ text, base });
    } catch (thrown) {
      // Where no worker may be started, or it says that this is no feed: a short one is read here, which tells which.
      if (!(thrown instanceof WorkFailed) || text.length > LONG) throw thrown;
      return readFeed({ text, base });
    }
  };

  const draw = (now: number): void => {
    const mine = wish.address === null ? NONE : keptOf(kept, wish.address);
    const loading = asking && mine.articles.length === 0 && now - askingSince >= PATIENCE_MS;
    const notice = loading || wish.address === null || may("network") ? noticeOf(mine, now) : deniedNotice(mine, now);
    view?.show({
      articles: mine.articles,
      read: mine.read,
      source: mine.title,
      open: may("open.url"),
      now,
      notice: loading ? "" : notice,
      offline: trouble?.kind === "unreached" || !navigator.onLine,
      again: trouble !== null && !asking,
      loading,
    });
    const fresh = unread(mine);
    host().header(mine.title || words.title, fresh > 0 ? words.fresh(words.number(fresh)) : "");
  };

  const deniedNotice = (mine: Kept, now: number): string => {
    const denied = words.denied(hostOf(wish.address));
    return mine.fetched_at === null ? denied : `${words.from(words.moment(mine.fetched_at, now))}${denied}`;
  };

  const noticeOf = (mine: Kept, now: number): string => {
    if (wish.address === null) return words.address;
    const from = hostOf(wish.address);
    const time = mine.fetched_at === null ? "" : words.moment(mine.fetched_at, now);
    const prefix = time && words.from(time);
    switch (trouble?.kind) {
      case "unreached":
        if (time === "") return words.never(from);
        return navigator.onLine ? words.unreached(from, time) : words.offline(time);
      case "status":
        return words.status(from, String(trouble.status), prefix);
      case "no_feed":
        return words.noFeed(from, prefix);
      case undefined:
        if (mine.fetched_at !== null && mine.articles.length === 0) return words.empty;
        return isStale(mine, wish, now) && !asking ? words.stale(time) : "";
    }
  };

  const openArticle = (article: Article): void => {
    if (article.url === null) return;
    open(host(), article.url).catch((thrown: unknown) => {
      // Refused: the grant was taken back just now, which the next picture shows.
      if (!(thrown instanceof CallRefused)) throw thrown;
    });
    kept = opened(kept, article.id);
    host().changed();
    draw(Date.now());
  };

  /** Begins anew, for another address or because somebody said so. */
  const again = (): void => {
    asking = false;
    trouble = null;
    failures = 0;
    if (wish.address !== null && may("network")) void ask(wish.address);
    look();
  };

  return {
    schema: 1,
    parse: readKept,
    start({ state, locale, settings }) {
      words = wordsFor(locale);
      wish = wishOf(settings);
      kept = state ?? NONE;
      view = createView(document.body, words, { open: openArticle, again });
      const online = (): void => (failures > 0 ? again() : look());
      ends.push(
        host().onSettings((changed) => {
          const { address } = wish;
          wish = wishOf(changed);
          if (wish.address === address) look();
          else again();
        }),
        host().onGranted(look),
        listen(document, "visibilitychange", look),
        listen(window, "online", online),
        listen(window, "offline", look),
      );
      look();
    },
    snapshot: () => kept,
    restore(state) {
      kept = state;
      look();
    },
    dispose() {
      window.clearTimeout(timer);
      question += 1;
      reader?.end();
      for (const end of ends.splice(0)) end();
    },
  };
}

function hostOf(address: string | null): string {
  return address === null ? "" : new URL(address).hostname;
}

function listen(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
