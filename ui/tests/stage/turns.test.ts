import { expect, it } from "vitest";

import { Turns } from "../../src/stage/turns";

it("does so many at a time, in order, also when one fails", async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const ends: ((well: boolean) => void)[] = [];
  const work = (name: number) => () => {
    begun.push(name);
    return new Promise<number>((resolve, reject) =>
      ends.push((well) => (well ? resolve(name) : reject(new Error("no")))),
    );
  };
  const all = Promise.allSettled([1, 2, 3, 4].map((name) => turns.take(work(name))));
  await Promise.resolve();
  expect(begun).toEqual([1, 2]);
  ends[1]?.(false);
  await new Promise((resolve) => setTimeout(resolve));
  expect(begun).toEqual([1, 2, 3]);
  for (const well of [ends[0], ends[2]]) well?.(true);
  await new Promise((resolve) => setTimeout(resolve));
  ends[3]?.(true);
  expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
});
