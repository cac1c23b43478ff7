// Runs in every frame before anything else does, in a world of its own that no page reaches: it shares the document
// with the page and none of its objects. It lets keys through only where the user put the keyboard, and tells the stage
// what was tried. It decides nothing: who has the keyboard is the stage's to say.
(() => {
  const stage = window.parent;
  if (window === window.top || stage !== window.top) return;

  /** What the engine blocked is told at most so often, and after that in sums. */
  const DENIED_MS = 1000;

  /** Keys that enter nothing, and Tab, which would lead on from where it was not meant to be. */
  const SILENT = new Set(["Alt", "AltGraph", "CapsLock", "Control", "Fn", "Meta", "NumLock", "Shift", "Tab"]);

  const tell = (kind, more) => stage.postMessage({ moult: 1, watch: "@SECRET@", kind, ...more }, "*");
  let allowed = false;
  let always = false;
  let last = null;

  const pressed = (event) => {
    if (!event.isTrusted) return;
    allowed = true;
    tell("pressed");
  };
  const strokeOf = ({ key, code, altKey, ctrlKey, metaKey, shiftKey }) => {
    const enters = [...key].length === 1 && !ctrlKey && !metaKey && !altKey;
    return { key, code, text: enters ? key : null, alt: altKey, ctrl: ctrlKey, meta: metaKey, shift: shiftKey };
  };
  const typed = (event) => {
    // What a page dispatches itself fools nobody but the page.
    if (!event.isTrusted) return;
    if (allowed) {
      if (event.type === "keydown" && event.key === "Tab") tell("tab");
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.type === "keydown" && !SILENT.has(event.key)) tell("key", { stroke: strokeOf(event) });
    // What is composed can't be prevented, so it gets no field to go into.
    else if (event.type.startsWith("composition")) document.activeElement?.blur();
  };
  const on = (type, listener) => window.addEventListener(type, listener, { capture: true });
  for (const type of ["pointerdown", "mousedown", "touchstart"]) on(type, pressed);
  const keys = ["keydown", "keypress", "keyup", "beforeinput", "textInput"];
  for (const type of [...keys, "compositionstart", "compositionupdate", "compositionend"]) on(type, typed);
  on("focus", (event) => {
    if (allowed) {
      if (event.target !== window) last = event.target;
    } else {
      tell(event.target === window ? "focus" : "taken");
    }
  });
  on("blur", (event) => {
    if (event.target === window) allowed = always;
  });
  on("message", (event) => {
    const { data } = event;
    if (event.source !== stage || data?.moult !== 1 || data.kind !== "keyboard") return;
    // What is told to let go lost the focus meanwhile, perhaps: it asks when it has it again.
    if (data.held) allowed = always;
    else if (!data.here || document.hasFocus()) allowed = true;
    // Every key that was held back here was told before this.
    if (data.told) tell("let", { round: data.told });
    always ||= data.always === true;
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (!data.back) return;
    if (lost && last?.isConnected) last.focus({ preventScroll: true });
    tell("backed");
  });

  let denied = new Map();
  let timer = 0;
  const deny = (what) => {
    denied.set(what, (denied.get(what) ?? 0) + 1);
    timer ||= setTimeout(() => {
      timer = 0;
      tell("denied", { what: [...denied].slice(0, 20).map(([one, times]) => `${one} (${times})`) });
      denied = new Map();
    }, denied.size > 1 ? DENIED_MS : 0);
  };
  document.addEventListener("securitypolicyviolation", (event) => {
    if (event.isTrusted) deny(`${event.effectiveDirective} ${event.blockedURI}`.slice(0, 300));
  });
  document.addEventListener("moult-native", () => deny("the native message handlers"));
})();
