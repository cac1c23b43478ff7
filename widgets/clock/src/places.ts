// The places that can be shown, their names, the widget's state, and what the settings say of both. No clock, no DOM.

import type { Settings } from "@moult/widget";

/** The state: three time zones, as IANA names them. */
export interface Places {
  places: string[];
}

/** What the user set. */
export interface Wish {
  /** The places to show; null where the host has no settings: then they are chosen in the tile, and are state. */
  places: readonly string[] | null;
  seconds: boolean;
}

/** How many places are shown at most. */
export const SHOWN = 3;

const NAMES: Readonly<Record<string, readonly [english: string, chinese: string]>> = {
  "Pacific/Honolulu": ["Honolulu", "檀香山"],
  "America/Anchorage": ["Anchorage", "安克雷奇"],
  "America/Los_Angeles": ["San Francisco", "旧金山"],
  "America/Denver": ["Denver", "丹佛"],
  "America/Chicago": ["Chicago", "芝加哥"],
  "America/Mexico_City": ["Mexico City", "墨西哥城"],
  "America/New_York": ["New York", "纽约"],
  "America/Toronto": ["Toronto", "多伦多"],
  "America/Bogota": ["Bogotá", "波哥大"],
  "America/Santiago": ["Santiago", "圣地亚哥"],
  "America/Sao_Paulo": ["São Paulo", "圣保罗"],
  "America/Argentina/Buenos_Aires": ["Buenos Aires", "布宜诺斯艾利斯"],
  "Atlantic/Reykjavik": ["Reykjavík", "雷克雅未克"],
  "Europe/Lisbon": ["Lisbon", "里斯本"],
  "Europe/London": ["London", "伦敦"],
  "Europe/Paris": ["Paris", "巴黎"],
  "Europe/Berlin": ["Berlin", "柏林"],
  "Europe/Athens": ["Athens", "雅典"],
  "Africa/Lagos": ["Lagos", "拉各斯"],
  "Africa/Cairo": ["Cairo", "开罗"],
  "Africa/Johannesburg": ["Johannesburg", "约翰内斯堡"],
  "Africa/Nairobi": ["Nairobi", "内罗毕"],
  "Europe/Istanbul": ["Istanbul", "伊斯坦布尔"],
  "Asia/Riyadh": ["Riyadh", "利雅得"],
  "Asia/Dubai": ["Dubai", "迪拜"],
  "Asia/Karachi": ["Karachi", "卡拉奇"],
  "Asia/Kolkata": ["Mumbai", "孟买"],
  "Asia/Kathmandu": ["Kathmandu", "加德满都"],
  "Asia/Dhaka": ["Dhaka", "达卡"],
  "Asia/Bangkok": ["Bangkok", "曼谷"],
  "Asia/Jakarta": ["Jakarta", "雅加达"],
  "Asia/Singapore": ["Singapore", "新加坡"],
  "Asia/Shanghai": ["Shanghai", "上海"],
  "Asia/Hong_Kong": ["Hong Kong", "香港"],
  "Asia/Tokyo": ["Tokyo", "东京"],
  "Asia/Seoul": ["Seoul", "首尔"],
  "Australia/Adelaide": ["Adelaide", "阿德莱德"],
  "Australia/Sydney": ["Sydney", "悉尼"],
  "Pacific/Auckland": ["Auckland", "奥克兰"],
};

/** All zones that can be chosen, from west to east. */
export const ZONES: readonly string[] = Object.keys(NAMES);

/** Shown until others are chosen. */
export const FIRST_PLACES: readonly string[] = ["America/Los_Angeles", "Europe/Berlin", "Asia/Shanghai"];

/** What a place is called; a zone without a name of its own is called by the end of its zone's name. */
export function placeName(zone: string, chinese: boolean): string {
  return NAMES[zone]?.[chinese ? 1 : 0] ?? (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

/** Reads state; zones that are unknown here are replaced by the first ones. Throws on anything but places. */
export function readPlaces(data: unknown): Places {
  const places = (data as Partial<Places> | null)?.places;
  if (!Array.isArray(places)) throw new TypeError("`places` is not a list");
  return { places: FIRST_PLACES.map((first, index) => (isZone(places[index]) ? places[index] : first)) };
}

/** Reads the settings. A place that is unknown here is left out, and so is the one where the user is. */
export function wishOf(settings: Settings, here: string): Wish {
  const seconds = settings["seconds"] === true;
  const zones = FIRST_PLACES.map((_, index) => settings[`zone_${index + 1}`]);
  if (zones.every((zone) => zone === undefined)) return { places: null, seconds };
  return {
    places: zones.filter(isZone).filter((zone, index, all) => zone !== here && all.indexOf(zone) === index),
    seconds,
  };
}

function isZone(zone: unknown): zone is string {
  if (typeof zone !== "string") return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
