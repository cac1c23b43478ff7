import { expect, it } from "vitest";

import type { Theme } from "../../src/host/bindings";
import { themeFor } from "../../src/stage/theme";

it.each<[Theme, boolean, boolean, string]>([
  ["system", false, false, "light"],
  ["system", true, false, "dark"],
  ["system", false, true, "hc"],
  ["light", true, true, "light"],
  ["dark", false, false, "dark"],
  ["high_contrast", false, false, "hc"],
])("the setting %s on a system that is dark: %s, high in contrast: %s is %s", (setting, dark, contrast, expected) => {
  expect(themeFor(setting, { dark, contrast, reducedMotion: false })).toBe(expected);
});
