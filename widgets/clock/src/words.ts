// The clock's words and formats in English and Simplified Chinese. No clock, no DOM.

/** What the clock says. */
export interface Words {
  /** The day, as the header's aside; short where there is little room. */
  date(at: Date, short: boolean): string;
  /** How a place's time differs from here. */
  offset(minutes: number): string;
  /** What choosing a place is called; `place` is the one shown. */
  choose(place: string): string;
  /** What the big figure is called. */
  here(city: string): string;
  places: string;
}

export function wordsFor(locale: string): Words {
  return isChinese(locale) ? chinese(locale) : english(locale);
}

export function isChinese(locale: string): boolean {
  return locale.toLowerCase().startsWith("zh");
}

function english(locale: string): Words {
  const long = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const brief = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" });
  return {
    date: (at, short) => (short ? brief : long).format(at),
    offset(minutes) {
      if (minutes === 0) return "same time";
      return `${span(minutes, " h", " min")} ${minutes > 0 ? "ahead" : "behind"}`;
    },
    choose: (place) => `Place: ${place}`,
    here: (city) => `Time in ${city}`,
    places: "Other places",
  };
}

function chinese(locale: string): Words {
  const long = new Intl.DateTimeFormat(locale, { weekday: "long" });
  const brief = new Intl.DateTimeFormat(locale, { weekday: "short" });
  return {
    date: (at, short) => `${at.getMonth() + 1} 月 ${at.getDate()} 日 ${(short ? brief : long).format(at)}`,
    offset(minutes) {
      if (minutes === 0) return "时间相同";
      return `${minutes > 0 ? "早" : "晚"} ${span(minutes, " 小时", " 分钟")}`;
    },
    choose: (place) => `地点：${place}`,
    here: (city) => `${city}时间`,
    places: "其他地点",
  };
}

function span(minutes: number, hour: string, minute: string): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return [hours > 0 && `${hours}${hour}`, rest > 0 && `${rest}${minute}`].filter(Boolean).join(" ");
}
