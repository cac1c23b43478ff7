// The whole shell on a fake host, in a simulated page: what it shows, and what it asks its host for.

import { beforeEach, describe, expect, it } from "vitest";

import { activity, FakeHost, ordinaryDay, problem, SCENES } from "../../src/host/fake";
import type { Overview } from "../../src/host/bindings";
import type { Session } from "../../src/state/session.svelte";
import { openShell } from "../../src/shell/open";

let host: FakeHost;
let session: Session;

async function open(scene: string, phase: "live" | "loading" | "failed" = "live", locale = "en"): Promise<void> {
  const now = Date.now();
  const overview = ordinaryDay(now);
  SCENES[scene]?.(overview, now);
  host = new FakeHost(overview);
  session = openShell(host.connect, document.body);
  await host.start({ theme: "light", reducedMotion: false, locale, version: "1.8.4", kept: null }, phase);
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function find(testid: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
}

function text(testid: string): string {
  return (find(testid)?.textContent ?? `no ${testid}`).replace(/\s+/g, " ").trim();
}

async function click(testid: string): Promise<void> {
  const element = find(testid);
  if (!element) throw new Error(`no ${testid}`);
  element.click();
  await settle();
}

beforeEach(() => {
  document.body.replaceChildren();
});

describe("a widget that is being written", () => {
  const written = { "clock-1": null } as Record<string, string | null>;
  async function show(tiles: Record<string, string | null> | null): Promise<void> {
    host.tell({ kind: "overview", overview: { ...ordinaryDay(Date.now()), developer: tiles && { tiles } } });
    await settle();
  }

  it("is marked as such, and no other is", async () => {
    await open("board");
    expect(find("developer-clock-1")).toBeNull();
    await show(written);
    expect(text("developer-clock-1")).toBe("Developer");
    expect(find("developer-notes-1")).toBeNull();
  });

  it("has what keeps its newest version from running laid over it, where no hole is cut", async () => {
    await open("board");
    await show({ "clock-1": "main.ts:3: expected ;" });
    expect(text("trouble-clock-1")).toContain("main.ts:3: expected ;");
    expect(find("trouble-clock-1")?.hasAttribute("data-cover")).toBe(true);
    await show(written);
    expect(find("trouble-clock-1")).toBeNull();
  });

  it("shows what it threw until that is put away, or a newer version comes", async () => {
    await open("board");
    await show(written);
    host.tell({ kind: "threw", instance: "clock-1", detail: "Error: high tide" });
    await settle();
    expect(text("trouble-clock-1")).toContain("high tide");
    await click("forgive-clock-1");
    expect(find("trouble-clock-1")).toBeNull();
    host.tell({ kind: "threw", instance: "clock-1", detail: "Error: low tide" });
    host.tell({ kind: "swap", instance: "clock-1", step: "switching", version: "1.0.0" });
    await settle();
    expect(find("trouble-clock-1")).toBeNull();
  });

  it("may run once the switch is on, and the switch says how it stands", async () => {
    await open("board");
    await click("settings");
    await click("section-developer");
    expect(find("developer")?.getAttribute("aria-checked")).toBe("false");
    await click("developer");
    expect(host.commands).toEqual([{ kind: "set_developer", on: true }]);
    await show({});
    expect(find("developer")?.getAttribute("aria-checked")).toBe("true");
  });
});

describe("the board", () => {
  it("shows a tile for each instance, with the name the widget gave or its own", async () => {
    await open("board");
    host.tell({ kind: "header", instance: "clock-1", title: "Lisbon", aside: "Tuesday" });
    await settle();
    expect(document.querySelectorAll("[data-testid^='tile-']")).toHaveLength(6);
    expect(text("title-clock-1")).toBe("Lisbon");
    expect(text("aside-clock-1")).toBe("Tuesday");
    expect(text("title-notes-1")).toBe("Notes");
  });

  it("marks a fresh version, and no longer once its menu was looked at", async () => {
    await open("board");
    expect(text("mark-feed-1")).toBe("Updated to 3.2.0");
    await click("mark-feed-1");
    expect(find("go-back-3.1.4")).not.toBeNull();
    await click("go-back-3.1.4");
    expect(host.commands).toEqual([{ kind: "go_back", subject: "w/marginalia/feed", version: "3.1.4" }]);
    expect(find("mark-feed-1")).toBeNull();
    expect(session.kept().seen).toEqual({ "w/marginalia/feed": "3.2.0" });
  });

  it("fills the seam by what is fetched", async () => {
    await open("updating");
    expect(find("seam-system-1")?.getAttribute("aria-valuenow")).toBe("64");
    expect(text("aside-system-1")).toBe("2.9.1, fetching");
    expect(find("seam-clock-1")).toBeNull();
  });

  it("says how far a version is that is tried beside the live one", async () => {
    await open("board");
    const subject = session.tiles.find(({ tile }) => tile.instance === "notes-1")!.subject;
    const standing = { subject, version: "1.5.0", answers: 3, seconds: 190_000 };
    host.change({
      activities: [activity(subject, "1.4.0", "1.5.0", { phase: "waiting" })],
      shadow_runs: [standing],
    });
    await settle();
    expect(text("aside-notes-1")).toBe("1.5.0 is tried beside it: 3 answers and 3 days to go");
    host.change({ shadow_runs: [{ ...standing, answers: 0, seconds: 61 }] });
    await settle();
    expect(text("aside-notes-1")).toBe("1.5.0 is tried beside it: 2 minutes to go");
  });

  it("says that logic starts again, and lets the user start what stays off", async () => {
    await open("board");
    const happened = problem("crashed", "The widget's logic failed.");
    host.change({ logic: [{ instance: "notes-1", off: false, problem: happened }] });
    await settle();
    expect(text("aside-notes-1")).toBe("Starting again");
    expect(find("tile-notes-1")?.dataset["logic"]).toBe("restarting");
    await click("menu-notes-1");
    expect(find("tile-start-logic")).toBeNull();
    await click("menu-notes-1");
    host.change({ logic: [{ instance: "notes-1", off: true, problem: happened }] });
    await settle();
    expect(text("aside-notes-1")).toBe("Stopped");
    await click("menu-notes-1");
    await click("tile-start-logic");
    expect(host.commands).toEqual([{ kind: "start_logic", instance: "notes-1" }]);
    expect(text("aside-notes-1")).not.toBe("Stopped");
  });

  it("says in a strip what went back, and takes it away when told", async () => {
    await open("rollback");
    expect(text("strip-pomodoro-1")).toContain("Back on 2.1.3. 2.2.0 stopped answering. Your timer was kept.");
    await click("strip-close-pomodoro-1");
    expect(find("strip-pomodoro-1")).toBeNull();
    expect(session.kept().dismissed).toEqual(["h0"]);
  });

  it("opens the history at what happened", async () => {
    await open("rollback");
    await click("strip-why-pomodoro-1");
    expect(find("updates-view")).not.toBeNull();
    expect(find("history-open-h0")?.getAttribute("aria-expanded")).toBe("true");
    expect(find("history-details")).not.toBeNull();
  });

  it("asks for consent in the tile, and sends the answer for each permission", async () => {
    await open("consent");
    expect(text("consent-system-1")).toContain("System asks to read processor, memory, disk and network figures:");
    expect(text("status")).toBe("1 needs you");
    await click("consent-allow-system-1");
    expect(host.commands).toEqual([
      { kind: "grant", widget: "moult/system", capability: "system.figures", allowed: true },
    ]);
    expect(find("consent-system-1")).toBeNull();
  });

  it("asks again when the answer could not be saved", async () => {
    await open("consent");
    host.refuses = problem("disk_failed", "The disk refused a write.", "Nothing was changed.");
    await click("consent-refuse-system-1");
    expect(find("consent-system-1")).not.toBeNull();
    expect(text("toast")).toContain("The disk refused a write. Nothing was changed.");
  });

  it("says of a widget that could not be shown that what it held is kept", async () => {
    await open("board", "failed");
    expect(text("body-notes-1")).toBe("Notes could not be shown. What it held is kept.");
  });

  it.each(["en", "zh"])(
    "names who held up the board, says what was kept, and brings it back when asked",
    async (locale) => {
      await open("held", "failed", locale);
      const words = text("held-notes-1");
      expect(words).toContain("1.2.0");
      expect(words).toContain(locale === "zh" ? "内容已保留" : "What it held is kept");
      expect(find("held-notes-1")?.dataset["cause"]).toBe("hung");
      await click("try-again-notes-1");
      expect(host.commands).toEqual([{ kind: "try_again", instance: "notes-1" }]);
      expect(find("held-notes-1")).toBeNull();
      expect(find("held-clock-1")).not.toBeNull();
    },
  );

  it("takes a tile off and puts it back on a second thought", async () => {
    await open("board");
    await click("menu-clock-1");
    await click("tile-remove");
    expect(find("tile-clock-1")).toBeNull();
    await click("toast-action");
    expect(find("tile-clock-1")).not.toBeNull();
  });

  it("puts another tile in the first free place", async () => {
    await open("empty");
    await click("board-empty-add");
    await click("add-w/moult/clock");
    expect(host.commands).toEqual([
      {
        kind: "add_tile",
        tile: { instance: "clock-1", widget: "moult/clock", cell: { x: 0, y: 0, w: 4, h: 2 } },
      },
    ]);
  });
});

describe("a version that could not be tried", () => {
  it("is told with what was kept and what to do, until it is put away", async () => {
    await open("not-tried");
    const said = "1.9.0 was not started. The disk is full, so its start could not be counted. 1.8.4 goes on";
    expect(text("not-tried")).toContain(said);
    expect(text("not-tried")).toContain("Make room, and start Moult again.");
    expect(text("say-polite")).toContain(said);
    await click("not-tried-close");
    expect(find("not-tried")).toBeNull();
    expect(session.kept().dismissed).toHaveLength(1);
  });

  it("is not looked for in the picture of an application that is older than the shell", async () => {
    await open("board");
    const { not_tried: _, ...older } = host.overview;
    host.tell({ kind: "overview", overview: older as Overview });
    await settle();
    expect(find("not-tried")).toBeNull();
  });
});

describe("the settings of a tile", () => {
  const sent = () => host.commands.map((command) => (command.kind === "set_tile_settings" ? command.settings : null));

  async function openForm(locale = "en"): Promise<void> {
    await open("settings", "live", locale);
    await click("menu-clock-1");
    await click("tile-settings");
  }

  function type(testid: string, value: string): HTMLInputElement {
    const line = find(testid) as HTMLInputElement;
    line.focus();
    line.value = value;
    line.dispatchEvent(new Event("input", { bubbles: true }));
    return line;
  }

  const press = (line: HTMLElement, key: string) =>
    line.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  it("are offered where a widget declares some, in the user's language", async () => {
    await openForm("zh");
    expect(text("field-rest")).toContain("休息");
    expect(text("field-name")).toContain("显示在时间上方。");
    await click("menu-notes-1");
    expect(find("tile-settings")).toBeNull();
  });

  it("are sent at once, without what is the default and with what another version keeps", async () => {
    await openForm();
    await click("set-seconds");
    expect(sent()).toEqual([{ rest: 15, of_a_newer: 1 }]);
  });

  it("tell the frame all of them, also those at their default", async () => {
    await openForm();
    let told: unknown;
    host.settled = (_, settings) => (told = settings);
    await click("reset-rest");
    expect(told).toEqual({ seconds: true, name: "", rest: 5, face: "figures", hue: "#0a6850", zone: "" });
    expect(find("reset-rest")).toBeNull();
    expect(document.activeElement).toBe(find("set-rest"));
  });

  it("say what would fit, and send nothing that does not", async () => {
    await openForm();
    press(type("set-rest", "61"), "Enter");
    await settle();
    expect(text("fault-rest")).toBe("From 1 to 60 min. The value before goes on.");
    expect(find("set-rest")?.getAttribute("aria-invalid")).toBe("true");
    expect(sent()).toEqual([]);
    press(type("set-rest", "20"), "Enter");
    await settle();
    expect(text("fault-rest")).toBe("");
    expect(sent()).toEqual([{ seconds: true, rest: 20, of_a_newer: 1 }]);
  });

  it("keep what was typed last when Escape closes the panel, and give the keyboard back", async () => {
    await openForm();
    press(type("set-name", "Lisbon"), "Escape");
    await settle();
    expect(find("tile-form")).toBeNull();
    expect(sent()).toEqual([{ seconds: true, rest: 15, of_a_newer: 1, name: "Lisbon" }]);
    expect(document.activeElement).toBe(find("menu-clock-1"));
  });

  it("find a zone by a part of its name", async () => {
    await openForm();
    const line = type("set-zone", "new york");
    await settle();
    expect(text("set-zone-list")).toContain("New York");
    press(line, "Enter");
    await settle();
    expect(sent()).toEqual([{ seconds: true, rest: 15, of_a_newer: 1, zone: "America/New_York" }]);
  });
});

describe("the updates", () => {
  it("opens from the status, and closes with Escape", async () => {
    await open("updating");
    await click("status");
    expect(find("way-w/moult/system")).not.toBeNull();
    expect(text("way-bytes-w/moult/system")).toBe("264 of 412 kB");
    dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    await settle();
    expect(find("updates-view")).toBeNull();
  });

  it("closes when a widget forwards Escape", async () => {
    await open("updating");
    await click("status");
    host.tell({ kind: "chord", key: "Escape" });
    await settle();
    expect(find("updates-view")).toBeNull();
  });

  it("says in words why the last check failed, and checks again", async () => {
    await open("offline");
    expect(text("status")).toBe("No network");
    await click("status");
    expect(text("check-problem")).toContain("No network. What is here goes on.");
    await click("check-now");
    expect(host.commands).toEqual([{ kind: "check_now" }]);
    expect(find("check-problem")).toBeNull();
  });

  it("tells why a part stands where it stands", async () => {
    await open("board");
    await click("status");
    await click("why-w/hearth-works/pomodoro");
    expect(text("why-panel")).toContain("2.2.0 failed here and is not tried again.");
    expect(text("why-panel")).toContain("2.1.3 is signed, current and runs here. You follow Stable.");
  });

  it("tells of each version that is not here what keeps it away", async () => {
    await open("waves");
    await click("status");
    await click("why-w/hearth-works/pomodoro");
    const said = text("why-panel");
    for (const line of [
      "2.3.0 goes to 10 % of all computers so far, to 50 % from",
      "2.2.1 was stopped: It loses a pause. Nobody new gets it.",
      "2.2.0 failed here and is not tried again.",
      "2.1.3 is signed, current and runs here.",
      "2.1.2 has known holes. The way back ends at 2.1.3.",
    ])
      expect(said).toContain(line);
    expect(said.indexOf("2.3.0")).toBeLessThan(said.indexOf("2.2.1"));
  });

  it("restarts, or leaves it for when the user quits", async () => {
    await open("ready");
    await click("status");
    await click("ready-restart");
    await click("ready-on-quit");
    expect(host.commands).toMatchObject([
      { kind: "restart_now" },
      { kind: "set_settings", settings: { mode: "on_quit" } },
    ]);
    expect(text("ready-app")).toContain("It is installed when you quit.");
  });

  it("announces what went back at once and what is new politely", async () => {
    await open("board");
    const after: Overview = ordinaryDay(Date.now());
    SCENES["rollback"]?.(after, Date.now());
    host.change({ history: after.history });
    await settle();
    expect(text("say-assertive")).toContain("Pomodoro is back on 2.1.3.");
    expect(text("say-polite")).toBe("");
  });
});

describe("the settings", () => {
  it("keeps one part on a version, and lets it go again", async () => {
    await open("waves");
    await click("settings");
    await click("section-channels");
    const select = find("version-w/hearth-works/pomodoro") as HTMLSelectElement;
    const labels = [...select.options].map((option) => option.textContent);
    expect(labels).toEqual(["2.1.3", "Only 2.3.0", "Only 2.2.1", "Only 2.2.0", "Only 2.1.3", "Only 2.1.2"]);
    select.selectedIndex = 5;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(host.overview.settings.pins).toEqual({ "w/hearth-works/pomodoro": "2.1.2" });
    select.selectedIndex = 0;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(host.overview.settings.pins).toEqual({});
  });

  it("gives one part a channel of its own, and takes it back", async () => {
    await open("board");
    await click("settings");
    await click("section-channels");
    const select = find("channel-w/moult/clock") as HTMLSelectElement;
    select.selectedIndex = 3;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(host.overview.settings.channels["w/moult/clock"]).toBe("nightly");
    select.selectedIndex = 0;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(host.overview.settings.channels).not.toHaveProperty("w/moult/clock");
  });

  it("shows a change at once and takes it back when it is refused", async () => {
    await open("board");
    await click("settings");
    host.refuses = problem("disk_full", "The disk is full.", "The settings are as they were.");
    await click("mode-prompt");
    expect(session.overview?.settings.mode).toBe("silent");
    expect(text("toast")).toContain("The disk is full.");
  });

  it("says where the report is", async () => {
    await open("board");
    await click("settings");
    await click("section-computer");
    expect(text("belief-timestamp")).toContain("21,907");
    await click("save-report");
    expect(text("toast")).toContain("/home/you/moult-report.zip");
  });

  it("takes a right away", async () => {
    await open("board");
    await click("settings");
    await click("section-rights");
    await click("right-w/moult/system-system.figures");
    expect(host.commands).toEqual([
      { kind: "grant", widget: "moult/system", capability: "system.figures", allowed: false },
    ]);
  });

  it("lists what a widget used, and puts the list away", async () => {
    await open("board");
    await click("settings");
    await click("section-rights");
    await click("uses-w/moult/system");
    expect(host.commands).toEqual([{ kind: "list_uses", widget: "moult/system" }]);
    const list = text("uses-list-w/moult/system");
    expect(list).toMatch(/open\.url page, once, Today \d+:\d+ · Not allowed/i);
    expect(list).toMatch(/network\.fetch page, 12 times, Today \d+:\d+ · Allowed/i);
    expect(list).toMatch(/bus\.ask page, 2 times, Today \d+:\d+ · Allowed, and failed/i);
    await click("uses-w/moult/system");
    expect(find("uses-list-w/moult/system")).toBeNull();
  });
});

describe("what went wrong with Moult itself", () => {
  it("has a message, since it has no tile", async () => {
    await open("app-rollback");
    expect(text("notice-app")).toContain("Back on 1.8.4. 1.9.0 stopped with an error. The desk is as it was.");
    await click("notice-close-app");
    expect(find("notice-app")).toBeNull();
  });
});

it("marks the application's own fresh version in the bar", async () => {
  await open("board");
  const installed = host.overview.installed.map((part) =>
    part.subject === "app" ? { ...part, version: "1.9.0", updated_at: new Date().toISOString() } : part,
  );
  host.change({ installed });
  await settle();
  expect(text("bar-mark")).toBe("Updated to 1.9.0");
  await click("bar-mark");
  expect(find("bar-mark")).toBeNull();
});

it("speaks Chinese where that is asked for", async () => {
  await open("rollback", "live", "zh-CN");
  expect(text("status")).toBe("全部为最新");
  expect(text("strip-pomodoro-1")).toContain("已回到 2.1.3。");
});

it("takes its view along to the next version of itself", async () => {
  await open("board");
  await click("settings");
  await click("section-channels");
  const kept = session.kept();
  document.body.replaceChildren();
  await open("board");
  session.restore(kept);
  await settle();
  expect(find("channels")).not.toBeNull();
});

it("shows an update of a part that has no tile", async () => {
  await open("board");
  host.change({ activities: [activity("shell", "1.8.4", "1.9.0", { phase: "verifying" })] });
  await settle();
  expect(text("status")).toBe("1 on its way");
});
