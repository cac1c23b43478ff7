import { expect, test } from "vitest";

import { openable, readMarkdown, withTask } from "../src/markdown.js";
import type { Run } from "../src/markdown.js";

/** A run written short: its text, with a letter for each look. */
function short({ text, from: _, ...look }: Run): string {
  const looks = Object.entries(look).map(([name, value]) => (value === true ? name : `${name}=${String(value)}`));
  return looks.length > 0 ? `${text}{${looks.join(",")}}` : text;
}

function runs(line: string): string {
  return readMarkdown(line)
    .flatMap((block) => ("runs" in block ? block.runs.map(short) : []))
    .join("|");
}

test.each([
  ["# One", "heading 1"],
  ["### Three", "heading 3"],
  ["###### Six", "heading 3"],
  ["#none", "line"],
  ["> said", "quote"],
  ["---", "rule"],
  ["* * *", "rule"],
  ["- a", "item 0 •"],
  ["    * a", "item 2 •"],
  ["12. a", "item 0 12."],
  ["- [ ] a", "task 0 false"],
  ["\t- [x] a", "task 1 true"],
  ["- [y] a", "item 0 •"],
  ["-a", "line"],
])("the line %j is a %s", (line, expected) => {
  const [block] = readMarkdown(line);
  const more = block && { level: "", depth: "", marker: "", done: "", ...block };
  const told = [more?.kind, more?.level, more?.depth, more?.marker, more?.done].filter((part) => part !== "");
  expect(told.join(" ")).toBe(expected);
});

test.each([
  ["a **b** c", "a |b{strong}| c"],
  ["*b* and _c_", "b{emphasis}| and |c{emphasis}"],
  ["**a *b* c**", "a {strong}|b{strong,emphasis}| c{strong}"],
  ["~~gone~~", "gone{strike}"],
  ["`a *b*`", "a *b*{code}"],
  ["snake_case_name stays", "snake_case_name stays"],
  ["2 * 3 * 4", "2 * 3 * 4"],
  ["\\*not\\*", "*|not|*"],
  ["[a *b*](https://x.test/(y))", "a {url=https://x.test/(y)}|b{url=https://x.test/(y),emphasis}"],
  ["[a](javascript:alert(1))", "a"],
  ["[a](http://x.test/)", "a"],
  ["see https://x.test/y?z=1.", "see |https://x.test/y?z=1{url=https://x.test/y?z=1}|."],
  ["见 https://x.test/y。", "见 |https://x.test/y{url=https://x.test/y}|。"],
  ["**open", "**open"],
  ["<b>text</b>", "<b>text</b>"],
])("%j is read as %s", (line, expected) => {
  expect(runs(line)).toBe(expected);
});

test("a fence keeps all in it as it is, to the end if nobody closes it", () => {
  expect(readMarkdown("```ts\n# a\n\n*b*\n```\nc")).toEqual([
    { kind: "code", from: 0, gap: false, runs: [{ text: "# a\n\n*b*", from: 6, code: true }] },
    { kind: "line", from: 19, gap: false, runs: [{ text: "c", from: 19 }] },
  ]);
  expect(runs("```\nopen")).toBe("open{code}");
});

test("an empty line is a gap before what follows, and none before the first", () => {
  expect(readMarkdown("\n\na\nb\n\n\nc").map(({ gap }) => gap)).toEqual([false, false, true]);
});

test("each run stands in the source where it says", () => {
  const source =
    "# A **b** `c`\n\n- [x] d \\* _e_\n  1. [f](https://g.test)\n> h ~~i~~ 字 https://j.test\n```\nk\n```\n";
  for (const block of readMarkdown(source)) {
    for (const run of "runs" in block ? block.runs : []) {
      expect(source.slice(run.from, run.from + run.text.length)).toBe(run.text);
    }
  }
});

test("a task is ticked by one character", () => {
  const source = "one\n  - [ ] two [ ]";
  const [, task] = readMarkdown(source);
  expect(withTask(source, task?.kind === "task" ? task.at : 0, true)).toBe("one\n  - [x] two [ ]");
});

test.each([
  ["https://a.test", "https://a.test/"],
  ["mailto:a@b.test", "mailto:a@b.test"],
  ["http://a.test", null],
  ["javascript:alert(1)", null],
  ["data:text/html,x", null],
  ["a", null],
])("of %s %s can be opened", (address, expected) => {
  expect(openable(address)).toBe(expected);
});

test("a long note of nothing but marks is read", () => {
  for (const mark of ["*", "_", "`", "[", "**", "~~", "[a](", "https://"]) {
    expect(readMarkdown(`${mark.repeat(1_000)}\n`.repeat(50)).length).toBeGreaterThan(0);
  }
});
