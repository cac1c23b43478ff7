import { expect, test } from "vitest";

import { connectShell } from "../src/shell.js";
import { START, Stage } from "./stage.js";

test("the shell hears and says more than a widget, and commands share the replies of calls", async () => {
  const heard: unknown[] = [];
  const shell = { schema: 1, start: () => undefined, snapshot: () => null };
  const host = connectShell<null, unknown, { kind: "layout" }, string>(shell, (message) => heard.push(message));
  const stage = new Stage();
  stage.say(START);
  await stage.next("ready");
  stage.say({ kind: "overview", overview: 1 } as never);
  host.post({ kind: "layout" });
  const done = host.command("check_now");
  const command = (await stage.next("command" as never)) as { id: number };
  expect(command).toEqual({ kind: "command", id: 1, command: "check_now" });
  stage.say({ kind: "reply", id: command.id, ok: true, value: "checked" });
  expect(await done).toBe("checked");
  expect(heard).toEqual([{ kind: "overview", overview: 1 }]);
  expect(stage.heard).toContainEqual({ kind: "layout" });
  stage.close();
});
