// The gallery: the shell on a fake host, in the state that the address names.
// `?scene=updating&view=updates&theme=dark&locale=zh&phase=loading`; `section` and `why` open parts of the views.

import "./src/shell/shell.css";

import { FakeHost, ordinaryDay, SCENES } from "./src/host/fake";
import type { View } from "./src/host/host";
import type { FrameTheme } from "./src/protocol";
import { openShell } from "./src/shell/open";
import { difference } from "./src/stage/holes";

const asked = new URLSearchParams(location.search);
const theme = (asked.get("theme") ?? "light") as FrameTheme;
const now = Date.now();
const overview = ordinaryDay(now);
SCENES[asked.get("scene") ?? "board"]?.(overview, now);

document.documentElement.dataset["theme"] = theme;
document.documentElement.style.background = "var(--ground)";
const host = new FakeHost(overview);
const session = openShell(host.connect, document.body);

const start = { theme, reducedMotion: false, locale: asked.get("locale") ?? "en", version: "1.8.4", kept: null };
void host.start(start, (asked.get("phase") ?? "live") as "live" | "loading").then(() => {
  session.view = (asked.get("view") ?? "board") as View;
  session.section = asked.get("section") ?? "general";
  session.why = asked.get("why");
  session.form = asked.get("form");
  session.opened = asked.get("opened");
  const click = asked.get("click");
  if (click) setTimeout(() => document.querySelector<HTMLElement>(`[data-testid="${click}"]`)?.click(), 100);
});

host.tell({ kind: "header", instance: "clock-1", title: "Lisbon", aside: "Tuesday, 17 November" });
host.tell({ kind: "header", instance: "system-1", title: "System", aside: "Last minute" });
host.tell({ kind: "header", instance: "notes-1", title: "Release notes, draft", aside: "2 min ago" });

// In the place of the widgets' frames: a line of text where the stage would cut a hole.
const stand = document.createElement("div");
document.documentElement.append(stand);
host.laidOut = () => {
  const phase = asked.get("phase") ?? "live";
  const seen = phase === "live" ? host.bodies.filter((body) => difference(body, host.covers).length > 0) : [];
  stand.replaceChildren(
    ...seen.map(({ instance, x, y, width, height }) => {
      const box = document.createElement("div");
      box.textContent = instance;
      Object.assign(box.style, {
        position: "fixed",
        left: `${x}px`,
        top: `${y}px`,
        width: `${width}px`,
        height: `${height}px`,
        color: "var(--ink-3)",
        outline: "1px dashed var(--line)",
        font: "400 12px/18px var(--sans)",
        pointerEvents: "none",
      });
      return box;
    }),
  );
};
