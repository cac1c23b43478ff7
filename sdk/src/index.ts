// What widget authors import. The README says how to begin.

export { CallRefused } from "./calls.js";
export { connect } from "./connect.js";
export { MAX_STATE_BYTES, MAX_VALUE_BYTES, PROTOCOL, SDK_VERSION } from "./protocol.js";
export type { CallProblem, Focus, FrameTheme, KeyStroke, Outcome, SavedState, Scroll, Settings } from "./protocol.js";
export { StateRefused, StateTooLarge } from "./state.js";
export type { Migrations } from "./state.js";
export type { Host, News, Start, Widget } from "./widget.js";
