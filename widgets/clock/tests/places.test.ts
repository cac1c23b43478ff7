import { expect, test } from "vitest";

import type { Settings } from "@moult/widget";

import { FIRST_PLACES, ZONES, placeName, readPlaces, wishOf } from "../src/places.js";
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

test.each([
  ["no settings: what was chosen in the tile", {}, null],
  [
    "three places",
    { zone_1: "Asia/Tokyo", zone_2: "UTC", zone_3: "Europe/Paris" },
    ["Asia/Tokyo", "UTC", "Europe/Paris"],
  ],
  ["the place here is no other", { zone_1: "Europe/Lisbon", zone_2: "UTC", zone_3: "UTC" }, ["UTC"]],
  ["none", { zone_1: "Europe/Lisbon", zone_2: "Europe/Lisbon", zone_3: "Europe/Lisbon" }, []],
  ["unknown ones are left out", { zone_1: "Moon/Tranquility", zone_2: 5, zone_3: "UTC" }, ["UTC"]],
])("%s", (_, settings, places) => {
  expect(wishOf(settings as Settings, "Europe/Lisbon")).toEqual({ places, seconds: false });
});

test("the version before kept places: they open in this one and are kept for one without settings", () => {
  const before = { places: ["Asia/Tokyo", "UTC", "Asia/Kolkata"] };
  expect(readPlaces(JSON.parse(JSON.stringify(before)))).toEqual(before);
});
