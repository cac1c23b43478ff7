// Everything that is posted to this window comes in the order in which it was posted.

/** Calls back once everything is here that was posted to this window before now. */
export function afterAllSaid(then: () => void): void {
  const token = crypto.randomUUID();
  const hear = (event: MessageEvent): void => {
    if (event.source !== window || event.data !== token) return;
    removeEventListener("message", hear);
    then();
  };
  addEventListener("message", hear);
  postMessage(token, "*");
}
