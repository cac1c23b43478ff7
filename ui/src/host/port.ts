// The host behind the message port: the kit does the handshake and the swap, this puts the shell's own messages on it.

import { connectShell } from "@moult/widget/shell";

import type { LayoutMessage, ShellNews } from "../protocol";
import type { ShellCommand } from "./bindings";
import type { Connect, Kept } from "./host";

/** The schema of what the shell keeps. */
const SCHEMA = 1;

export const connectPort: Connect = (shell) => {
  const host = connectShell<Kept, ShellNews, LayoutMessage, ShellCommand>(
    {
      schema: SCHEMA,
      start: ({ theme, reducedMotion, locale, version, state }) =>
        shell.start({ theme, reducedMotion, locale, version, kept: state }),
      snapshot: () => shell.kept(),
      restore: (kept) => shell.restore(kept),
    },
    (news) => shell.hear(news),
  );
  host.hear("resources", ({ version }) => shell.renamed(version));
  host.onTheme((theme, reducedMotion) => shell.themed(theme, reducedMotion));
  return {
    command: (command) => host.command(command),
    layout: (bodies, covers) => host.post({ kind: "layout", bodies, covers }),
  };
};
