// Figures and times in words of a language. Pure: the time now is an argument.

/** The languages there are. */
export type Language = "en" | "zh";

/** The language for a BCP 47 tag. */
export function languageOf(locale: string): Language {
  return /^zh\b/i.test(locale) ? "zh" : "en";
}

const UNITS = ["B", "kB", "MB", "GB"] as const;

/** Bytes as a figure and its unit, in powers of ten: three digits at most, `0.9 kB` rather than `900 B` never. */
export function bytes(count: number): { figure: string; unit: string } {
  let value = Math.max(0, count);
  let unit = 0;
  // 999.5 would be written as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  const figure = value.toFixed(digits).replace(/\.0$/, "");
  return { figure, unit: UNITS[unit] ?? "B" };
}

/** Bytes in one piece: `412 kB`. */
export function size(count: number): string {
  const { figure, unit } = bytes(count);
  return `${figure} ${unit}`;
}

/** A part and its whole in the whole's unit: `264 of 412 kB` needs the two figures and one unit. */
export function ratio(part: number, whole: number): { part: string; whole: string; unit: string } {
  const { figure, unit } = bytes(whole);
  const scale = 1000 ** UNITS.indexOf(unit as (typeof UNITS)[number]);
  const value = part / scale;
  const digits = value >= 99.5 || unit === "B" ? 0 : 1;
  return { part: value.toFixed(digits).replace(/\.0$/, ""), whole: figure, unit };
}

/** The time of day: `10:20`. */
export function clock(at: string, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(
    new Date(at),
  );
}

const DAYS = {
  en: { today: "Today", yesterday: "Yesterday", locale: "en-GB" },
  zh: { today: "今天", yesterday: "昨天", locale: "zh-CN" },
};

/** The day and the time as one says them: `Today 10:23`, `Yesterday 18:40`, `16 Nov`. */
export function moment(at: string, now: number, language: Language, timeZone?: string): string {
  const words = DAYS[language];
  const days = dayNumber(now, timeZone) - dayNumber(Date.parse(at), timeZone);
  if (days === 0) return `${words.today} ${clock(at, timeZone)}`;
  if (days === 1) return `${words.yesterday} ${clock(at, timeZone)}`;
  return new Intl.DateTimeFormat(words.locale, { day: "numeric", month: "short", timeZone }).format(new Date(at));
}

/** A length of time: `0.9 s`, `11 ms`, `40 s`, `3 min`. */
export function duration(ms: number, language: Language): string {
  const zh = language === "zh";
  if (ms < 100) return `${Math.round(ms)} ${zh ? "毫秒" : "ms"}`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} ${zh ? "秒" : "s"}`;
  if (ms < 99_500) return `${Math.round(ms / 1000)} ${zh ? "秒" : "s"}`;
  return `${Math.round(ms / 60_000)} ${zh ? "分钟" : "min"}`;
}

/** A span of seconds as one says it: `every 5 minutes` needs `5 minutes`. */
export function span(seconds: number, language: Language): string {
  const [count, unit] = inUnit(seconds);
  if (language === "zh") return `${count} ${{ second: "秒", minute: "分钟", hour: "小时", day: "天" }[unit]}`;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Seconds in whole units of the largest kind that there are two of, rounded up: for what is still to go. */
export function roughly(seconds: number): number {
  const unit = [DAY_S, 3600, 60].find((one) => seconds >= 2 * one) ?? (seconds > 60 ? 60 : 1);
  return Math.ceil(seconds / unit) * unit;
}

const DAY_S = 86_400;

function inUnit(seconds: number): [number, "second" | "minute" | "hour" | "day"] {
  if (seconds % DAY_S === 0 && seconds > DAY_S) return [seconds / DAY_S, "day"];
  if (seconds % 3600 === 0) return [seconds / 3600, "hour"];
  return seconds % 60 === 0 ? [seconds / 60, "minute"] : [seconds, "second"];
}

/** The number of the calendar day at a place, counted from any one day. Told by parts: how a locale joins them varies. */
function dayNumber(ms: number, timeZone?: string): number {
  const format = new Intl.DateTimeFormat("en-US", { year: "numeric", month: "numeric", day: "numeric", timeZone });
  const parts = Object.fromEntries(format.formatToParts(new Date(ms)).map(({ type, value }) => [type, Number(value)]));
  return Math.round(Date.UTC(parts["year"] ?? 0, (parts["month"] ?? 1) - 1, parts["day"] ?? 1) / 86_400_000);
}
