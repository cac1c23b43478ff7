import { describe, expect, it } from "vitest";

import { entry, problem } from "../../src/host/fake";
import { en } from "../../src/texts/en";
import { zh } from "../../src/texts/zh";

const back = entry("1", "w/a/b", "1.0.0", "1.1.0", {
  outcome: "rolled_back",
  problems: [problem("hung", "It stopped answering.", "Your note was kept.")],
});

it("says in a strip which version, why, and what was kept", () => {
  expect(`${en.strip.head(back)} ${en.strip.rest(back)}`).toBe(
    "Back on 1.0.0. 1.1.0 stopped answering. Your note was kept.",
  );
  expect(zh.strip.head(back) + zh.strip.rest(back)).toBe("已回到 1.0.0。1.1.0 没有响应。内容都在。");
});

it("says what was kept even if nobody told", () => {
  const silent = { ...back, problems: [] };
  expect(en.kept(silent)).toBe("What you had was kept.");
  expect(en.kept({ ...silent, outcome: "failed" })).toBe("1.0.0 goes on.");
  expect(en.kept({ ...silent, outcome: "failed", from: null })).toBe("Nothing was changed.");
});

it("tells that a patch failed and the full file came instead", () => {
  const plan = [
    { kind: "patch", from: "1.0.0", to: "1.1.0", bytes: 10_000 },
    { kind: "full", to: "1.1.0", bytes: 310_000 },
  ] as const;
  const updated = entry("2", "w/a/b", "1.0.0", "1.1.0", { plan: [...plan], wire_bytes: 320_000, full_bytes: 310_000 });
  expect(en.update.way(updated)).toBe("patch failed, full file, 320 kB");
});

it("says of a version that was not started what was in the way, what was kept and what to do", () => {
  const notTried = { version: "1.1.0", because: "disk_full", detail: "", at: 7 } as const;
  expect(`${en.notTried.head(notTried)} ${en.notTried.rest(notTried, "1.0.0")}`).toBe(
    "1.1.0 was not started. The disk is full, so its start could not be counted. " +
      "1.0.0 goes on, and 1.1.0 stays installed. Make room, and start Moult again.",
  );
  expect(zh.notTried.head(notTried) + zh.notTried.rest(notTried, "1.0.0")).toBe(
    "1.1.0 没有启动。磁盘已满，无法记录这次启动。1.0.0 照常运行，1.1.0 仍已安装。腾出空间，再启动 Moult。",
  );
});

describe("both languages", () => {
  /** Every leaf with its path; functions count as leaves. */
  function leaves(texts: object, path = ""): [string, unknown][] {
    return Object.entries(texts).flatMap(([key, value]) =>
      typeof value === "object" && value !== null ? leaves(value as object, `${path}${key}.`) : [[path + key, value]],
    );
  }
  const free = /^set\.beliefs\.|^language$/;
  const pairs = leaves(en).filter(([path]) => !free.test(path));
  const chinese = new Map(leaves(zh));

  it("say the same things", () => {
    expect(pairs.map(([path]) => path).filter((path) => !chinese.has(path))).toEqual([]);
  });

  it("never beg, cheer or shout", () => {
    const said = pairs.map(([, text]) => (typeof text === "string" ? text : String(text)));
    expect(said.filter((text) => /oops|please|successful|!["`']/i.test(text))).toEqual([]);
  });

  it("leave nothing untranslated", () => {
    const same = pairs.filter(([path, text]) => typeof text === "string" && chinese.get(path) === text);
    expect(same.map(([path]) => path)).toEqual(["app"]);
  });
});

describe("verdicts", () => {
  it("say why a version is not here, in both languages", () => {
    const waits = { kind: "held", by: "order", reason: "It loses notes." } as const;
    expect(en.verdict(waits)).toBe("was stopped: It loses notes. Nobody new gets it.");
    expect(zh.verdict(waits)).toBe("已暂停发布：It loses notes。");
    const fits = {
      kind: "does_not_fit",
      with: { subject: "shell", version: "1.4.0" },
      needs: { from: "2.0.0" },
    } as const;
    expect(en.verdict(fits)).toBe("needs the shell 2.0.0 or higher; here that is 1.4.0.");
    expect(zh.verdict(fits)).toBe("需要 界面 2.0.0 或更高，这里是 1.4.0。");
  });

  it("tell who is in a wave, and when the next one comes", () => {
    const wave = { kind: "outside_wave", place: 3412, share: 1050, next: null } as const;
    expect(en.verdict(wave)).toBe("goes to 10.5 % of all computers so far, and this one is not among them.");
    const next = { ...wave, next: { from: "2026-12-02T10:00:00Z", share: 5000 } };
    expect(en.verdict(next)).toMatch(/to 50 % from .*2 Dec.* on\. This one has its turn later\.$/);
  });
});
