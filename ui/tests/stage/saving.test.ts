import { describe, expect, it } from "vitest";

import type { SavedState } from "../../src/host/bindings";
import { StateSaving } from "../../src/stage/saving";

const state = (data: string): SavedState => ({ schema: 1, data });

/** A disk whose writes end when the test says so. */
function disk() {
  const written: string[] = [];
  const open: { instance: string; end: (failed?: boolean) => void }[] = [];
  const failed: string[] = [];
  const saving = new StateSaving(
    (instance, { data }) =>
      new Promise((resolve, reject) => {
        written.push(`${instance}: ${String(data)}`);
        open.push({ instance, end: (fails) => (fails ? reject(new Error("disk")) : resolve()) });
      }),
    (instance) => failed.push(instance),
    () => Promise.resolve(),
  );
  return { saving, written, open, failed };
}

/** Lets everything that is ready to run do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("saving states", () => {
  it("has one write in flight per instance, and the newest state wins", async () => {
    const { saving, written, open } = disk();
    for (const text of ["a", "b", "c"]) saving.put("notes-1", state(text));
    await settle();
    expect(written).toEqual(["notes-1: a"]);
    open[0]?.end();
    await settle();
    expect(written).toEqual(["notes-1: a", "notes-1: c"]);
  });

  it("does not make one instance wait for another", async () => {
    const { saving, written } = disk();
    saving.put("notes-1", state("a"));
    saving.put("clock-1", state("b"));
    await settle();
    expect(written).toEqual(["notes-1: a", "clock-1: b"]);
  });

  it("tries a failed write once more, and tells of each failure", async () => {
    const { saving, written, open, failed } = disk();
    saving.put("notes-1", state("a"));
    open[0]?.end(true);
    await settle();
    open[1]?.end(true);
    await settle();
    expect(written).toEqual(["notes-1: a", "notes-1: a"]);
    expect(failed).toEqual(["notes-1", "notes-1"]);
  });

  it("writes a newer state in place of one that failed", async () => {
    const { saving, written, open } = disk();
    saving.put("notes-1", state("a"));
    saving.put("notes-1", state("b"));
    open[0]?.end(true);
    await settle();
    expect(written).toEqual(["notes-1: a", "notes-1: b"]);
  });

  it("is flushed when the last write has ended", async () => {
    const { saving, open } = disk();
    saving.put("notes-1", state("a"));
    saving.put("notes-1", state("b"));
    let flushed = false;
    void saving.flushed().then(() => (flushed = true));
    open[0]?.end();
    await settle();
    expect(flushed).toBe(false);
    open[1]?.end();
    await settle();
    expect(flushed).toBe(true);
  });

  it("writes nothing more for an instance that is gone", async () => {
    const { saving, written, open } = disk();
    saving.put("notes-1", state("a"));
    saving.put("notes-1", state("b"));
    saving.drop("notes-1");
    open[0]?.end();
    await settle();
    expect(written).toEqual(["notes-1: a"]);
  });
});
