// What the stage and the shell say to each other: the kit's frame protocol, and what only these two know.
// Shapes alone.

import type { Box, Chord, FrameMessage, StageMessage, SwapStep } from "@moult/widget/protocol";
import type { Overview, Problem, ShellCommand } from "./host/bindings";

export * from "@moult/widget/protocol";

/** A tile's body: where a widget's frame lies. */
export interface Body extends Box {
  instance: string;
  /** The corners' radius in CSS px; none means square. */
  radius?: number;
}

/** Where the frame of an instance is. Only a live frame is looked at through a hole. */
export type FramePhase = "loading" | "live" | "failed" | "closed";

/** What the shell alone tells the stage, commands aside. */
export type LayoutMessage = { kind: "layout"; bodies: Body[]; covers: Box[] };

/** From any frame to the stage. */
export type ShellFrameMessage = FrameMessage | LayoutMessage | { kind: "command"; id: number; command: ShellCommand };

/** What the stage tells the shell alone. */
export type ShellNews =
  | { kind: "overview"; overview: Overview }
  | { kind: "header"; instance: string; title: string; aside: string }
  | { kind: "swap"; instance: string | null; step: SwapStep; version: string; problem?: Problem }
  | { kind: "frame"; instance: string; phase: FramePhase; version: string }
  | { kind: "chord"; key: Chord }
  /** A widget that is being written threw an error. */
  | { kind: "threw"; instance: string; detail: string };

/** From the stage to any frame. */
export type ShellStageMessage = StageMessage | ShellNews;
