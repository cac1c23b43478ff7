// Calls to the host and their replies, matched by number. Knows no port and no capability.

import type { CallProblem } from "./protocol.js";

/** The host refused a call, or could not do it. */
export class CallRefused extends Error {
  override readonly name = "CallRefused";
  /** What happened, what was kept, what to do. */
  readonly problem: CallProblem;

  constructor(problem: CallProblem) {
    super(problem.happened);
    this.problem = problem;
  }
}

/** A reply, as it comes from the stage. */
export type Reply = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: CallProblem };

/** Calls that wait for their reply. */
export interface Calls {
  /** Numbers the call, has it sent, and waits. */
  begin(send: (id: number) => void): Promise<unknown>;
  /** A reply to nothing is ignored. */
  settle(reply: Reply): void;
  /** Refuses all that still waits. */
  end(): void;
}

export function createCalls(): Calls {
  let next = 1;
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (reason: CallRefused) => void }>();
  return {
    begin(send) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send(id);
      });
    },
    settle(reply) {
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.ok) call?.resolve(reply.value);
      else call?.reject(new CallRefused(reply.error));
    },
    end() {
      for (const call of waiting.values()) call.reject(new CallRefused(ENDED));
      waiting.clear();
    },
  };
}

const ENDED: CallProblem = {
  code: "cancelled",
  happened: "The widget was closed before the answer came.",
  kept: "Nothing was changed by the widget.",
  advice: null,
  detail: "disposed",
};
