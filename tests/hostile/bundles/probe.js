// A good neighbour: counts, keeps its count, and measures how long its frames take.
(() => {
  let port = null;
  let state = { schema: 1, data: { count: 0 } };
  let last = 0;
  let gaps = [];
  const say = (message) => port.postMessage(message);
  const frame = (now) => {
    if (last) gaps.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  globalThis.count = () => {
    state = { schema: 1, data: { count: state.data.count + 1 } };
    say({ kind: "state", state });
    document.body.firstElementChild.textContent = String(state.data.count);
    return state.data.count;
  };
  globalThis.takeGaps = () => {
    const taken = gaps.sort((a, b) => a - b);
    gaps = [];
    const at = (share) => Math.round(taken[Math.floor((taken.length - 1) * share)] ?? 0);
    return { frames: taken.length, median: at(0.5), p99: at(0.99), longest: at(1) };
  };
  addEventListener("message", (event) => {
    if (event.source !== window.parent || event.data?.kind !== "port") return;
    port = event.ports[0];
    port.onmessage = ({ data }) => {
      if (data.kind === "start") {
        if (data.saved) state = data.saved;
        document.body.firstElementChild.textContent = String(state.data.count);
        say({ kind: "header", title: "Probe", aside: "" });
        say({ kind: "ready", token: data.token });
        requestAnimationFrame(frame);
      }
      if (data.kind === "snapshot") say({ kind: "snapshot", id: data.id, state });
      if (data.kind === "freeze") say({ kind: "frozen", id: data.id, state, focus: null, scroll: [] });
      if (data.kind === "restore") {
        if (data.state) state = data.state;
        say({ kind: "restored", id: data.id });
      }
    };
    say({ kind: "hello", sdk: "by hand" });
  });
})();
