// The arithmetic of a day bar: the day here is the ruler, and each place's daytime is drawn on it. No clock, no DOM.

/** Daytime begins and ends at these hours in every place. */
export const DAYTIME = { from: 7, to: 19 } as const;

/** A part of the bar; both ends as shares of the day here, 0 to 1. */
export interface Span {
  from: number;
  to: number;
}

/** How far into its day a place is, from 0 (midnight) up to but not including 1. */
export function dayShare(at: Date, zone: string): number {
  const { hour, minute, second } = wallClock(at, zone);
  return (hour * 3600 + minute * 60 + second) / 86_400;
}

/** How many minutes a place is ahead of another at that instant; negative if it is behind. */
export function minutesAhead(at: Date, zone: string, here: string): number {
  return Math.round((wallClock(at, zone).epoch - wallClock(at, here).epoch) / 60_000);
}

/** When it is daytime in a place that is `minutes` ahead, on the bar of the day here. Two spans if midnight lies between. */
export function daySpans(minutes: number): Span[] {
  const shift = minutes / 1440;
  const from = modulo(DAYTIME.from / 24 - shift);
  const to = from + (DAYTIME.to - DAYTIME.from) / 24;
  if (to <= 1) return [{ from, to }];
  return [
    { from: 0, to: to - 1 },
    { from, to: 1 },
  ];
}

/** Milliseconds until the next full second: a timer set by it never drifts. */
export function untilNextSecond(now: number): number {
  return 1000 - (now % 1000);
}

/** The longest that the clock is not looked at, in milliseconds: after sleep a timer is late by as much as it had left. */
const LOOK_MS = 10_000;

/** Milliseconds until what is shown differs: the next second or the next minute, but never longer than is right after sleep. */
export function untilNext(now: number, seconds: boolean): number {
  return seconds ? untilNextSecond(now) : Math.min(LOOK_MS, 60_000 - (now % 60_000));
}

function modulo(share: number): number {
  return ((share % 1) + 1) % 1;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function wallClock(at: Date, zone: string) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return { hour, minute, second, epoch: Date.UTC(year, month - 1, day, hour, minute, second) };
}
