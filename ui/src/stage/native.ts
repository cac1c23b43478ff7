// The native side as the stage sees it, and the one place that speaks Tauri.
// The key that opens the native commands stays in here.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { Problem, SavedState, ShellCommand, StageEvent, StageReport, StageStart } from "../host/bindings";

/** Where a frame lies, in CSS px, and whether it has the keyboard. */
export interface CallArea {
  x: number;
  y: number;
  width: number;
  height: number;
  focused: boolean;
}

/** What the stage asks of the native side. Rejections are Problems. */
export interface Native {
  /** Hands out the start and, from then on, events. Once per page. */
  open(onEvent: (event: StageEvent) => void): Promise<StageStart>;
  report(report: StageReport): Promise<void>;
  /** Resolves when the state is on disk. */
  saveState(instance: string, state: SavedState): Promise<void>;
  /** `area` says where the frame lies that calls: some calls need a press there, and the native side sees presses. */
  capability(token: string, capability: string, request: unknown, area: CallArea): Promise<unknown>;
  shellCommand(command: ShellCommand): Promise<unknown>;
}

/** The native side over Tauri's commands and events. */
export function tauriNative(): Native {
  let key = "";
  return {
    async open(onEvent) {
      await listen<StageEvent>("stage-event", (event) => onEvent(event.payload));
      const start = await invoke<StageStart>("stage_open");
      key = start.key;
      return start;
    },
    report: (report) => invoke("stage_report", { key, report }),
    saveState: (instance, state) => invoke("state_save", { key, instance, state }),
    capability: (token, capability, request, area) => invoke("capability", { key, token, capability, request, area }),
    shellCommand: (command) => invoke("shell_command", { key, command }),
  };
}

/** Whatever was thrown, as a Problem. */
export function problemOf(thrown: unknown): Problem {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "happened" in thrown) {
    return thrown as Problem;
  }
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "internal", happened: "Moult could not do that.", kept: "Nothing was changed.", advice: null, detail };
}
