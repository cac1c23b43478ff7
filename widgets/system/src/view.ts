// What the system widget draws. Knows neither the host nor where figures come from.

import { BOX, chartPaths } from "./chart.js";
import { memoryScale } from "./figures.js";
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
  const cores = createMeter("cores", words.busiest);
  const disk = createDisk(words);
  const notice = element("p", "notice");
  notice.setAttribute("role", "status");
  const scale = { top: element("span", "end top number"), bottom: element("span", "end bottom number") };
  const cpuChart = createChart(true);
  const memoryChart = createChart(false);
  const coreChart = element("div", "core-bars");
  coreChart.setAttribute("role", "img");
  processor.plot.append(cpuChart.svg);
  memory.plot.append(memoryChart.svg, scale.top, scale.bottom);
  cores.plot.append(coreChart);
  list.append(processor.root, memory.root, cores.root, disk.root, notice);

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
    scale.top.textContent = values.length > 0 ? words.scaleEnd(drawn.high) : "";
    scale.bottom.textContent = values.length > 0 ? words.scaleEnd(drawn.low) : "";
    drawChart(memoryChart, points, drawn, now);
    describe(memoryChart.svg, words.memory, values, (bytes) => `${words.memoryAmount(bytes)} GB`);
  }

  function drawCores(shares: readonly number[]): void {
    cores.root.hidden = shares.length === 0;
    if (shares.length === 0) return;
    const most = Math.max(...shares);
    const count = words.count(shares.length);
    cores.set(words.count(most), "%");
    cores.small.textContent = words.core(words.count(shares.indexOf(most) + 1), count);
    while (coreChart.childElementCount < shares.length) coreChart.append(element("i", "core"));
    while (coreChart.childElementCount > shares.length) coreChart.lastElementChild?.remove();
    shares.forEach((share, index) => {
      const core = coreChart.children[index] as HTMLElement;
      core.style.setProperty("--share", `${Math.min(100, Math.max(0, share)).toFixed(1)}%`);
    });
    coreChart.setAttribute(
      "aria-label",
      words.coreChart(count, words.percent(Math.min(...shares)), words.percent(most)),
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
}

/** A chart with an area only if its foot is zero: an area on any other foot would show a wrong proportion. */
function createChart(fromZero: boolean): Chart {
  const svg = drawn("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, preserveAspectRatio: "none", role: "img" });
  svg.classList.add("chart");
  const area = fromZero ? drawn("path", { class: "area" }) : null;
  const line = drawn("path", { class: "line" });
  const top = drawn("path", { class: "top", d: `M0 0H${BOX.width}` });
  const foot = drawn("path", { class: fromZero ? "foot" : "top", d: `M0 ${BOX.height}H${BOX.width}` });
  svg.append(top, foot, ...(area ? [area] : []), line);
  return { svg, line, area };
}

function drawChart(chart: Chart, points: { at: number; value: number }[], scale: Scale, now: number): void {
  const paths = chartPaths(points, scale, now);
  chart.line.setAttribute("d", paths.line);
  chart.area?.setAttribute("d", paths.area);
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
  return { root, plot, small, set };
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
