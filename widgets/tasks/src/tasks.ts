// The tasks as a widget: the list is the state, each act makes it anew, and a removal can be taken back for a while.
// Knows the host; knows neither how the widget is joined to it nor how it is drawn.

import type { Host, Widget } from "@moult/widget";

import * as lists from "./list.js";
import type { List } from "./list.js";
import { createView } from "./view.js";
import type { View } from "./view.js";
import { wordsFor } from "./words.js";
import type { Words } from "./words.js";

/** A removal can be taken back for this long, and for longer while the offer is looked at. Milliseconds. */
export const UNDO_MS = 8_000;

/** The widget, for {@link connect}. `host` is asked for once the widget is joined to it. */
export function createTasks(host: () => Host): Widget<List> {
  let list = lists.EMPTY;
  let words: Words = wordsFor("en");
  let view: View | null = null;
  let timer = 0;

  const show = (): void => {
    view?.show(list);
    const { done, all } = lists.counts(list);
    host().header(words.title, all === 0 ? "" : words.count(words.number(done), words.number(all)));
  };

  const change = (to: List): void => {
    if (to === list) return;
    list = to;
    show();
    host().changed();
  };

  const offerUndo = (): void => {
    window.clearTimeout(timer);
    if (list.removed.length === 0) return;
    timer = window.setTimeout(() => (view?.offerHeld() ? offerUndo() : change(lists.forget(list))), UNDO_MS);
  };

  const remove = (gone: (task: lists.Task) => boolean): void => {
    const before = list;
    change(lists.remove(list, gone));
    if (list === before) return;
    const [first] = list.removed;
    const many = list.removed.length > 1;
    view?.announce(many ? words.removedMany(words.number(list.removed.length)) : words.removed(first?.task.text ?? ""));
    offerUndo();
  };

  const undo = (): void => {
    const at = list.removed[0]?.index;
    if (at === undefined) return;
    window.clearTimeout(timer);
    change(lists.undo(list));
    view?.announce(words.back);
    view?.focusRow(at);
  };

  const move = (id: number, to: number): void => {
    change(lists.move(list, id, to));
    const place = list.tasks.findIndex((task) => task.id === id);
    const text = list.tasks[place]?.text ?? "";
    view?.announce(words.moved(text, words.number(place + 1), words.number(list.tasks.length)));
  };

  /** Ctrl+Z is the board's, unless there is something to take back here. In a field it is the field's. */
  const pressed = (event: KeyboardEvent): void => {
    const inField = event.target instanceof HTMLInputElement && event.target.type === "text";
    const command = event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey;
    if (event.key.toLowerCase() !== "z" || !command || inField || list.removed.length === 0) return;
    event.preventDefault();
    undo();
  };

  return {
    schema: 1,
    parse: lists.readList,
    start({ state, locale }) {
      words = wordsFor(locale);
      list = state ?? lists.EMPTY;
      view = createView(document.body, words, {
        add: (text) => change(lists.add(list, text)),
        draft: (draft) => change({ ...list, draft }),
        tick: (id, done) => change(lists.tick(list, id, done)),
        write: (id, text) => change(lists.write(list, id, text)),
        move,
        remove: (id) => remove((task) => task.id === id),
        clear: () => remove((task) => task.done),
        undo,
      });
      document.addEventListener("keydown", pressed);
      show();
      offerUndo();
    },
    snapshot: () => list,
    restore(state) {
      list = state;
      show();
      offerUndo();
    },
    dispose() {
      window.clearTimeout(timer);
      document.removeEventListener("keydown", pressed);
    },
  };
}
