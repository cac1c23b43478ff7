// Puts session, page and host together. The host is an argument: the stage's port, or a fake.

import { mount, tick } from "svelte";

import type { Connect, Host, Kept, ShellSide, ShellStart } from "../host/host";
import { Session } from "../state/session.svelte";
import { languageOf } from "../texts/format";
import App from "./App.svelte";
import { watchLayout } from "./layout";

/** How often marks and times are looked at anew, in milliseconds. */
const CLOCK_MS = 5000;

export function openShell(connect: Connect, place: HTMLElement): Session {
  let host: Host | null = null;
  const session = new Session({
    command: (command) => host?.command(command) ?? Promise.reject(new Error("not joined to the stage")),
    layout: (bodies, covers) => host?.layout(bodies, covers),
  });
  let drawn: () => void = () => {};
  const firstPicture = new Promise<void>((resolve) => (drawn = resolve));

  const side: ShellSide = {
    async start(start: ShellStart) {
      session.theme = start.theme;
      session.reducedMotion = start.reducedMotion;
      session.locale = start.locale;
      session.version = start.version;
      document.documentElement.lang = languageOf(start.locale) === "zh" ? "zh-CN" : "en";
      if (start.kept) session.restore(start.kept);
      session.now = Date.now();
      setInterval(() => (session.now = Date.now()), CLOCK_MS);
      mount(App, { target: place, props: { session } });
      await firstPicture;
      await tick();
      watchLayout((bodies, covers) => host?.layout(bodies, covers));
    },
    kept: () => session.kept(),
    restore: (kept: Kept) => session.restore(kept),
    hear(news) {
      session.now = Date.now();
      session.hear(news);
      if (news.kind === "overview") drawn();
    },
    themed(theme, reducedMotion) {
      session.theme = theme;
      session.reducedMotion = reducedMotion;
    },
    renamed: (version) => (session.version = version),
  };
  host = connect(side);
  return session;
}
