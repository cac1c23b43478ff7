// The session, for every part of the screen without handing it down.

import { getContext, setContext } from "svelte";

import type { Session } from "../state/session.svelte";

const KEY = Symbol("session");

export function provideSession(session: Session): Session {
  return setContext(KEY, session);
}

export function session(): Session {
  return getContext<Session>(KEY);
}
