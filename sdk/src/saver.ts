// When state is sent: at most 100 ms after the first change, at once when the frame loses the keyboard, never while it is frozen.
// Knows no state, no message and no widget.

/** Changes are sent this long after the first of them, in milliseconds: what may be lost if everything ends at once. */
export const SAVE_AFTER_MS = 100;

/** Sends state when it is time to. */
export interface Saver {
  /** Something changed. */
  changed(): void;
  /** Sends now what is due. */
  flush(): void;
  /** Keeps what is due until {@link Saver.resume}. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** `send` is called whenever changes are due. */
export function createSaver(scope: Window, send: () => void): Saver {
  let due = false;
  let paused = false;
  let timer: number | null = null;

  const disarm = (): void => {
    if (timer !== null) scope.clearTimeout(timer);
    timer = null;
  };
  const flush = (): void => {
    if (!due || paused) return;
    disarm();
    due = false;
    send();
  };
  const hidden = (): void => {
    if (scope.document.visibilityState === "hidden") flush();
  };
  scope.addEventListener("blur", flush);
  scope.addEventListener("pagehide", flush);
  scope.document.addEventListener("visibilitychange", hidden);

  const saver: Saver = {
    changed() {
      due = true;
      // Not put off by the next change: who types on and on is saved all the same.
      if (!paused) timer ??= scope.setTimeout(flush, SAVE_AFTER_MS);
    },
    flush,
    pause() {
      paused = true;
      disarm();
    },
    resume() {
      paused = false;
      if (due) saver.changed();
    },
    stop() {
      saver.pause();
      scope.removeEventListener("blur", flush);
      scope.removeEventListener("pagehide", flush);
      scope.document.removeEventListener("visibilitychange", hidden);
    },
  };
  return saver;
}
