// Runs in every frame before anything else does, in the page's own world: takes away the native message handlers of the
// web engine, which reach into every frame. What comes through them is refused without the key anyway.
(() => {
  if (window === window.top) return;
  const { document } = window;
  const { dispatchEvent } = EventTarget.prototype;
  const tell = dispatchEvent.bind(document);
  const Told = Event;
  const get = () => void tell(new Told("moult-native"));
  for (const name of ["webkit", "ipc", "chrome", "__TAURI_INTERNALS__"]) {
    try {
      Object.defineProperty(window, name, { get, configurable: false });
    } catch {
      // What can't be taken away is still of no use without the key.
    }
  }
})();
