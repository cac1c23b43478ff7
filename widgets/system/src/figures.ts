// The figures that the host gives, the last minute of them, and the scale that memory is drawn on. No clock, no DOM.

/** What the capability `system.figures` answers. Bytes are bytes; shares are percent of the whole machine. */
export interface Figures {
  cpu_percent: number;
  cores: number;
  memory_used: number;
  memory_total: number;
  per_core?: number[];
  disk_used?: number;
  disk_total?: number;
  /** In all since the start of the computer. */
  network_received?: number;
  network_sent?: number;
}

/** What is kept of one answer. */
export interface Sample {
  /** When it was asked for, in milliseconds since 1970. */
  at: number;
  /** Percent. */
  cpu: number;
  /** Bytes. */
  memory: number;
  /** Bytes in all; not there in samples of a version that kept none. */
  received?: number;
  sent?: number;
}

/** The state. */
export interface History {
  samples: Sample[];
  /** Bytes; 0 until it is known. */
  memory_total: number;
  /** 0 until it is known. */
  cores: number;
}

/** How many samples are kept. */
export const MAX_SAMPLES = 60;

/** How long a chart looks back, in milliseconds. */
export const SPAN_MS = 60_000;

/** Two samples further apart than this tell nothing of the time between. Milliseconds. */
export const GAP_MS = 3_500;

export const NO_HISTORY: History = { samples: [], memory_total: 0, cores: 0 };

/** Reads an answer; throws on one that is not figures. */
export function readFigures(answer: unknown): Figures {
  const figures = answer as Figures | null;
  for (const name of ["cpu_percent", "cores", "memory_used", "memory_total"] as const) {
    if (!isAmount(figures?.[name])) throw new TypeError(`\`${name}\` is not an amount`);
  }
  return figures as Figures;
}

/** Reads state; throws on anything else. What can't be drawn is left out. */
export function readHistory(data: unknown): History {
  const { samples, memory_total, cores } = (data ?? {}) as Partial<History>;
  if (!Array.isArray(samples)) throw new TypeError("`samples` is not a list");
  const drawable = samples.filter((sample) => isAmount(sample?.at) && isAmount(sample.cpu) && isAmount(sample.memory));
  const read = drawable.map(({ at, cpu, memory, received, sent }): Sample => ({
    at,
    cpu,
    memory,
    ...totals(received, sent),
  }));
  return {
    samples: read.slice(-MAX_SAMPLES),
    memory_total: isAmount(memory_total) ? memory_total : 0,
    cores: isAmount(cores) ? cores : 0,
  };
}

/** The history with one more answer, and without what the charts no longer show. */
export function withFigures(history: History, figures: Figures, at: number): History {
  const cpu = Math.round(Math.min(100, figures.cpu_percent) * 10) / 10;
  const network = totals(figures.network_received, figures.network_sent);
  const sample: Sample = { at, cpu, memory: Math.round(figures.memory_used), ...network };
  // A clock that was set back makes older samples seem to lie ahead.
  const shown = history.samples.filter((old) => old.at < at && at - old.at <= SPAN_MS);
  return {
    samples: [...shown, sample].slice(-MAX_SAMPLES),
    memory_total: figures.memory_total,
    cores: figures.cores,
  };
}

/** What a chart's height stands for. */
export interface Scale {
  low: number;
  high: number;
}

const GIB = 1024 ** 3;

/**
 * The part of the memory in which its use is drawn, in bytes. Use moves by a few percent, which on the whole would be a
 * flat line. The part is a thirty-second of the whole at least, so that noise stays noise, and both ends are round
 * figures, so that they can be written beside the chart and stay put while the use moves a little.
 */
export function memoryScale(used: readonly number[], total: number): Scale {
  if (used.length === 0 || total <= 0) return { low: 0, high: Math.max(total, GIB) };
  const [least, most] = [Math.min(...used), Math.max(...used)];
  const span = Math.max((most - least) * 1.25, total / 32);
  const step = Math.max(GIB / 4, 2 ** Math.floor(Math.log2(span / GIB / 2)) * GIB);
  const middle = (least + most) / 2;
  const low = Math.max(0, Math.floor((middle - span / 2) / step) * step);
  const high = Math.min(total, Math.ceil((middle + span / 2) / step) * step);
  return { low, high: Math.max(high, most) };
}

function totals(received: unknown, sent: unknown): Pick<Sample, "received" | "sent"> {
  return isAmount(received) && isAmount(sent) ? { received, sent } : {};
}

/** How much went over the network between two samples, in bytes a second. */
export interface Rate {
  at: number;
  received: number;
  sent: number;
}

/**
 * The rates between samples that are close enough to tell one. Totals that became smaller tell none: the computer was
 * started anew, or a network card went away.
 */
export function ratesOf(samples: readonly Sample[]): Rate[] {
  const rates: Rate[] = [];
  let last: Sample | undefined;
  for (const sample of samples) {
    const [from, to] = [last, sample];
    last = sample;
    if (from?.received === undefined || from.sent === undefined) continue;
    if (to.received === undefined || to.sent === undefined) continue;
    const [received, sent, seconds] = [to.received - from.received, to.sent - from.sent, (to.at - from.at) / 1000];
    if (received < 0 || sent < 0 || seconds < 0.2 || seconds * 1000 > GAP_MS) continue;
    rates.push({ at: to.at, received: received / seconds, sent: sent / seconds });
  }
  return rates;
}

/** Rates are drawn on at least this much, so that the few bytes of an idle network stay near the foot. Bytes a second. */
const LEAST_RATE = 100_000;

/** What rates are drawn on: from zero to a round figure, 1, 2 or 5 of its kind, that stays while they move a little. */
export function rateScale(rates: readonly Rate[]): Scale {
  const most = Math.max(LEAST_RATE, ...rates.flatMap(({ received, sent }) => [received, sent]));
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((one) => one * power >= most) ?? 10;
  return { low: 0, high: step * power };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
