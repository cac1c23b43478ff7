import { expect, it } from "vitest";

import { Denials } from "../../src/stage/denials";

it("tells of an attempt the first, tenth and hundredth time, and how often", () => {
  const denials = new Denials();
  const told = Array.from({ length: 150 }, () => denials.note("knocked")).filter((line) => line !== null);
  expect(told).toEqual(["knocked", "knocked (10 times)", "knocked (100 times)"]);
});

it("tells of two hundred kinds, and goes on counting those", () => {
  const denials = new Denials();
  const told = Array.from({ length: 250 }, (_, kind) => denials.note(`knocked at ${kind}`));
  expect(told.filter((line) => line !== null)).toHaveLength(200);
  for (let time = 2; time < 10; time++) expect(denials.note("knocked at 7")).toBeNull();
  expect(denials.note("knocked at 7")).toBe("knocked at 7 (10 times)");
});
