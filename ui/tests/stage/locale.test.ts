import { expect, it } from "vitest";

import { localeOf } from "../../src/stage/locale";

it.each<[string[], string]>([
  [["de-AT", "en"], "de-AT"],
  [["C"], "en"],
  [["C.UTF-8", "zh-cn"], "zh-CN"],
  [["", "fr"], "fr"],
  [[], "en"],
])("of %j the frames speak %s", (preferred, expected) => {
  expect(localeOf(preferred)).toBe(expected);
});
