import { describe, expect, it } from "vitest";

import { bytes, clock, duration, languageOf, moment, ratio, size, roughly, span } from "../../src/texts/format";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [1049, "1 kB"],
  [1050, "1.1 kB"],
  [96_000, "96 kB"],
  [99_450, "99.5 kB"],
  [99_960, "100 kB"],
  [999_499, "999 kB"],
  [999_500, "1 MB"],
  [18_400_000, "18.4 MB"],
  [74_000_000, "74 MB"],
  [1_250_000_000, "1.3 GB"],
  [-5, "0 B"],
])("%s bytes are %s", (count, expected) => {
  expect(size(count)).toBe(expected);
});

it("writes a part in the unit of its whole", () => {
  expect(ratio(264_000, 412_000)).toEqual({ part: "264", whole: "412", unit: "kB" });
  expect(ratio(64_000, 18_800_000)).toEqual({ part: "0.1", whole: "18.8", unit: "MB" });
  expect(ratio(0, 0)).toEqual({ part: "0", whole: "0", unit: "B" });
  expect(bytes(1500)).toEqual({ figure: "1.5", unit: "kB" });
});

describe("times", () => {
  const now = Date.parse("2026-11-17T10:24:00Z");

  it.each([
    ["2026-11-17T10:23:00Z", "Today 10:23", "今天 10:23"],
    ["2026-11-17T00:00:00Z", "Today 00:00", "今天 00:00"],
    ["2026-11-16T23:59:00Z", "Yesterday 23:59", "昨天 23:59"],
    ["2026-11-15T12:00:00Z", "15 Nov", "11月15日"],
  ])("%s", (at, en, zh) => {
    expect(moment(at, now, "en", "UTC")).toBe(en);
    expect(moment(at, now, "zh", "UTC")).toBe(zh);
  });

  it("counts days where the user is", () => {
    expect(moment("2026-11-16T23:30:00Z", now, "en", "Asia/Shanghai")).toBe("Today 07:30");
    expect(clock("2026-11-17T10:20:00Z", "Asia/Shanghai")).toBe("18:20");
  });

  it.each([
    [11, "11 ms", "11 毫秒"],
    [99, "99 ms", "99 毫秒"],
    [900, "0.9 s", "0.9 秒"],
    [2000, "2 s", "2 秒"],
    [40_000, "40 s", "40 秒"],
    [180_000, "3 min", "3 分钟"],
  ])("%s ms are %s", (ms, en, zh) => {
    expect(duration(ms, "en")).toBe(en);
    expect(duration(ms, "zh")).toBe(zh);
  });

  it.each([
    [2, "2 seconds"],
    [60, "1 minute"],
    [90, "90 seconds"],
    [300, "5 minutes"],
    [3600, "1 hour"],
    [86_400, "24 hours"],
    [604_800, "7 days"],
  ])("%s seconds are %s", (seconds, expected) => {
    expect(span(seconds, "en")).toBe(expected);
  });

  it.each([
    [1, 1],
    [59, 59],
    [61, 120],
    [7199, 7200],
    [7201, 10_800],
    [200_000, 259_200],
  ])("of %s seconds roughly %s are to go", (seconds, expected) => {
    expect(roughly(seconds)).toBe(expected);
  });
});

it.each([
  ["zh-CN", "zh"],
  ["zh", "zh"],
  ["zha", "en"],
  ["en-GB", "en"],
  ["de", "en"],
])("speaks to %s in %s", (locale, expected) => {
  expect(languageOf(locale)).toBe(expected);
});
