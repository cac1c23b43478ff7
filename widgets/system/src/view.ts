// What the system widget draws. Knows neither the host nor where figures come from.

import { BOX, chartPaths } from "./chart.js";
import { memoryScale, rateScale, ratesOf } from "./figures.js";
import type { Figures, History, Scale } from "./figures.js";
import type { Words } from "./words.js";

/** What there is to draw. */
export interface Picture {
  history: History;
  /** The last answer, if there was one since the start. */
  figures: Figures | null;
  now: number;
  /** Said below the figures when there are none to be had. */
  notice: string;
}

/** The drawn widget. */
export interface View {
  show(picture: Picture): void;
  /** Draws a sentence instead of figures. */
  say(sentence: string): void;
}

export function createView(parent: HTMLElement, words: Words): View {
  const sentence = element("p", "denied");
  sentence.setAttribute("data-testid", "system-sentence");
  sentence.setAttribute("role", "status");

  const list = element("div", "figures");
  const processor = createMeter("processor", words.processor);
  const memory = createMeter("memory", words.memory);
  const network = createMeter("network", words.network);
  const disk = createDisk(words);
  const notice = element("p", "notice");
  notice.setAttribute("role", "status");
  const scale = { top: element("span", "end top number"), bottom: element("span", "end bottom number") };
  const rateEnd = element("span", "end top number");
  const cpuChart = createChart({ fromZero: true });
  const memoryChart = createChart({ fromZero: false });
  const networkChart = createChart({ fromZero: true, second: true });
  const memoryGauge = element("div", "gauge");
  memoryGauge.setAttribute("aria-hidden", "true");
  const coreChart = element("div", "core-bars");
  coreChart.setAttribute("role", "img");
  processor.text.append(coreChart);
  processor.plot.append(cpuChart.svg);
  memory.text.append(memoryGauge);
  memory.plot.append(memoryChart.svg, scale.top, scale.bottom);
  network.plot.append(networkChart.svg, rateEnd);
  list.append(processor.root, memory.root, network.root, disk.root, notice);

  return {
    say(text) {
      if (parent.firstChild !== sentence) parent.replaceChildren(sentence);
      if (sentence.textContent !== text) sentence.textContent = text;
    },
    show(picture) {
      if (parent.firstChild !== list) parent.replaceChildren(list);
      const { history, figures, now } = picture;
      drawProcessor(history, now);
      drawMemory(history, now);
      drawCores(figures?.per_core ?? []);
      drawNetwork(history, now);
      drawDisk(figures);
      if (notice.textContent !== picture.notice) notice.textContent = picture.notice;
    },
  };

  function drawProcessor({ samples, cores: count }: History, now: number): void {
    const values = samples.map((sample) => sample.cpu);
    const points = samples.map(({ at, cpu }) => ({ at, value: cpu }));
    processor.set(values.length > 0 ? words.count(values.at(-1) ?? 0) : "–", "%");
    processor.small.textContent = count > 0 ? words.cores(words.count(count), count === 1) : "";
    drawChart(cpuChart, points, { low: 0, high: 100 }, now);
    describe(cpuChart.svg, words.processor, values, words.percent);
  }

  function drawMemory({ samples, memory_total: total }: History, now: number): void {
    const values = samples.map((sample) => sample.memory);
    const points = samples.map(({ at, memory: value }) => ({ at, value }));
    const drawn = memoryScale(values, total);
    memory.set(values.length > 0 ? words.memoryAmount(values.at(-1) ?? 0) : "–", "GB");
    memory.small.textContent = total > 0 ? words.ofTotal(words.memoryAmount(total)) : "";
    memoryGauge.hidden = total <= 0 || values.length === 0;
    memoryGauge.style.setProperty("--share", `${(((values.at(-1) ?? 0) / (total || 1)) * 100).toFixed(1)}%`);
    scale.top.textContent = values.length > 0 ? words.scaleEnd(drawn.high) : "";
    scale.bottom.textContent = values.length > 0 ? words.scaleEnd(drawn.low) : "";
    drawChart(memoryChart, points, drawn, now);
    describe(memoryChart.svg, words.memory, values, (bytes) => `${words.memoryAmount(bytes)} GB`);
  }

  function drawCores(shares: readonly number[]): void {
    coreChart.hidden = shares.length === 0;
    if (shares.length === 0) return;
    while (coreChart.childElementCount < shares.length) coreChart.append(element("i", "core"));
    while (coreChart.childElementCount > shares.length) coreChart.lastElementChild?.remove();
    shares.forEach((share, index) => {
      const core = coreChart.children[index] as HTMLElement;
      core.style.setProperty("--share", `${Math.min(100, Math.max(0, share)).toFixed(1)}%`);
    });
    const [least, most] = [Math.min(...shares), Math.max(...shares)];
    const count = words.count(shares.length);
    coreChart.setAttribute("aria-label", words.coreChart(count, words.percent(least), words.percent(most)));
  }

  function drawNetwork({ samples }: History, now: number): void {
    const rates = ratesOf(samples);
    const last = rates.at(-1);
    const drawn = rateScale(rates);
    network.root.hidden = samples.length > 1 && samples.at(-1)?.received === undefined;
    const [received, unit] = last ? words.rate(last.received) : ["–", ""];
    network.set(received, unit);
    network.small.textContent = last ? words.up(words.rate(last.sent).join(" ")) : "";
    rateEnd.textContent = last ? words.rate(drawn.high).join(" ") : "";
    const points = (of: "received" | "sent") => rates.map((rate) => ({ at: rate.at, value: rate[of] }));
    drawChart(networkChart, points("received"), drawn, now, points("sent"));
    if (!last) return networkChart.svg.setAttribute("aria-label", words.network);
    const write = (rate: number): string => words.rate(rate).join(" ");
    const most = Math.max(...rates.map((rate) => Math.max(rate.received, rate.sent)));
    networkChart.svg.setAttribute(
      "aria-label",
      words.networkChart(write(last.received), write(last.sent), write(most)),
    );
  }

  function drawDisk(figures: Figures | null): void {
    const { disk_used: used, disk_total: total } = figures ?? {};
    disk.root.hidden = used === undefined || !total;
    if (used === undefined || !total) return;
    disk.value.textContent = words.usedOf(words.diskAmount(used), words.diskAmount(total));
    const share = Math.min(100, (used / total) * 100);
    disk.gauge.style.setProperty("--share", `${share.toFixed(1)}%`);
    disk.gauge.setAttribute("aria-label", words.diskChart(words.percent(share)));
  }

  function describe(svg: SVGElement, what: string, values: readonly number[], write: (value: number) => string): void {
    const now = values.at(-1);
    if (now === undefined) svg.setAttribute("aria-label", what);
    else {
      const [least, most] = [Math.min(...values), Math.max(...values)];
      svg.setAttribute("aria-label", words.chart(what, write(now), write(least), write(most)));
    }
  }
}

