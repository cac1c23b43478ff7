// What an author writes, and what an author is given. Types alone.

import type { Focus, FrameTheme, NewsMessage, Outcome, SavedState, Settings } from "./protocol.js";
import type { Migrations } from "./state.js";

/** What a widget is started with. */
export interface Start<State> {
  /** The state it left, migrated to its schema; null the first time. */
  state: State | null;
  /** The capabilities it may use now. */
  granted: readonly string[];
  theme: FrameTheme;
  reducedMotion: boolean;
  /** BCP 47. */
  locale: string;
  /** Names this tile for ever. */
  instance: string;
  version: string;
  /** A value for each key of the manifest's `settings`. */
  settings: Settings;
}

/** What an author writes. */
export interface Widget<State> {
  /** The schema of the state it writes, as in the manifest. */
  schema: number;
  /** Steps from older schemas: `1` reads schema 1 and returns schema 2. Without a break up to `schema`. */
  migrate?: Migrations;
  /** Checks data in the present schema. If it throws, the version refuses the state and the old one goes on. */
  parse?(data: unknown): State;
  /** Draws itself. Ready when it returns (or its promise is kept) and two frames are drawn; in a forced swap at once. */
  start(context: Start<State>): void | Promise<void>;
  /** The state now: plain JSON, at most 1 MiB. Called often; does nothing else. */
  snapshot(): State;
  /** Takes over newer state while it runs. Without it, a state that differs leads to `dispose` and `start`. */
  restore?(state: State): void | Promise<void>;
  /** Where the caret of another version belongs in this one. `from` is its state as it wrote it. */
  refocus?(focus: Focus, from: SavedState): Focus | null;
  /**
   * A new version that differs in files alone, none of them code, is served from now on. Linked style sheets and
   * pictures among the paths have been fetched anew; what else the widget made of them is its own affair.
   */
  resources?(paths: readonly string[]): void | Promise<void>;
  /** The swap to this version is done. */
  switched?(): void;
  /** The frame goes. Ends what would go on. */
  dispose?(): void;
}

/** News of one kind. */
export type News<Kind extends NewsMessage["kind"]> = Extract<NewsMessage, { kind: Kind }>;

/**
 * What a widget may ask for. Capabilities have functions of their own, in files of their own (`@moult/widget/network`
 * and others), so that a widget carries only those that it calls.
 */
export interface Host {
  /** The state changed: it is saved within 100 ms. */
  changed(): void;
  /** Sets the tile's header: its title and one short aside. */
  header(title: string, aside?: string): void;
  /** Uses a capability. Rejects with `CallRefused`. */
  call(capability: string, request: unknown): Promise<unknown>;
  /** The capabilities granted now. */
  granted(): readonly string[];
  /** Called when the look changes. Style sheets need nothing: `data-theme` is set on the root. Returns what ends it. */
  onTheme(listener: (theme: FrameTheme, reducedMotion: boolean) => void): () => void;
  /** Called when capabilities are granted or taken away. Returns what ends it. */
  onGranted(listener: (granted: readonly string[]) => void): () => void;
  /** What the user chose in the fields of the manifest's `settings`. */
  settings(): Settings;
  /** Called when the user changed a setting. Returns what ends it. */
  onSettings(listener: (settings: Settings) => void): () => void;
  /** Hands an event to the widget's own logic. Resolves with what that answers, rejects with `CallRefused`. */
  logic(event: unknown): Promise<unknown>;
  /** Called when the logic says something. Returns what ends it. */
  onLogic(listener: (event: unknown) => void): () => void;
  /** Hears all news of one kind as they come. Returns what ends it. */
  hear<Kind extends NewsMessage["kind"]>(kind: Kind, listener: (news: News<Kind>) => void): () => void;
  /** Answers a request that was heard. */
  answer(id: number, outcome: Outcome): void;
}
