import { describe, expect, it } from "vitest";

import type { Setting } from "../../src/host/bindings";
import { chosenWith, colorIn, faultOf, numberIn, stepped, valuesOf, wordsIn } from "../../src/state/tile_settings";

const minutes: Setting = { kind: "number", title: "Break", default: 5, min: 1, max: 59, step: 5 };
const half: Setting = { kind: "number", title: "Size", default: 1, min: 0.1, max: 2, step: 0.1 };
const name: Setting = { kind: "text", title: "Name", default: "", max_length: 3 };
const face: Setting = { kind: "choice", title: "Face", default: "a", options: [{ value: "a", title: "A" }] };
const hue: Setting = { kind: "color", title: "Hue", default: "#000000" };
const place: Setting = { kind: "zone", title: "Place", default: "" };
const on: Setting = { kind: "switch", title: "On", default: false };

it.each([
  ["en", "Seconds"],
  ["zh-CN", "秒"],
  ["fr", "Seconds"],
])("words in %s are %s", (language, said) => {
  expect(wordsIn({ en: "Seconds", zh: "秒" }, language)).toBe(said);
  expect(wordsIn("One", language)).toBe("One");
});

describe("a value", () => {
  it.each([
    ["the least", minutes, 1, null],
    ["a step from the default", minutes, 20, null],
    ["a step of a fraction", half, 0.7, null],
    ["between two steps", minutes, 7, { kind: "step", step: 5, below: 5, above: 10 }],
    ["above the most", minutes, 60, { kind: "range", min: 1, max: 59 }],
    ["no number", minutes, "20", { kind: "number" }],
    ["three characters", name, "a😀c", null],
    ["a character too many", name, "four", { kind: "long", most: 3, over: 1 }],
    ["one of the options", face, "a", null],
    ["none of the options", face, "b", { kind: "other" }],
    ["a colour", hue, "#A0b1C2", null],
    ["a colour's name", hue, "red", { kind: "color" }],
    ["the computer's own zone", place, "", null],
    ["a zone", place, "America/Port-au-Prince", null],
    ["a path", place, "../etc", { kind: "other" }],
    ["the word for on", on, "true", { kind: "other" }],
  ])("that is %s", (_, setting, value, fault) => expect(faultOf(setting, value)).toEqual(fault));
});

it.each([
  ["2.5", 2.5],
  [" 2,5 ", 2.5],
  ["−3", -3],
  ["", NaN],
  ["1e9", NaN],
])("“%s” is the number %d", (text, number) => expect(numberIn(text)).toBe(number));

it.each([
  ["0A6850", "#0a6850"],
  ["#abc", "#aabbcc"],
])("“%s” is the colour %s", (text, color) => expect(colorIn(text)).toBe(color));

it.each([
  [5, 1, 10],
  [5, -1, 1],
  [7, -1, 5],
  [59, 1, 59],
])("from %d, %d steps lead to %d", (from, steps, to) => expect(stepped(minutes, from, steps)).toBe(to));

it("gives the default for what does not fit, and nothing that is not declared", () => {
  expect(valuesOf({ minutes, on }, { minutes: 99, on: true, other: 1 })).toEqual({ minutes: 5, on: true });
});

it("keeps what differs from the default, and what another version declares", () => {
  expect(chosenWith({ minutes, on }, { minutes: 10, other: 1 }, "on", true)).toEqual({
    minutes: 10,
    on: true,
    other: 1,
  });
  expect(chosenWith({ minutes, on }, { minutes: 10, on: true }, "minutes", 5)).toEqual({ on: true });
});
