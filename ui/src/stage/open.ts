// Opens the stage on a native side: sets up the page, listens, beats.

import { failureMessage } from "./failure";
import type { StageEvent } from "../host/bindings";
import { beat } from "./heartbeat";
import { type Native, problemOf } from "./native";
import { type Ground, Stage } from "./stage";
import { exposeForTests } from "./test_window";
import { themeFor, watchPreferences } from "./theme";
import "./stage.css";

/** Opens the stage on this native side. */
export async function openStage(native: Native): Promise<void> {
  const early: StageEvent[] = [];
  let stage: Stage | null = null;
  const preferences = watchPreferences((system) => stage?.prefer(system));
  const ground = pageGround(native);
  ground.paint(themeFor("system", preferences));
  try {
    const start = await native.open((event) => (stage ? stage.event(event) : void early.push(event)));
    stage = new Stage(native, ground, start, preferences);
    exposeForTests(stage);
    for (const event of early) stage.event(event);
  } catch (thrown) {
    return ground.fail(problemOf(thrown).detail);
  }
  addEventListener("resize", () => stage.resized());
  addEventListener("keydown", (event) => stage.key(event));
  addEventListener("message", (event) => stage.heard(event));
  stage.watchKeyboard();
  beat(stage, native);
}

function pageGround(native: Native): Ground {
  const [widgets, shell, message] = ["widgets", "shell", "failure"].map((id) => document.getElementById(id));
  if (!widgets || !shell || !message) throw new Error("the stage's page lacks its layers");
  return {
    widgets,
    shell,
    paint: (theme) => (document.documentElement.dataset["theme"] = theme),
    fail: (detail) => failureMessage(message, detail, () => void native.shellCommand({ kind: "restart_now" })),
  };
}
