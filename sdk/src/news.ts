// Who listens to which news. An error of one listener is told and keeps nothing from the next.
// Knows kinds of messages; knows no port and none of what they mean.

import type { NewsMessage } from "./protocol.js";
import type { Host, News } from "./widget.js";

/** The listeners of a frame. */
export interface Listeners {
  hear: Host["hear"];
  tell(news: NewsMessage): void;
}

export function createNews(failed: (thrown: unknown) => void): Listeners {
  const listeners = new Map<string, Set<(news: never) => void>>();
  return {
    hear(kind, listener) {
      const heard = listeners.get(kind) ?? new Set();
      listeners.set(kind, heard.add(listener));
      return () => heard.delete(listener);
    },
    tell(news) {
      for (const listener of listeners.get(news.kind) ?? []) {
        try {
          (listener as (news: News<NewsMessage["kind"]>) => void)(news);
        } catch (thrown) {
          failed(thrown);
        }
      }
    },
  };
}
