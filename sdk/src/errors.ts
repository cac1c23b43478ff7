// Errors that nobody caught, told to the stage. Knows no message and no widget.

/** At most this many are told in the life of a frame: one that throws at each frame must not flood the log. */
export const MAX_ERRORS = 50;

/** WebKit says no more of an error in a timer or listener of a frame whose origin is opaque. */
const UNTOLD = "An error was thrown. This browser tells no details of errors in a sandboxed frame.";

const MAX_MESSAGE = 1_000;
const MAX_STACK = 8_000;

/** Tells of uncaught errors and rejections. Returns what tells of one that was caught, and what ends it. */
export function watchErrors(scope: Window, tell: (message: string, stack: string) => void) {
  let told = 0;
  // `fallback` is what is known of an error that is not at hand (null).
  const report = (thrown: unknown, fallback = "null"): void => {
    if (told >= MAX_ERRORS) return;
    told += 1;
    const error = thrown instanceof Error ? thrown : null;
    const message = error ? `${error.name}: ${error.message}` : thrown === null ? fallback : String(thrown);
    tell(message.slice(0, MAX_MESSAGE), (error?.stack ?? "").slice(0, MAX_STACK));
  };
  const thrown = (event: ErrorEvent): void => {
    // Said by browsers when a layout takes two rounds; nothing is wrong then.
    if (event.message.startsWith("ResizeObserver loop")) return;
    report(event.error ?? null, event.message === "Script error." ? UNTOLD : `${event.message} (line ${event.lineno})`);
  };
  const rejected = (event: PromiseRejectionEvent): void => report(event.reason);
  scope.addEventListener("error", thrown);
  scope.addEventListener("unhandledrejection", rejected);
  return {
    report,
    stop(): void {
      scope.removeEventListener("error", thrown);
      scope.removeEventListener("unhandledrejection", rejected);
    },
  };
}
