// Runs in every frame before anything else does, in the page's own world: takes what the native message handler of the web
// engine can do away, since that reaches into every frame. What came through it would be refused without the key anyway.
(() => {
  if (window === window.top) return;
  const { document } = window;
  const tell = EventTarget.prototype.dispatchEvent.bind(document);
  const Told = Event;
  const handler = window.webkit?.messageHandlers?.ipc;
  if (!handler) return;
  const value = () => void tell(new Told("moult-native"));
  Object.defineProperty(Object.getPrototypeOf(handler), "postMessage", { value, configurable: false, writable: false });
})();
