// Joins the widget to the host: takes over what was kept, draws it, and says when it changed.

import { connect } from "@moult/widget";
import { mount, unmount } from "svelte";

import { MIGRATIONS, readCounter, SCHEMA } from "./counter";
import type { Counter } from "./counter";
import { Model } from "./model.svelte";
import Widget from "./Widget.svelte";
import { wordsFor } from "./words";

const model = new Model(() => host.changed());
let mounted: Record<string, unknown> | null = null;

const host = connect<Counter>({
  schema: SCHEMA,
  migrate: MIGRATIONS,
  parse: readCounter,
  start({ state, settings, locale }) {
    if (state) model.counter = state;
    model.goal = Number(settings["goal"]);
    const header = (aside: string): void => host.header("{{TITLE}}", aside);
    mounted = mount(Widget, { target: document.body, props: { model, words: wordsFor(locale), locale, header } });
  },
  snapshot: () => model.counter,
  restore(state) {
    model.counter = state;
  },
  dispose() {
    if (mounted) void unmount(mounted);
    mounted = null;
  },
});

host.onSettings((settings) => {
  model.goal = Number(settings["goal"]);
});
