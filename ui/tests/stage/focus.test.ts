// The keyboard's owner with frames of paper. That no key gets past the watch in a frame is seen in the real engine alone:
// tests/hostile.

import { beforeEach, describe, expect, it, vi } from "vitest";

import { Keyboard } from "../../src/stage/focus";
import type { KeyStroke } from "../../src/protocol";
import type { Frame } from "../../src/stage/frame";

const SECRET = "s";

interface Paper {
  frame: Frame;
  said: string[];
}

let papers: Paper[];
let log: string[];
let keyboard: Keyboard;
/** Answers of frames that are still to come. */
let asked: (() => void)[];
/** What waits until all is here that was said before. */
let rounds: (() => void)[];
/** The keys that were sent, in order. */
let typed: string[];

function paper(instance: string | null, state = "live"): Paper {
  const said: string[] = [];
  const frame = {
    load: { instance },
    state,
    isShell: instance === null,
    remove: () => said.push("gone"),
    send: (message: { kind: string; keys?: KeyStroke[] }) => {
      said.push(message.kind);
      typed.push(...(message.keys ?? []).map(({ key }) => key));
    },
    ask: (_: unknown, answered: () => void) => asked.push(answered),
    element: {
      focus: () => said.push("focus"),
      blur: () => said.push("blur"),
      contentWindow: {
        postMessage: (message: { back?: boolean; held?: boolean; told?: number }) =>
          said.push(message.held ? "back and held" : message.back ? "back" : message.told ? "let go" : "allowed"),
      },
    },
  } as unknown as Frame;
  return { frame, said };
}

/** A word of the watch in the frame of a place. */
function word(at: number, kind: string, now = 0, more: object = {}): boolean {
  const data = { moult: 1, watch: SECRET, kind, ...more };
  return keyboard.hear({ data } as MessageEvent, papers[at]!.frame, now);
}

const said = (at: number) => papers[at]!.said.splice(0);

beforeEach(() => {
  papers = [paper(null), paper("a"), paper("b")];
  [log, asked, rounds, typed] = [[], [], [], []];
  keyboard = new Keyboard(
    {
      frames: () => papers.map(({ frame }) => frame),
      denied: (frame, what) => log.push(`${frame.load.instance}: ${what}`),
      end: (frame, detail) => log.push(`end ${frame.load.instance}: ${detail}`),
      afterAllSaid: (then) => rounds.push(then),
    },
    SECRET,
  );
});

