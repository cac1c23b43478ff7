// The logic of the template, which also does what a test asks for by `do`. It is laid beside the template's own as
// src/logic.ts; that one is src/template.ts then.

import { call, CallRefused, defineLogic, log, now, random, say } from "@moult/widget/logic";
import type { Settings } from "@moult/widget/logic";

import template from "./template";

let settings: Settings = {};

export default defineLogic({
  ...template,

  start(given) {
    settings = given;
  },

  handle(event) {
    switch (event["do"]) {
      case "settings":
        return settings;
      case "now":
        return now();
      case "random":
        return [...random(32)];
      case "say":
        return say(event["what"]);
      case "call":
        try {
          return { ok: call(String(event["capability"]), event["request"]) };
        } catch (refused) {
          if (refused instanceof CallRefused) return { problem: refused.problem };
          throw refused;
        }
      case "log":
        return log(String(event["line"]));
      case "throw":
        throw new RangeError("as the test asked");
      case "loop":
        for (;;);
      case "recurse":
        return recurse(0);
      case "allocate":
        for (const held: Uint8Array[] = []; ; held.push(new Uint8Array(1 << 20).fill(1)));
      default:
        return template.handle(event);
    }
  },
});

function recurse(depth: number): number {
  return recurse(depth + 1) + 1;
}
