// Which icon stands for a part. Widgets carry none of their own, so well-known names get theirs and the rest a plain one.

import type { IconName } from "../components/icons";
import type { Subject } from "../host/bindings";

const BY_NAME: Record<string, IconName> = {
  clock: "clock",
  system: "activity",
  notes: "note",
  tasks: "list",
  feed: "rss",
  pomodoro: "timer",
};

export function iconOf(subject: Subject): IconName {
  if (subject === "shell") return "dashboard";
  return BY_NAME[subject.split("/").at(-1) ?? ""] ?? "square";
}
