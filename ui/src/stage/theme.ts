// Which look a frame is asked to show. Pure but for `watchTheme`, which listens to the system.

import type { Theme } from "../host/bindings";
import type { FrameTheme } from "../protocol";

/** What the system prefers. */
export interface Preferences {
  dark: boolean;
  contrast: boolean;
  reducedMotion: boolean;
}

/** The look for a setting on a system with these preferences. */
export function themeFor(setting: Theme, system: Preferences): FrameTheme {
  switch (setting) {
    case "light":
      return "light";
    case "dark":
      return "dark";
    case "high_contrast":
      return "hc";
    case "system":
      return system.contrast ? "hc" : system.dark ? "dark" : "light";
  }
}

const QUERIES = {
  dark: "(prefers-color-scheme: dark)",
  contrast: "(prefers-contrast: more)",
  reducedMotion: "(prefers-reduced-motion: reduce)",
};

/** The preferences now, and again at each change. */
export function watchPreferences(changed: (system: Preferences) => void): Preferences {
  const lists = Object.values(QUERIES).map((query) => matchMedia(query));
  for (const list of lists) list.addEventListener("change", () => changed(preferences()));
  return preferences();
}

function preferences(): Preferences {
  return {
    dark: matchMedia(QUERIES.dark).matches,
    contrast: matchMedia(QUERIES.contrast).matches,
    reducedMotion: matchMedia(QUERIES.reducedMotion).matches,
  };
}
