// What the system widget says, in English and Simplified Chinese. No DOM.

const GIB = 1024 ** 3;
const GB = 1_000_000_000;

const ENGLISH = {
  title: "System",
  span: "Last minute",
  processor: "Processor",
  memory: "Memory",
  busiest: "Busiest core",
  disk: "Disk",
  denied: "System may not read processor and memory figures yet.",
  cores: (count: string, one: boolean) => `${count} ${one ? "core" : "cores"}`,
  core: (number: string, count: string) => `core ${number} of ${count}`,
  ofTotal: (total: string) => `of ${total} GB`,
  usedOf: (used: string, total: string) => `${used} of ${total} GB`,
  since: (time: string) => `No new figures since ${time}.`,
  chart: (what: string, now: string, least: string, most: string) =>
    `${what} in the last minute: now ${now}, lowest ${least}, highest ${most}.`,
  coreChart: (count: string, least: string, most: string) =>
    `${count} cores: the idlest at ${least}, the busiest at ${most}.`,
  diskChart: (share: string) => `${share} of the disk is used.`,
};

const CHINESE: typeof ENGLISH = {
  title: "系统",
  span: "最近一分钟",
  processor: "处理器",
  memory: "内存",
  busiest: "最忙核心",
  disk: "磁盘",
  denied: "“系统”还不能读取处理器和内存数据。",
  cores: (count) => `${count} 个核心`,
  core: (number, count) => `第 ${number} 个，共 ${count} 个`,
  ofTotal: (total) => `共 ${total} GB`,
  usedOf: (used, total) => `${used} / ${total} GB`,
  since: (time) => `${time} 之后没有新数据。`,
  chart: (what, now, least, most) => `最近一分钟的${what}：现在 ${now}，最低 ${least}，最高 ${most}。`,
  coreChart: (count, least, most) => `${count} 个核心：最闲 ${least}，最忙 ${most}。`,
  diskChart: (share) => `磁盘已用 ${share}。`,
};

/** What is said, and how figures are written. */
export function wordsFor(locale: string) {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const fine = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
  return {
    ...said,
    count: (value: number) => whole.format(value),
    percent: (value: number) => `${whole.format(value)} %`,
    /** Memory, counted in binary gigabytes as machines are sold. */
    memoryAmount: (bytes: number) => (bytes < 100 * GIB ? tenth : whole).format(bytes / GIB),
    /** An end of a scale: a round figure, but of as little as a quarter. */
    scaleEnd: (bytes: number) => `${fine.format(bytes / GIB)} GB`,
    /** Disks are sold in decimal gigabytes. */
    diskAmount: (bytes: number) => whole.format(bytes / GB),
    time: (at: number) => time.format(new Date(at)),
  };
}

export type Words = ReturnType<typeof wordsFor>;
