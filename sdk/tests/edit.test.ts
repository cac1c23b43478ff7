import { expect, test } from "vitest";

import { editFor } from "../src/edit.js";
import { stroke } from "./stage.js";

/** `|` is the caret; in a selection `<` is where it began and `>` where it reached. */
function edited(marked: string, ...args: [key: string, more?: object]): string {
  const anchor = marked.search(/[|<>]/);
  const bare = marked.includes("|");
  const text = marked.replace(/[|<>]/g, "");
  const second = bare ? anchor : marked.search(/[<>](?=[^<>]*$)/) - 1;
  const backward = marked.indexOf(">") >= 0 && marked.indexOf(">") < marked.indexOf("<");
  const caret = backward ? { anchor: second, focus: anchor } : { anchor, focus: second };
  const edit = editFor(text, caret, stroke(...args), true);
  if (!edit) return marked;
  const after = text.slice(0, edit.from) + edit.insert + text.slice(edit.to);
  const { anchor: a, focus: f } = edit.caret;
  if (a === f) return `${after.slice(0, a)}|${after.slice(a)}`;
  const [low, high] = [Math.min(a, f), Math.max(a, f)];
  const [begin, end] = a < f ? ["<", ">"] : [">", "<"];
  return after.slice(0, low) + begin + after.slice(low, high) + end + after.slice(high);
}

test.each([
  ["ab|", "c", {}, "abc|"],
  ["a|b", "x", {}, "ax|b"],
  ["a<bc>d", "x", {}, "ax|d"],
  ["a|", "Enter", {}, "a\n|"],
  ["ab|c", "Backspace", {}, "a|c"],
  ["|abc", "Backspace", {}, "|abc"],
  ["a<b>c", "Backspace", {}, "a|c"],
  ["a👩‍👩‍👧|b", "Backspace", {}, "a|b"],
  ["one two|", "Backspace", { ctrl: true }, "one |"],
  ["ab|c", "Delete", {}, "ab|"],
  ["one| two", "Delete", { ctrl: true }, "one|"],
  ["ab|c", "ArrowLeft", {}, "a|bc"],
  ["ab|c", "ArrowLeft", { shift: true }, "a>b<c"],
  ["a<b>c", "ArrowLeft", {}, "a|bc"],
  ["a>b<c", "ArrowRight", {}, "ab|c"],
  ["ab|c", "ArrowRight", {}, "abc|"],
  ["one\ntw|o", "Home", {}, "one\n|two"],
  ["o|ne\ntwo", "End", {}, "one|\ntwo"],
  ["one\ntw|o", "ArrowUp", {}, "on|e\ntwo"],
  ["one\n\ntw|o", "ArrowUp", {}, "one\n|\ntwo"],
  ["long line|\nab", "ArrowDown", {}, "long line\nab|"],
  ["a|b", "a", { text: null, ctrl: true }, "<ab>"],
  ["a|b", "F5", {}, "a|b"],
])("from %j the key %s with %j leads to %j", (from, key, more, to) => {
  expect(edited(from, key, more)).toBe(to);
});

test("a field of one line takes no line break", () => {
  expect(editFor("ab", { anchor: 2, focus: 2 }, stroke("Enter"), false)).toBeNull();
  const pasted = editFor("", { anchor: 0, focus: 0 }, stroke("Unidentified", { text: "a\nb" }), false);
  expect(pasted?.insert).toBe("a b");
});