describe("the keyboard", () => {
  it("is given with a press, and stays when the window was left", () => {
    word(1, "pressed");
    expect(keyboard.holder).toBe("a");
    word(1, "focus");
    expect(said(1)).toEqual(["allowed"]);
    expect(log).toEqual([]);
  });

  it("is given with Tab to the next frame, if the one that has it pressed it", () => {
    word(1, "pressed");
    word(1, "tab", 1000);
    word(2, "focus", 1001);
    expect(keyboard.holder).toBe("b");
    word(1, "tab", 1002);
    word(1, "focus", 1003);
    expect(keyboard.holder).toBe("b");
  });

  it("goes back to who had it, and what was typed goes there too", () => {
    word(0, "pressed");
    word(2, "focus");
    word(2, "key", 1, { stroke: { key: "x" } });
    expect(said(2)).toEqual(["blur"]);
    expect(said(0)).toEqual(["focus", "back"]);
    word(0, "backed");
    expect(said(0)).toEqual(["keys"]);
    expect(log).toEqual(["b: took the keyboard without a press or Tab"]);
  });

  it("types what was held back elsewhere before what comes to it directly", () => {
    word(1, "pressed");
    word(2, "taken");
    expect(said(1)).toEqual(["focus", "back and held", "hold_keys"]);
    word(1, "focus");
    word(2, "key", 1, { stroke: { key: "x" } });
    word(1, "backed");
    word(1, "key", 1, { stroke: { key: "y" } });
    asked.shift()?.();
    expect(said(1)).toEqual(["keys", "keys", "let go"]);
    // Told before the watch let go, so typed before what the frame holds.
    word(1, "key", 1, { stroke: { key: "z" } });
    word(1, "let", 1, { round: 1 });
    expect(said(1)).toEqual(["keys", "allowed", "release_keys"]);
    word(1, "let", 1, { round: 1 });
    expect(said(1)).toEqual([]);
  });

  it("is not let go by the word of a time before another theft", () => {
    word(1, "pressed");
    word(2, "taken");
    asked.shift()?.();
    word(2, "taken");
    said(1);
    word(1, "let", 1, { round: 1 });
    expect(said(1)).toEqual([]);
    asked.shift()?.();
    word(1, "let", 1, { round: 2 });
    expect(said(1)).toEqual(["let go", "allowed", "release_keys"]);
  });

  it("gets the last key that a thief held back, and only then the thief goes", () => {
    word(1, "pressed");
    keyboard.retire(papers[2]!.frame);
    word(2, "key", 1, { stroke: { key: "x" } });
    expect(said(2)).toEqual([]);
    rounds.shift()?.();
    expect(said(2)).toEqual(["gone"]);
    expect(said(1)).toEqual(["keys", "focus", "back and held", "hold_keys"]);
  });

  it("is the page's own as long as the thief takes it, but not for ever, and every key comes in order", () => {
    vi.useFakeTimers();
    const press = (key: string) =>
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    word(1, "pressed");
    keyboard.retire(papers[2]!.frame);
    press("b");
    word(2, "key", 1, { stroke: { key: "a" } });
    // It takes it, and loses it, between two looks.
    (document.activeElement as HTMLElement).blur();
    word(2, "focus");
    expect(said(2)).toEqual(["blur"]);
    for (const round of rounds.splice(0)) round();
    expect(said(2)).toEqual([]);
    vi.advanceTimersByTime(10);
    press("c");
    rounds.shift()?.();
    expect(said(2)).toEqual(["gone"]);
    expect(typed.splice(0)).toEqual(["a", "b", "c"]);

    keyboard.retire(papers[0]!.frame);
    (document.activeElement as HTMLElement).blur();
    vi.advanceTimersByTime(1000);
    expect(said(0)).toEqual(["gone"]);
    vi.useRealTimers();
  });

  it("goes to whoever is pressed while a thief goes, and what was typed before to who had it", () => {
    word(1, "pressed");
    keyboard.retire(papers[2]!.frame);
    word(2, "key", 1, { stroke: { key: "a" } });
    word(0, "pressed");
    expect([said(1), said(0)]).toEqual([["keys"], []]);
    rounds.shift()?.();
    expect([said(1), said(0)]).toEqual([[], ["focus", "back"]]);
  });

  it("gets a key that a frame held back before it was ended", () => {
    word(0, "pressed");
    const key = { data: { moult: 1, watch: SECRET, kind: "key", stroke: { key: "x" } } } as MessageEvent;
    keyboard.late(key);
    expect(said(0)).toEqual(["keys"]);
  });

  it("gets a key that came to the page, whatever frame the page took it from", () => {
    const stroke = { key: "x" } as KeyStroke;
    word(1, "pressed");
    expect(keyboard.stray(stroke, papers[2]!.frame)).toBe(true);
    expect(keyboard.stray(stroke, undefined)).toBe(true);
    for (const round of rounds) round();
    expect([said(1), said(2)]).toEqual([["keys", "keys"], []]);
  });

  it("gets a key that came to the page after those that were held back elsewhere", () => {
    word(1, "pressed");
    word(2, "taken");
    said(1);
    // It comes to the page at once; what another frame was given before is a message, and later.
    keyboard.stray({ key: "y" } as KeyStroke, undefined);
    word(2, "key", 1, { stroke: { key: "x" } });
    rounds.shift()?.();
    expect(said(1)).toEqual([]);
    word(1, "backed");
    expect(said(1)).toEqual(["keys"]);
    expect(typed).toEqual(["x", "y"]);
  });

  it("is the page's own only where nobody has it", () => {
    const stroke = { key: "x" } as KeyStroke;
    expect(keyboard.stray(stroke, undefined)).toBe(false);
    expect(keyboard.stray(stroke, papers[2]!.frame)).toBe(true);
    expect(said(2)).toEqual(["keys"]);
  });

  it("is lost to nobody where nobody had it", () => {
    word(2, "focus");
    word(2, "key", 1, { stroke: { key: "x" } });
    expect([said(0), said(1), said(2)]).toEqual([[], [], ["blur"]]);
  });

  it("ends who takes it three times within ten seconds, and not who does so now and then", () => {
    word(1, "pressed");
    for (const now of [0, 6000, 12_000, 18_000]) word(2, "taken", now);
    expect(log.filter((line) => line.startsWith("end"))).toEqual([]);
    word(2, "taken", 19_000);
    expect(log.at(-1)).toBe("end b: took the keyboard 3 times within 10 s");
  });

  it("comes back from a frame that takes it for no field of its own as often as tools may, and is told once", () => {
    word(1, "pressed");
    for (let time = 0; time < 299; time += 1) word(2, "focus", time);
    expect(log).toEqual(["b: took the keyboard without a press or Tab"]);
    word(2, "focus", 299);
    expect(log.at(-1)).toBe("end b: took the keyboard 300 times within 10 s");
  });

  it("goes with its place from one version to the next", () => {
    word(1, "pressed");
    papers.push(paper("a", "incoming"));
    keyboard.welcome(papers[3]!.frame);
    word(3, "focus");
    expect(said(3)).toEqual(["allowed", "allowed"]);
    word(2, "key", 1, { stroke: { key: "x" } });
    expect(said(1)).toEqual(["keys"]);
  });

  it("is nobody's by a word without the secret", () => {
    const data = { moult: 1, watch: "guessed", kind: "pressed" };
    expect(keyboard.hear({ data } as MessageEvent, papers[2]!.frame, 0)).toBe(false);
    expect(keyboard.holder).toBeUndefined();
  });
});
