// State on its way between versions: which schemas are readable, the chain of migrations, the size limit.
// Pure: knows no port, no DOM and no widget.

import { MAX_STATE_BYTES } from "./protocol.js";
import type { SavedState } from "./protocol.js";

/** A step for each older schema that can be read: the key is the schema it reads, the result is one schema newer. */
export type Migrations = Readonly<Record<number, (data: unknown) => unknown>>;

/** The state can't be taken over. The version that wrote it goes on. */
export class StateRefused extends Error {
  override readonly name = "StateRefused";
}

/** The state has more than 1 MiB as JSON. It was not sent. */
export class StateTooLarge extends Error {
  override readonly name = "StateTooLarge";
  /** Its size as JSON, in bytes. */
  readonly bytes: number;

  constructor(bytes: number) {
    super(`The state has ${bytes} bytes as JSON; ${MAX_STATE_BYTES} are allowed. The state sent before is kept.`);
    this.bytes = bytes;
  }
}

/** The oldest schema from which an unbroken chain of migrations leads to `schema`. */
export function oldestReadable(schema: number, migrations: Migrations): number {
  let oldest = schema;
  while (migrations[oldest - 1]) oldest -= 1;
  return oldest;
}

/** The data in the present schema. Throws {@link StateRefused} if the schema is unknown or a step throws. */
export function migrate(saved: SavedState, schema: number, migrations: Migrations): unknown {
  const oldest = oldestReadable(schema, migrations);
  if (!Number.isInteger(saved.schema) || saved.schema < oldest || saved.schema > schema) {
    const readable = oldest === schema ? `${schema}` : `${oldest} to ${schema}`;
    throw new StateRefused(`The state has schema ${saved.schema}; this version reads ${readable}.`);
  }
  let data = saved.data;
  for (let from = saved.schema; from < schema; from += 1) {
    try {
      data = migrations[from]?.(data);
    } catch (cause) {
      throw new StateRefused(
        `The state could not be migrated from schema ${from} to ${from + 1}: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
  }
  return data;
}

/** The data as it will be kept. What JSON can't hold is dropped here, so that nothing is lost later. Throws {@link StateTooLarge}. */
export function packState(schema: number, data: unknown): SavedState {
  const json = JSON.stringify(data) ?? "null";
  const bytes = new TextEncoder().encode(json).length;
  if (bytes > MAX_STATE_BYTES) throw new StateTooLarge(bytes);
  return { schema, data: JSON.parse(json) as unknown };
}

/** What a thrown value says. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
