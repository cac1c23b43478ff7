// Reads what a frame posted. A frame is code of a stranger: what has not the shape of a message is no message.
// It knows shapes and sizes, not what a message leads to.

import {
  MAX_STATE_BYTES,
  MAX_VALUE_BYTES,
  type Body,
  type Box,
  type SavedState,
  type ShellFrameMessage,
} from "../protocol";

/** The longest text of a header that is shown, in UTF-16 units. */
const HEADER_LENGTH = 120;

/** The longest text of an error that is kept, in UTF-16 units. */
const ERROR_LENGTH = 4000;

/** The longest text of a reason that reaches who asked, in UTF-16 units. */
const REASON_LENGTH = 1000;

/** The most rectangles of one kind that a layout may name. */
const BOXES = 400;

type Fields = Record<string, unknown>;

/** The message, or null if it is none. `shell` frames may send more than widgets. */
export function readFrameMessage(data: unknown, shell: boolean): ShellFrameMessage | null {
  if (!isFields(data)) return null;
  switch (data["kind"]) {
    case "hello":
      return { kind: "hello", sdk: text(data["sdk"], 40) };
    case "ready":
      return { kind: "ready", token: text(data["token"], 200) };
    case "refused":
      return { kind: "refused", reason: text(data["reason"], ERROR_LENGTH) };
    case "input":
      return { kind: "input", composing: data["composing"] === true };
    case "state": {
      const state = readState(data["state"]);
      return state && { kind: "state", state, ...heardOf(data) };
    }
    case "call":
      if (!isId(data["id"]) || typeof data["capability"] !== "string") return null;
      return { kind: "call", id: data["id"], capability: text(data["capability"], 200), request: data["request"] };
    case "error":
      return { kind: "error", message: text(data["message"], ERROR_LENGTH), stack: text(data["stack"], ERROR_LENGTH) };
    case "header":
      return { kind: "header", title: text(data["title"], HEADER_LENGTH), aside: text(data["aside"], HEADER_LENGTH) };
    case "chord": {
      const key = data["key"];
      return key === "Ctrl+K" || key === "E" || key === "Escape" || key === "Ctrl+Z" ? { kind: "chord", key } : null;
    }
    case "snapshot":
      if (!isId(data["id"])) return null;
      return { kind: "snapshot", id: data["id"], state: readState(data["state"]), ...heardOf(data) };
    case "frozen":
      if (!isId(data["id"])) return null;
      // Focus and scroll are handed from one version of a widget to the next and mean nothing to the stage.
      return {
        ...(data as Fields & { kind: "frozen"; id: number }),
        state: readState(data["state"]),
        heard: heardOf(data).heard,
      } as ShellFrameMessage;
    case "key":
      return isFields(data["event"]) && typeof data["event"]["key"] === "string" ? (data as ShellFrameMessage) : null;
    case "restored":
      return isId(data["id"]) ? { kind: "restored", id: data["id"] } : null;
    case "answer":
      return readAnswer(data);
    case "disposed":
      return { kind: "disposed" };
    case "layout": {
      if (!shell) return null;
      return { kind: "layout", bodies: readBoxes(data["bodies"]).filter(isBody), covers: readBoxes(data["covers"]) };
    }
    case "command":
      if (!shell || !isId(data["id"]) || !isFields(data["command"])) return null;
      return data as ShellFrameMessage;
    default:
      return null;
  }
}

/** The bytes of a state as JSON in UTF-8; infinite for what is no JSON. */
export function stateBytes(state: SavedState | null): number {
  return state ? bytesOf(state.data) : 0;
}

function bytesOf(data: unknown): number {
  try {
    return new TextEncoder().encode(JSON.stringify(data) ?? "null").length;
  } catch {
    return Infinity;
  }
}

/** What it says to a request of another widget. A value over the limit is no answer: who asked is told after its time. */
function readAnswer({ id, ok, value, reason }: Fields): ShellFrameMessage | null {
  if (!isId(id)) return null;
  if (ok === true) return bytesOf(value) <= MAX_VALUE_BYTES ? { kind: "answer", id, ok, value: value ?? null } : null;
  return ok === false ? { kind: "answer", id, ok, reason: text(reason, REASON_LENGTH) } : null;
}

function readState(value: unknown): SavedState | null {
  if (!isFields(value) || !Number.isSafeInteger(value["schema"]) || !("data" in value)) return null;
  const state = { schema: value["schema"] as number, data: value["data"] };
  return stateBytes(state) <= MAX_STATE_BYTES ? state : null;
}

function heardOf({ heard }: Fields): { heard?: number } {
  return isId(heard) && heard >= 0 ? { heard } : {};
}

function readBoxes(value: unknown): Box[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, BOXES).filter((box): box is Box => {
    if (!isFields(box)) return false;
    return [box["x"], box["y"], box["width"], box["height"]].every((side) => Number.isFinite(side));
  });
}

function isBody(box: Box): box is Body {
  return typeof (box as Partial<Body>).instance === "string";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function text(value: unknown, length: number): string {
  return typeof value === "string" ? value.slice(0, length) : "";
}
