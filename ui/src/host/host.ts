// What the shell needs of its host, whoever it is: the stage behind a port, or a fake for tests and the gallery.
// Interfaces alone.

import type { Body, Box, FrameTheme, ShellNews } from "../protocol";
import type { ShellCommand } from "./bindings";

/** What the shell takes along from one version of itself to the next. */
export interface Kept {
  view: View;
  section: string;
  /** The subject whose "Why" is open. */
  why: string | null;
  /** Subject and version of the marks that were looked at. */
  seen: Record<string, string>;
  /** Ids of history entries whose strip was put away. */
  dismissed: string[];
}

export type View = "board" | "updates" | "settings";

/** What the shell is started with. */
export interface ShellStart {
  theme: FrameTheme;
  reducedMotion: boolean;
  locale: string;
  version: string;
  kept: Kept | null;
}

/** The shell as its host sees it. */
export interface ShellSide {
  /** Draws itself; kept when it has drawn the first overview. */
  start(start: ShellStart): Promise<void>;
  kept(): Kept;
  restore(kept: Kept): void;
  hear(news: ShellNews): void;
  themed(theme: FrameTheme, reducedMotion: boolean): void;
  /** Files of its own were renewed, and with them it has another version. */
  renamed(version: string): void;
}

export interface Host {
  /** Rejects with a `Problem`. */
  command(command: ShellCommand): Promise<unknown>;
  layout(bodies: Body[], covers: Box[]): void;
}

/** Joins a shell to its host. */
export type Connect = (shell: ShellSide) => Host;
