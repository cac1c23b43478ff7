// News on their way to frames: that each version which goes on hears each once, and one that is gone none.

import { expect, it } from "vitest";

import type { NewsMessage } from "../../src/protocol";
import type { Frame } from "../../src/stage/frame";
import { News } from "../../src/stage/news";

function frame(): { frame: Frame; heard: unknown[] } {
  const heard: unknown[] = [];
  return { frame: { send: (message: NewsMessage) => heard.push(message) } as unknown as Frame, heard };
}

const event = (data: unknown): NewsMessage => ({ kind: "event", topic: "w/a/b:t", data });
const events = (...all: unknown[]) => all.map(event);

it("reaches a frame at once, and in order when it was held", () => {
  const [news, one] = [new News(), frame()];
  news.tell(one.frame, event(1));
  news.hold(one.frame);
  news.tell(one.frame, event(2));
  news.tell(one.frame, event(3));
  expect(one.heard).toEqual(events(1));
  news.release(one.frame);
  news.tell(one.frame, event(4));
  expect(one.heard).toEqual(events(1, 2, 3, 4));
  news.release(one.frame);
  expect(one.heard).toEqual(events(1, 2, 3, 4));
});

it("is held for each of two versions, and told to the one that goes on", () => {
  const [news, old, fresh] = [new News(), frame(), frame()];
  news.hold(old.frame, fresh.frame);
  for (const one of [old, fresh]) news.tell(one.frame, event("while it switches"));
  news.release(fresh.frame);
  news.tell(fresh.frame, event("on trial"));
  news.tell(old.frame, event("on trial"));
  expect(fresh.heard).toEqual(events("while it switches", "on trial"));
  expect(old.heard).toEqual([]);
  news.drop(old.frame);
  news.release(old.frame);
  expect(old.heard).toEqual([]);
});

it("does not pile up without end", () => {
  const [news, one] = [new News(), frame()];
  news.hold(one.frame);
  for (let number = 0; number < 1500; number += 1) news.tell(one.frame, event(number));
  news.release(one.frame);
  expect(one.heard).toHaveLength(1000);
  expect(one.heard.at(-1)).toEqual(event(1499));
});
