// The messages between a frame (a widget or the shell) and the stage that holds it.
// The one source for stage, shell and widgets. It knows shapes alone: no window, no port, no DOM.

/** The protocol's version, as in the `port` message. */
export const PROTOCOL = 1;

/** The kit's version, as in `hello`. */
export const SDK_VERSION = "0.1.0";

/** The most bytes of state, counted as JSON in UTF-8. */
export const MAX_STATE_BYTES = 1024 * 1024;

/** The most bytes of a request, an answer, a value or an event, counted as JSON in UTF-8. */
export const MAX_VALUE_BYTES = 256 * 1024;

/** The look that a frame paints itself in. */
export type FrameTheme = "light" | "dark" | "hc";

/** State that is kept across swaps and restarts. */
export interface SavedState {
  /** The schema that the data is written in. */
  schema: number;
  /** The data, at most 1 MiB as JSON. */
  data: unknown;
}

/** A key that was typed, enough of it to type it again elsewhere. */
export interface KeyStroke {
  /** `KeyboardEvent.key`. `Unidentified` for text that came without a key (an IME, an emoji picker). */
  key: string;
  /** `KeyboardEvent.code`. */
  code: string;
  /** The text that it enters, or null for a key that enters none. */
  text: string | null;
  alt: boolean;
  ctrl: boolean;
  meta: boolean;
  shift: boolean;
}

/** Where the caret was. Offsets count UTF-16 units in the field's value or the element's text. */
export interface Focus {
  /** The element: `key:` and its `data-moult-key`, or `id:` and its id. */
  target: string;
  /** Whether the frame had the keyboard. If not, the caret is set but the focus is not taken. */
  active: boolean;
  start: number | null;
  end: number | null;
  direction: "forward" | "backward" | "none";
}

/** How far an element was scrolled, in CSS px. */
export interface Scroll {
  /** As in {@link Focus}, or `root` for the page itself. */
  target: string;
  top: number;
  left: number;
}

/** Keys that belong to the application and not to the widget that has the keyboard. */
export type Chord = "Ctrl+K" | "E" | "Escape" | "Ctrl+Z";

/** Why a call was refused, as the native side says it. */
export interface CallProblem {
  code: string;
  happened: string;
  kept: string;
  advice: string | null;
  detail: string;
}

/** What the user chose in the fields of the manifest's `settings`, by key. The host has checked each. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** What a frame says to a request of another widget: a value, or why there is none. */
export type Outcome = { ok: true; value: unknown } | { ok: false; reason: string };

/** A rectangle in the shell's frame, in CSS px. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Posted by the stage to the frame's window, once, with the port. Everything else goes over the port. */
export interface PortMessage {
  moult: typeof PROTOCOL;
  kind: "port";
}

/** What a frame tells the stage. */
export type FrameMessage =
  | { kind: "hello"; sdk: string }
  | { kind: "ready"; token: string }
  | { kind: "refused"; reason: string }
  | { kind: "input"; composing: boolean }
  // `heard` counts the events and requests that this frame has handled: the state holds what they led to. Left out by kits before 0.1.1.
  | { kind: "state"; state: SavedState; heard?: number }
  | { kind: "call"; id: number; capability: string; request: unknown }
  | { kind: "error"; message: string; stack: string }
  | { kind: "header"; title: string; aside: string }
  | { kind: "chord"; key: Chord }
  | { kind: "snapshot"; id: number; state: SavedState | null; heard?: number }
  | { kind: "frozen"; id: number; state: SavedState | null; heard?: number; focus: Focus | null; scroll: Scroll[] }
  | { kind: "key"; event: KeyStroke }
  | { kind: "restored"; id: number }
  | ({ kind: "answer"; id: number } & Outcome)
  | { kind: "disposed" };

/** The first thing that a frame hears. */
export interface StartMessage {
  kind: "start";
  token: string;
  instance: string;
  version: string;
  theme: FrameTheme;
  locale: string;
  reduced_motion: boolean;
  granted: string[];
  saved: SavedState | null;
  /** Left out by hosts that know no settings. */
  settings?: Settings;
  /** Somebody waits for this very version: it is ready as soon as it has started, and is drawn under the one before. */
  hurry?: boolean;
}

/** What a frame hears of other widgets, of its logic, its settings and its files. A widget may listen to each. */
export type NewsMessage =
  | { kind: "settings"; settings: Settings }
  // A new version differs in these files alone: they are served from now on.
  | { kind: "resources"; version: string; paths: string[] }
  | { kind: "event"; topic: string; data: unknown }
  | { kind: "request"; id: number; topic: string; from: string; data: unknown }
  | { kind: "shared"; name: string; value: unknown }
  | { kind: "logic"; event: unknown };

/** What the stage tells a frame. */
export type StageMessage =
  | StartMessage
  | NewsMessage
  | { kind: "reply"; id: number; ok: true; value: unknown }
  | { kind: "reply"; id: number; ok: false; error: CallProblem }
  | { kind: "snapshot"; id: number }
  | { kind: "freeze"; id: number }
  // The swap is called off. With `state`, the frame takes that over first. Then it types `keys`;
  // without `keys` and `state`, the keys that it cancelled itself.
  | { kind: "thaw"; state?: SavedState | null; keys?: KeyStroke[] }
  // `hold_ms` is how long the frame holds its own keys back, since keys of the old place still come.
  | {
      kind: "restore";
      id: number;
      state: SavedState | null;
      focus: Focus | null;
      scroll: Scroll[];
      keys: KeyStroke[];
      hold_ms?: number;
    }
  // Keys that the old frame forwarded after `restore` was sent. They go in before any key that the
  // user typed into the new frame itself.
  | { kind: "keys"; keys: KeyStroke[] }
  // Keys typed into the frame itself wait from here on, for those that come with `keys` were typed before them; at the
  // latest until `limit_ms` are over.
  | { kind: "hold_keys"; limit_ms: number }
  // Every key that was typed before those came: they go in now.
  | { kind: "release_keys" }
  | { kind: "switched" }
  | { kind: "dispose" }
  | { kind: "theme"; theme: FrameTheme; reduced_motion: boolean }
  | { kind: "granted"; granted: string[] };

/** Where the swap of a frame is, as the shell shows it. */
export type SwapStep = "loading" | "ready" | "waiting" | "switching" | "confirmed" | "reverted";
