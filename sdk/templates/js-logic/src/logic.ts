// The logic of the widget: it keeps the counter, and goes on while the page is hidden. It runs apart from the page, in a
// process without rights; what it may use beyond the language is what "@moult/widget/logic" has.

import { defineLogic, now } from "@moult/widget/logic";

import { add, dayOf, FIRST, MIGRATIONS, onDay, readCounter, SCHEMA } from "./counter";

let counter = FIRST;

export default defineLogic({
  schema: SCHEMA,
  migrate: MIGRATIONS,
  parse: readCounter,

  handle(event) {
    // The day of UTC: logic does not know where the user is.
    counter = onDay(counter, dayOf(new Date(now())));
    // Any other event is a page that wants to know.
    if (event.kind === "add") counter = add(counter, Number(event["amount"] ?? 1));
    return { count: counter.count };
  },

  snapshot: () => counter,
  restore(state) {
    counter = state;
  },
});
