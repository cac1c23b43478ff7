// What the clock draws. Knows neither the host nor how time passes: it is told what time it is.

import { dayShare, daySpans, minutesAhead } from "./day.js";
import { ZONES, placeName } from "./places.js";
import { isChinese, wordsFor } from "./words.js";

/** The drawn clock. */
export interface View {
  /** Draws an instant. */
  show(at: Date, seconds: boolean): void;
  /** Shows other places, which the user can change here or not. */
  place(zones: readonly string[], choosable: boolean): void;
}

/** Draws into `parent`. `chosen` is called when the user chooses another place for a row. */
export function createView(
  parent: HTMLElement,
  { here, locale }: { here: string; locale: string },
  chosen: (row: number, zone: string) => void,
): View {
  const words = wordsFor(locale);
  const chinese = isChinese(locale);
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  const big = element("time", "big");
  big.setAttribute("data-testid", "clock-time");
  const minutes = document.createTextNode("");
  const second = element("span", "second number");
  big.append(minutes, second);
  const list = element("ul", "zones");
  list.setAttribute("aria-label", words.places);
  const line = element("div", "now-line");
  line.setAttribute("aria-hidden", "true");
  const axis = element("div", "axis number");
  axis.setAttribute("aria-hidden", "true");
  axis.append(...HOURS.map((hour) => hourMark(hour, locale)));
  const rows: Row[] = [];
  parent.replaceChildren(big, list);

  return {
    show(at, seconds) {
      const now = time.format(at);
      if (minutes.data !== now) {
        minutes.data = now;
        // Read out to the minute: nobody wants to hear seconds.
        big.setAttribute("aria-label", `${words.here(placeName(here, chinese))} ${now}`);
      }
      setText(second, seconds ? `:${String(at.getSeconds()).padStart(2, "0")}` : "");
      list.style.setProperty("--now", `${(dayShare(at, here) * 100).toFixed(2)}%`);
      for (const row of rows) {
        const ahead = minutesAhead(at, row.zone, here);
        setText(row.time, row.format.format(at));
        setText(row.offset, words.offset(ahead));
        if (row.ahead !== ahead) drawDay(row, ahead);
      }
    },
    place(zones, choosable) {
      rows.length = 0;
      zones.forEach((zone, index) => rows.push(createRow(zone, index, choosable)));
      list.replaceChildren(...rows.map((row) => row.item), ...(zones.length > 0 ? [axis, line] : []));
      parent.classList.toggle("alone", zones.length === 0);
    },
  };

  function createRow(zone: string, index: number, choosable: boolean): Row {
    const item = element("li", "zone");
    const name = choosable ? createChoice(zone, index) : element("span", "name");
    if (!choosable) name.textContent = placeName(zone, chinese);
    const bar = element("div", "bar");
    bar.setAttribute("aria-hidden", "true");
    const clock = element("time", "at");
    const offset = element("span", "offset");
    item.append(name, bar, clock, offset);
    const format = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    return { zone, item, bar, time: clock, offset, format, ahead: null };
  }

  function createChoice(zone: string, index: number): HTMLSelectElement {
    const name = element("select", "name");
    name.id = `place-${index + 1}`;
    name.setAttribute("data-testid", `clock-place-${index + 1}`);
    name.setAttribute("aria-label", words.choose(placeName(zone, chinese)));
    for (const known of ZONES.includes(zone) ? ZONES : [zone, ...ZONES]) {
      const option = new Option(placeName(known, chinese), known, false, known === zone);
      name.append(option);
    }
    name.addEventListener("change", () => chosen(index, name.value));
    return name;
  }
}

/** The hours that are written over the bars. */
const HOURS = [0, 6, 12, 18, 24];

function hourMark(hour: number, locale: string): HTMLElement {
  const mark = element("span", "hour");
  mark.textContent = new Intl.NumberFormat(locale).format(hour);
  mark.style.setProperty("--place", `${(hour / 24) * 100}%`);
  return mark;
}

interface Row {
  zone: string;
  item: HTMLElement;
  bar: HTMLElement;
  time: HTMLElement;
  offset: HTMLElement;
  format: Intl.DateTimeFormat;
  ahead: number | null;
}

function drawDay(row: Row, ahead: number): void {
  row.ahead = ahead;
  const days = daySpans(ahead).map(({ from, to }) => {
    const day = element("i", "day");
    day.style.left = `${from * 100}%`;
    day.style.width = `${(to - from) * 100}%`;
    return day;
  });
  row.bar.replaceChildren(...days);
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}
