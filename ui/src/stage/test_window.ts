// What tests may read of the stage. Read-only, and nothing that could not be seen in the page anyway.

import type { Stage } from "./stage";

/** `window.__moult`. */
export interface TestWindow {
  /** How often each instance (and `shell`) was loaded into a frame. */
  readonly loads: Readonly<Record<string, number>>;
  readonly shellVersion: string | null;
  readonly frames: Stage["frames"];
}

export function exposeForTests(stage: Stage): void {
  const value: TestWindow = Object.freeze({
    get loads() {
      return { ...stage.loads };
    },
    get shellVersion() {
      return stage.shellVersion;
    },
    get frames() {
      return stage.frames;
    },
  });
  Object.defineProperty(window, "__moult", { value });
}