interface Chart {
  svg: SVGSVGElement;
  line: SVGPathElement;
  area: SVGPathElement | null;
  second: SVGPathElement | null;
}

/** A chart with an area only if its foot is zero: an area on any other foot would show a wrong proportion. */
function createChart({ fromZero, second = false }: { fromZero: boolean; second?: boolean }): Chart {
  const svg = drawn("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, preserveAspectRatio: "none", role: "img" });
  svg.classList.add("chart");
  const area = fromZero ? drawn("path", { class: "area" }) : null;
  const line = drawn("path", { class: "line" });
  const other = second ? drawn("path", { class: "line second" }) : null;
  const top = drawn("path", { class: "top", d: `M0 0H${BOX.width}` });
  const foot = drawn("path", { class: fromZero ? "foot" : "top", d: `M0 ${BOX.height}H${BOX.width}` });
  svg.append(top, foot, ...(area ? [area] : []), line, ...(other ? [other] : []));
  return { svg, line, area, second: other };
}

type Points = { at: number; value: number }[];

function drawChart(chart: Chart, points: Points, scale: Scale, now: number, second: Points = []): void {
  const paths = chartPaths(points, scale, now);
  chart.line.setAttribute("d", paths.line);
  chart.area?.setAttribute("d", paths.area);
  chart.second?.setAttribute("d", chartPaths(second, scale, now).line);
}

function createMeter(name: string, title: string) {
  const root = element("section", `meter ${name}`);
  root.setAttribute("aria-label", title);
  const text = element("div", "text");
  const head = element("h2", "name");
  head.textContent = title;
  const value = element("p", "value number");
  value.setAttribute("data-testid", `system-${name}`);
  const figure = document.createTextNode("");
  const unit = element("small", "unit");
  value.append(figure, unit);
  const small = element("p", "small number");
  const plot = element("div", "plot");
  text.append(head, value, small);
  root.append(text, plot);
  const set = (text: string, of: string): void => {
    figure.data = text;
    unit.textContent = text === "–" ? "" : of;
  };
  return { root, text, plot, small, set };
}

function createDisk(words: Words) {
  const root = element("section", "disk");
  root.hidden = true;
  root.setAttribute("aria-label", words.disk);
  const name = element("h2", "name");
  name.textContent = words.disk;
  const value = element("p", "number");
  value.setAttribute("data-testid", "system-disk");
  const gauge = element("div", "gauge");
  gauge.setAttribute("role", "img");
  root.append(name, value, gauge);
  return { root, value, gauge };
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}

function drawn<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
): SVGElementTagNameMap[Name] {
  const created = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value);
  return created;
}
