import { expect, test } from "vitest";

import { FIRST_PLACES, ZONES, placeName, readPlaces } from "../src/places.js";
import { wordsFor } from "../src/words.js";

test("every zone that can be chosen exists", () => {
  for (const zone of ZONES) expect(() => new Intl.DateTimeFormat("en", { timeZone: zone })).not.toThrow();
});

test.each([
  ["Asia/Shanghai", false, "Shanghai"],
  ["Asia/Shanghai", true, "上海"],
  ["America/Argentina/San_Luis", true, "San Luis"],
  ["UTC", false, "UTC"],
])("the place %s is called, in Chinese %s, %s", (zone, chinese, name) => {
  expect(placeName(zone, chinese)).toBe(name);
});

test("unknown zones give way to the first ones, known ones stay", () => {
  const { places } = readPlaces({ places: ["Moon/Tranquility", "Asia/Tokyo"] });
  expect(places).toEqual([FIRST_PLACES[0], "Asia/Tokyo", FIRST_PLACES[2]]);
});

test.each([null, {}, { places: "UTC" }])("refuses %j", (data) => {
  expect(() => readPlaces(data)).toThrow("`places` is not a list");
});

test.each([
  ["en-GB", -480, "8 h behind"],
  ["en-GB", 345, "5 h 45 min ahead"],
  ["en-GB", 0, "same time"],
  ["zh-CN", 480, "早 8 小时"],
  ["zh-CN", -30, "晚 30 分钟"],
])("in %s %i minutes are said as %j", (locale, minutes, said) => {
  expect(wordsFor(locale).offset(minutes)).toBe(said);
});
