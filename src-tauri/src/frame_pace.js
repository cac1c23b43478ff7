// Runs in every frame before anything else does, in the page's own world. All frames share one thread: timers that are due
// by the thousand in one of them hold up the pictures of all. So a frame's timers come at most so many at a time, in the
// order in which they were due; a page that has fewer of them notices nothing.
(() => {
  if (window === window.top) return;

  /** So many timers run within a slice, in milliseconds. A page without a mistake has a few. */
  const AT_ONCE = 100;
  const SLICE_MS = 16;

  const { clearTimeout: clear, setTimeout: once, setInterval: always, reportError: report, performance } = window;
  const now = performance.now.bind(performance);
  const act = Reflect.apply;

  /** Timers that were due and wait, by their number. A map keeps the order. */
  const due = new Map();
  let [began, ran, pumping] = [-Infinity, 0, false];

  const hasRoom = () => {
    const at = now();
    if (at - began >= SLICE_MS) [began, ran] = [at, 0];
    ran += 1;
    return ran <= AT_ONCE;
  };
  const pump = () => {
    pumping = false;
    for (const [id, run] of due) {
      if (!hasRoom()) break;
      due.delete(id);
      try {
        run();
      } catch (thrown) {
        report(thrown);
      }
    }
    if (due.size > 0) again();
  };
  const again = () => {
    if (!pumping) act(once, window, [pump, SLICE_MS]);
    pumping = true;
  };
  /** The call that the page gave, when its time has come. */
  const paced = (start) =>
    function (call, delay, ...given) {
      if (typeof call !== "function") return act(start, window, [call, delay, ...given]);
      const run = () => act(call, window, given);
      const id = act(start, window, [
        () => {
          // A clock that runs again before its last time was carried out is due once.
          if (due.has(id)) return;
          if (due.size === 0 && hasRoom()) return run();
          due.set(id, run);
          again();
        },
        delay,
      ]);
      return id;
    };
  const cleared = function (id) {
    due.delete(id);
    act(clear, window, [id]);
  };
  const define = (name, value) =>
    Object.defineProperty(window, name, { value, configurable: false, enumerable: true, writable: true });
  define("setTimeout", paced(once));
  define("setInterval", paced(always));
  define("clearTimeout", cleared);
  define("clearInterval", cleared);
})();
