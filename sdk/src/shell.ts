// The shell's frame: a widget's life, and messages of its own besides. Knows none of the host's nouns: they are type parameters.

import { joinStage } from "./connect.js";
import type { Host, Widget } from "./widget.js";

/** What the shell may ask for besides. `Out` is what it alone may say, `Command` the host's commands. */
export interface ShellHost<Out, Command> extends Host {
  /** Says something that only the shell may say. */
  post(message: Out): void;
  /** Has the host do something. Rejects with `CallRefused`. */
  command(command: Command): Promise<unknown>;
}

/** Joins the shell's frame to its stage. `hear` gets every message that no widget gets. */
export function connectShell<State, In, Out, Command>(
  shell: Widget<State>,
  hear: (message: In) => void,
  scope: Window = window,
): ShellHost<Out, Command> {
  type Say = Out | { kind: "command"; id: number; command: Command };
  const { host, calls, post } = joinStage<State, In, Say>(shell, scope, hear);
  return {
    ...host,
    post,
    command: (command) => calls.begin((id) => post({ kind: "command", id, command })),
  };
}
