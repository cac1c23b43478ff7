// What the sentences about versions have in common.

import type { Share } from "../host/bindings";
import type { Language } from "./format";

/** A share in percent, with as many digits as it has. */
export function percent(share: Share): string {
  return `${share / 100} %`;
}

/** A moment that may be days away: its day and time. */
export function momentOf(at: string, language: Language): string {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  const options = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false } as const;
  return new Intl.DateTimeFormat(locale, options).format(new Date(at));
}
